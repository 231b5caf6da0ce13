# builder: 2023.12
import modal

image = (
    modal.Image.debian_slim(python_version="3.11")  # expect: bld-legacy
    .pip_install("torch==2.6.0")
)
app = modal.App("a", image=image)
