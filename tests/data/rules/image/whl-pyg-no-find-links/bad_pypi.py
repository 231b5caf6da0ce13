import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.5.1")
    .pip_install("torch-scatter", "torch_sparse")  # expect: whl-pyg-no-find-links
)
app = modal.App("a", image=image)
