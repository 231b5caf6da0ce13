import modal

slim = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.6.0")
a = slim.pip_install("https://github.com/someone/wheels/releases/download/v1/thing-1.0-cp311-cp311-linux_x86_64.whl")
b = slim.pip_install("https://github.com/someone/wheels/releases/download/v1/flash_attn-2.7.4-cp311-cp311-linux_x86_64.whl")
c = slim.pip_install("https://example.com/flash_attn-2.7.4.post1+cu12torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")
d = slim.pip_install("https://github.com/someone/wheels/releases/download/v1/thing-1.0+cu12torch2.6-cp311-cp311-linux_x86_64.whl")
e = slim.pip_install("https://github.com/dao-ailab/Flash-Attention/releases/download/v2.7.4.post1/flash_attn-2.7.4.post1+cu12torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")
