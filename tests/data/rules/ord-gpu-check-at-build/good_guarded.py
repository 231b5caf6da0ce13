import modal


def warm():
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.zeros(1).to(device)


def needs():
    import torch

    torch.zeros(1).cuda()


image = (
    modal.Image.debian_slim(python_version="3.12")
    .pip_install("torch==2.4.1")
    .run_commands("nvidia-smi || true", "which nvidia-smi || echo none")
    .run_commands('python -c "import torch; print(torch.cuda.is_available())"')
    .run_commands("nvidia-smi", gpu="T4")
    .run_function(warm)
    .run_function(needs, gpu="A10")
)
app = modal.App("a", image=image)
