import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .apt_install("git")
    .pip_install("git+https://github.com/owner/project")  # expect: ver-git-unpinned
    .pip_install("thing @ git+https://github.com/owner/thing.git@main")  # expect: ver-git-unpinned
    .run_commands("git clone https://github.com/owner/repo /repo", "pip install -r /repo/requirements.txt")  # expect: ver-git-unpinned
)
app = modal.App("a", image=image)
