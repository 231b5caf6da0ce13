import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .add_local_dir("src", "/root/src", copy=True)  # expect: ord-copy-source-before-deps
    .pip_install("torch==2.4.1")
)
app = modal.App("a", image=image)
