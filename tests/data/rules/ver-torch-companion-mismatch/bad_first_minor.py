import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.pip_install("torch==2.0.0", "torchvision==0.14.1")  # expect: ver-torch-companion-mismatch
b = slim.pip_install("torch==2.0.1", "torchvision==0.16.0")  # expect: ver-torch-companion-mismatch
c = slim.pip_install("torch==2.4.1+cu121", "torchvision==0.17.2+cu121")  # expect: ver-torch-companion-mismatch
d = slim.pip_install("torch==2.8.0", "torchaudio==2.7.0")  # expect: ver-torch-companion-mismatch
e = slim.pip_install("torch==2.4", "torchvision==0.17.2")  # expect: ver-torch-companion-mismatch
f = modal.Image.from_registry("pytorch/pytorch:2.4.1-cuda12.4-cudnn9-devel").pip_install("torchvision==0.17.2")  # expect: ver-torch-companion-mismatch

# What the rule says of this file:
# 4:38 error: torchvision==0.14.1 does not belong to torch 2.0.0, which goes with 0.15.x
#     why: pip finds no solution, or replaces torch under what was built for it
#     remedy: use torchvision==0.15.1
#     fix (safe):
#         line 4: 'torchvision==0.14.1' -> 'torchvision==0.15.1'
# 5:38 error: torchvision==0.16.0 does not belong to torch 2.0.1, which goes with 0.15.x
#     why: pip finds no solution, or replaces torch under what was built for it
#     remedy: use torchvision==0.15.2
#     fix (safe):
#         line 5: 'torchvision==0.16.0' -> 'torchvision==0.15.2'
# 6:44 error: torchvision==0.17.2+cu121 does not belong to torch 2.4.1+cu121, which goes with 0.19.x
#     why: pip finds no solution, or replaces torch under what was built for it
#     remedy: use torchvision==0.19.1
# 7:38 error: torchaudio==2.7.0 does not belong to torch 2.8.0, which goes with 2.8.x
#     why: pip finds no solution, or replaces torch under what was built for it
#     remedy: use torchaudio==2.8.0
#     fix (safe):
#         line 7: 'torchaudio==2.7.0' -> 'torchaudio==2.8.0'
# 8:36 error: torchvision==0.17.2 does not belong to torch 2.4, which goes with 0.19.x
#     why: pip finds no solution, or replaces torch under what was built for it
#     remedy: use torchvision==0.19.0
#     fix (safe):
#         line 8: 'torchvision==0.17.2' -> 'torchvision==0.19.0'
# 9:90 error: torchvision==0.17.2 does not belong to torch 2.4.1, which goes with 0.19.x
#     why: pip finds no solution, or replaces torch under what was built for it
#     remedy: use torchvision==0.19.1
#     fix (safe):
#         line 9: 'torchvision==0.17.2' -> 'torchvision==0.19.1'
