import modal

a = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.4.1", index_url="https://download.pytorch.org/whl/cu121")
    .pip_install("accelerate==1.0.0")
)
b = modal.Image.debian_slim(python_version="3.11").pip_install("accelerate").run_commands("pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu121")
c = modal.Image.debian_slim(python_version="3.11").pip_install("numpy").pip_install("torch==2.4.1", index_url="https://download.pytorch.org/whl/cu121")
app = modal.App("a", image=a)
