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

# What the rule says of this file:
# 13:20 error: run_commands has no gpu=, and it needs one: nvidia-smi
#     why: the image build stops at this step; the steps before it have been paid for in minutes
#     remedy: leave this out of the build, or give the step gpu="T4"
# 14:20 error: run_commands has no gpu=, and it needs one: assert torch.cuda.is_available()
#     why: the image build stops at this step; the steps before it have been paid for in minutes
#     remedy: leave this out of the build, or give the step gpu="T4"
# 15:6 error: run_function has no gpu=, and it needs one: .cuda()
#     why: the image build stops at this step; the steps before it have been paid for in minutes
#     remedy: leave this out of the build, or give the step gpu="T4"
