import modal

SRC = "../../src"
image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install_from_requirements("requirements.txt")  # expect: app-relative-local-path
    .add_local_dir(SRC, "/root/src")  # expect: app-relative-local-path
    .add_local_file(
        "configs/train.yaml",  # expect: app-relative-local-path
        "/root/train.yaml",
    )
)
app = modal.App("a", image=image)
