import modal


def warm():
    import torch

    torch.zeros(1).cuda()


image = (
    modal.Image.debian_slim(python_version="3.12")
    .pip_install("torch==2.4.1")
    .run_commands("nvidia-smi")  # expect: ord-gpu-check-at-build
    .run_commands('python -c "import torch; assert torch.cuda.is_available()"')  # expect: ord-gpu-check-at-build
    .run_function(warm)  # expect: ord-gpu-check-at-build
)
app = modal.App("a", image=image)
