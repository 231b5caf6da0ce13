import modal

image = (
    modal.Image.from_registry("ubuntu:22.04", add_python="3.11")
    .run_commands(
        "apt-get update && apt-get install -yq git",
        "DEBIAN_FRONTEND=noninteractive apt-get --assume-yes install ninja-build",
        "yes | apt install curl",
        "apt-get -qq remove -y git",
    )
)
slim = modal.Image.debian_slim(python_version="3.11").apt_install("git").run_commands("apt-get install -y wget")
app = modal.App("a", image=image)
