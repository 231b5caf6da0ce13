import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("flash-attn==2.6.3", "--no-build-isolation")  # expect: iso-flag-in-package-list
    .pip_install(["-U setuptools", "numpy"])  # expect: iso-flag-in-package-list
)
app = modal.App("a", image=image)
