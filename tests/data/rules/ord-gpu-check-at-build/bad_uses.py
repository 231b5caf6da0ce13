import modal


def warm():
    model().to("cuda:0")


slim = modal.Image.debian_slim(python_version="3.12").pip_install("torch==2.4.1")
a = slim.run_commands("/usr/bin/nvidia-smi -L && ls")  # expect: ord-gpu-check-at-build
b = slim.run_commands("python3 -c 'assert (torch.cuda.is_available())' || true", gpu=None)
c = slim.run_commands("ls", "/usr/bin/python3.12 -c 'torch.cuda.get_device_name(0)'")  # expect: ord-gpu-check-at-build
d = slim.run_function(warm, gpu=None)  # expect: ord-gpu-check-at-build
e = slim.run_commands("python -c 'import torch; assert (torch.cuda.is_available()), 1 if torch.cuda.is_available() else 2'")  # expect: ord-gpu-check-at-build

# What the rule says of this file:
# 9:24 error: run_commands has no gpu=, and it needs one: nvidia-smi
#     why: the image build stops at this step; the steps before it have been paid for in minutes
#     remedy: leave this out of the build, or give the step gpu="T4"
# 11:30 error: run_commands has no gpu=, and it needs one: torch.cuda.get_device_name(
#     why: the image build stops at this step; the steps before it have been paid for in minutes
#     remedy: leave this out of the build, or give the step gpu="T4"
# 12:10 error: run_function has no gpu=, and it needs one: .to('cuda:0')
#     why: the image build stops at this step; the steps before it have been paid for in minutes
#     remedy: leave this out of the build, or give the step gpu="T4"
# 13:24 error: run_commands has no gpu=, and it needs one: assert (torch.cuda.is_available()
#     why: the image build stops at this step; the steps before it have been paid for in minutes
#     remedy: leave this out of the build, or give the step gpu="T4"
