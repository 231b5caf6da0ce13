import modal

TORCH = "torch==2.1.2"
slim = modal.Image.debian_slim(python_version="3.11")
a = slim.pip_install("torch==2.2.2")  # expect: ver-numpy2-old-torch
b = slim.pip_install(TORCH)  # expect: ver-numpy2-old-torch
c = slim.run_commands("pip install torch==2.2.2").pip_install("numpy>=1.20", 'einops')  # expect: ver-numpy2-old-torch
d = slim.pip_install('torch==2.0.1', "numpy<3").pip_install("numpy")  # expect: ver-numpy2-old-torch
e = modal.Image.debian_slim(python_version="3.9").pip_install("torch==2.2.2")  # expect: ver-numpy2-old-torch

# What the rule says of this file:
# 5:22 warning: torch 2.2.2 was built for numpy 1, and nothing keeps numpy below 2
#     why: the first tensor.numpy() fails with: Numpy is not available
#     remedy: add "numpy<2" to the step that installs torch
#     fix (safe):
#         line 5: '' -> ', "numpy<2"'
# 6:22 warning: torch 2.1.2 was built for numpy 1, and nothing keeps numpy below 2
#     why: the first tensor.numpy() fails with: Numpy is not available
#     remedy: add "numpy<2" to the step that installs torch
# 7:63 warning: torch 2.2.2 was built for numpy 1, and nothing keeps numpy below 2
#     why: the first tensor.numpy() fails with: Numpy is not available
#     remedy: add "numpy<2" to the step that installs torch
# 8:38 warning: torch 2.0.1 was built for numpy 1, and nothing keeps numpy below 2
#     why: the first tensor.numpy() fails with: Numpy is not available
#     remedy: add "numpy<2" to the step that installs torch
#     fix (safe):
#         line 8: '' -> ", 'numpy<2'"
# 9:63 warning: torch 2.2.2 was built for numpy 1, and nothing keeps numpy below 2
#     why: the first tensor.numpy() fails with: Numpy is not available
#     remedy: add "numpy<2" to the step that installs torch
#     fix (safe):
#         line 9: '' -> ', "numpy<2"'
