import modal

first = modal.Image.debian_slim(python_version="3.11").pip_install(
    "torch==2.6.0",
    "git+https://github.com/owner/project@4f10e96c",  # expect: app-missing-git
)
second = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .apt_install("build-essential")
    .run_commands(
        "mkdir -p /src",
        "cd /src && git clone https://github.com/owner/project && git -C project checkout 4f10e96c",  # expect: app-missing-git
        "curl -o /tmp/a https://example.com/a",  # expect: app-missing-git
    )
)
app = modal.App("a")

# What the rule says of this file:
# 5:5 error: git is called here, and neither the base nor an earlier step has it
#     why: the image build stops at this step
#     remedy: add .apt_install("git") before it
#     fix (safe):
#         line 3: '' -> '.apt_install("git")'
# 12:21 error: git is called here, and neither the base nor an earlier step has it
#     why: the image build stops at this step
#     remedy: add .apt_install("git") before it
#     fix (safe):
#         line 10: '' -> '.apt_install("git")\n    '
# 13:10 error: curl is called here, and neither the base nor an earlier step has it
#     why: the image build stops at this step
#     remedy: add .apt_install("curl") before it
#     fix (safe):
#         line 10: '' -> '.apt_install("curl")\n    '
