import modal

image = (
    modal.Image.debian_slim(python_version="3.12")
    .pip_install("torch>=2.4", "numpy")  # expect: ver-torch-unpinned
)
app = modal.App("a", image=image)
