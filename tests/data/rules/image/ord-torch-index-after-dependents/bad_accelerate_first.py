import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("accelerate==1.0.0", "diffusers")
    .pip_install("torch>=2.4", index_url="https://download.pytorch.org/whl/cu121")  # expect: ord-torch-index-after-dependents
)
app = modal.App("a", image=image)
