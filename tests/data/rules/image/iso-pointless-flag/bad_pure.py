import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("transformers==4.57.0", "accelerate==1.0.0", extra_options="--no-build-isolation")  # expect: iso-pointless-flag
app = modal.App("a", image=image)
