import modal

slim = modal.Image.debian_slim(python_version="3.12")
a = slim.pip_install("torch~=2.4.1")
b = slim.run_commands("pip install --constraint pins.txt torch")
c = slim.pip_install("torch", "vllm==0.8.0")
