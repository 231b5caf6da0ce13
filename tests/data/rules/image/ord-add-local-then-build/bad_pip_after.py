import modal

image = (
    modal.Image.debian_slim(python_version="3.12")
    .add_local_dir("src", "/root/src")  # expect: ord-add-local-then-build
    .pip_install("numpy==1.26.4")
)
app = modal.App("a", image=image)
