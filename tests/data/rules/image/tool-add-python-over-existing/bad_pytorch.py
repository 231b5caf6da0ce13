import modal

image = modal.Image.from_registry(
    "pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel",
    add_python="3.11",  # expect: tool-add-python-over-existing
)
app = modal.App("a", image=image)
