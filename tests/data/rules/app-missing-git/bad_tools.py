import modal

a = modal.Image.debian_slim(python_version="3.11").run_commands(
    "wget https://example.com/a.zip",  # expect: app-missing-git
    "unzip a.zip",  # expect: app-missing-git
)
b = modal.Image.debian_slim(python_version="3.11").apt_install("gcc").run_commands("git --version", "apt-get update && apt-get install -y git")  # expect: app-missing-git
c = modal.Image.debian_slim(python_version="3.11").run_commands("pip install git+https://github.com/a/b@1f2e3d4c", "apt-get install -y git")  # expect: app-missing-git
d = modal.Image.debian_slim(python_version="3.11").apt_install("gitlint").run_commands("/usr/bin/git clone https://github.com/a/b")  # expect: app-missing-git

# What the rule says of this file:
# 4:6 error: wget is called here, and neither the base nor an earlier step has it
#     why: the image build stops at this step
#     remedy: add .apt_install("wget") before it
#     fix (safe):
#         line 3: '' -> '.apt_install("wget")'
# 5:6 error: unzip is called here, and neither the base nor an earlier step has it
#     why: the image build stops at this step
#     remedy: add .apt_install("unzip") before it
#     fix (safe):
#         line 3: '' -> '.apt_install("unzip")'
# 7:85 error: git is called here, and neither the base nor an earlier step has it
#     why: the image build stops at this step
#     remedy: add .apt_install("git") before it
#     fix (safe):
#         line 7: '' -> '.apt_install("git")'
# 8:66 error: git is called here, and neither the base nor an earlier step has it
#     why: the image build stops at this step
#     remedy: add .apt_install("git") before it
#     fix (safe):
#         line 8: '' -> '.apt_install("git")'
# 9:89 error: git is called here, and neither the base nor an earlier step has it
#     why: the image build stops at this step
#     remedy: add .apt_install("git") before it
#     fix (safe):
#         line 9: '' -> '.apt_install("git")'
