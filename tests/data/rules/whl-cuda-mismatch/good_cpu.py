import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.pip_install("torch==2.4.1", index_url="https://download.pytorch.org/whl/cpu").pip_install("https://example.com/flash_attn-2.8.3+cu11torch2.4cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")
b = slim.pip_install("torch==2.4.1").pip_install("https://example.com/thing-1.0-cp311-cp311-linux_x86_64.whl")
