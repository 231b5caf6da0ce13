import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .run_commands(
        "apt-get install -y git",  # expect: shl-apt-no-yes
        "apt-get update",
        "apt-get install --no-install-recommends ninja-build",  # expect: shl-apt-no-yes
    )
)
app = modal.App("a", image=image)
