import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1", "torchvision==0.17.2", "torchaudio==2.4.1")  # expect: ver-torch-companion-mismatch
later = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.6.0")
    .pip_install("torchaudio==2.5.1")  # expect: ver-torch-companion-mismatch
)
app = modal.App("a", image=image)
