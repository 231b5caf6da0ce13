import modal

SHA = "4f10e96c0000000000000000000000000000abcd"
image = (
    modal.Image.debian_slim(python_version="3.11")
    .apt_install("git")
    .pip_install(f"git+https://github.com/owner/project@{SHA}", "thing @ git+ssh://git@github.com/owner/thing.git@v1.2")
    .run_commands("git clone https://github.com/owner/repo /repo && cd /repo && git checkout 4f10e96c")
    .run_commands("git clone -b v1.2 --depth 1 https://github.com/owner/other", "git clone https://github.com/owner/third")
    .run_commands("cd third && git reset --hard 4f10e96c")
)
app = modal.App("a", image=image)
