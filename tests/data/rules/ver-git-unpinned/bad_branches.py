import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .apt_install("git")
    .pip_install("git+https://github.com/owner/project")  # expect: ver-git-unpinned
    .pip_install("thing @ git+https://github.com/owner/thing.git@main")  # expect: ver-git-unpinned
    .run_commands("git clone https://github.com/owner/repo /repo", "pip install -r /repo/requirements.txt")  # expect: ver-git-unpinned
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 6:18 warning: git+https://github.com/owner/project follows a branch
#     why: the image can't be built again as it was, and Modal's cache hides when the code has moved
#     remedy: pin the commit: git+https://…@<sha>, or git checkout <sha> after the clone
# 7:18 warning: git+https://github.com/owner/thing.git@main follows a branch
#     why: the image can't be built again as it was, and Modal's cache hides when the code has moved
#     remedy: pin the commit: git+https://…@<sha>, or git checkout <sha> after the clone
# 8:20 warning: https://github.com/owner/repo follows a branch
#     why: the image can't be built again as it was, and Modal's cache hides when the code has moved
#     remedy: pin the commit: git+https://…@<sha>, or git checkout <sha> after the clone
