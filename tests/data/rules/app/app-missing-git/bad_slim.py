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
