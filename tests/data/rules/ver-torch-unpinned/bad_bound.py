import modal

slim = modal.Image.debian_slim(python_version="3.12")
a = slim.pip_install("torch").pip_install("mamba-ssm==2.2.4")  # expect: ver-torch-unpinned
b = slim.run_commands("pip install -c pins.txt torch", "pip install 'torch<3'")  # expect: ver-torch-unpinned
c = slim.pip_install("torch").pip_install("https://example.com/thing-1.0+cu12torch2.4-cp312-cp312-linux_x86_64.whl")  # expect: ver-torch-unpinned

# What the rule says of this file:
# 4:22 warning: torch takes the newest torch of the day
#     why: the next image build may get another torch, and what was built for the old one stops loading
#     remedy: pin torch with ==: mamba-ssm fits one minor of torch
# 5:57 info: torch<3 takes the newest torch of the day
#     why: the next image build may get another torch, and what was built for the old one stops loading
#     remedy: pin torch with ==
# 6:22 warning: torch takes the newest torch of the day
#     why: the next image build may get another torch, and what was built for the old one stops loading
#     remedy: pin torch with ==: thing fits one minor of torch
