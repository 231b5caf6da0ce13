import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2", "torchvision==0.17.2", "torchaudio==2.2.2")
b = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.10.0", "torchvision==0.25.0", "torchaudio==2.10.0")
c = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1+cu121", "torchvision==0.19.1+cu121")
d = modal.Image.debian_slim(python_version="3.11").pip_install("torch", "torchvision==0.17.2")
e = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.14.1", "torchaudio==2.11.0")
app = modal.App("a", image=a)
