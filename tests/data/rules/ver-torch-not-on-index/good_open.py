import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.pip_install("torch==2.5.7", index_url="https://download.pytorch.org/whl/nightly/cu124")
b = slim.pip_install("torch==2.5.7", index_url="https://mirror.example.com/simple")
c = slim.pip_install("torch==2.5")
d = slim.pip_install("torch==2.5.1+rocm6.2")
e = slim.pip_install("torch==2.5.1", index_url="https://download.pytorch.org/whl/cu124/123")
