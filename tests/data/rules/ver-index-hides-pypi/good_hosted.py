import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1", "torchvision==0.19.1", "numpy<2", "pillow", "nvidia-nccl-cu12", index_url="https://download.pytorch.org/whl/cu121")
b = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1", "transformers", extra_index_url="https://download.pytorch.org/whl/cu121")
c = modal.Image.debian_slim(python_version="3.11").run_commands("pip install torch transformers --index-url https://download.pytorch.org/whl/cu121 --extra-index-url https://mirror.example/simple")
app = modal.App("a", image=a)
