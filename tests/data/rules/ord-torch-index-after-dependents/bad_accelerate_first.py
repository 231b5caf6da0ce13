import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("accelerate==1.0.0", "diffusers")
    .pip_install("torch>=2.4", index_url="https://download.pytorch.org/whl/cu121")  # expect: ord-torch-index-after-dependents
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 6:18 warning: line 5 has already brought torch: this index is not asked
#     why: the image gets PyPI's torch, of another CUDA than was meant
#     remedy: put the step that installs torch first
