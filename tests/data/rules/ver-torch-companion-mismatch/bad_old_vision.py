import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1", "torchvision==0.17.2", "torchaudio==2.4.1")  # expect: ver-torch-companion-mismatch
later = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.6.0")
    .pip_install("torchaudio==2.5.1")  # expect: ver-torch-companion-mismatch
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:84 error: torchvision==0.17.2 does not belong to torch 2.4.1, which goes with 0.19.x
#     why: pip finds no solution, or replaces torch under what was built for it
#     remedy: use torchvision==0.19.1
#     fix (safe):
#         line 3: 'torchvision==0.17.2' -> 'torchvision==0.19.1'
# 7:18 error: torchaudio==2.5.1 does not belong to torch 2.6.0, which goes with 2.6.x
#     why: pip finds no solution, or replaces torch under what was built for it
#     remedy: use torchaudio==2.6.0
#     fix (safe):
#         line 7: 'torchaudio==2.5.1' -> 'torchaudio==2.6.0'
