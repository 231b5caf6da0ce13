import modal

options = load_options()


def safe():
    try:
        model().cuda()
    except RuntimeError:
        pass


slim = modal.Image.debian_slim(python_version="3.12").pip_install("torch==2.4.1")
a = slim.run_commands("nvidia-smi", **options)
b = slim.run_commands("echo model.cuda()", "grep nvidia-smi /etc/x", "A=1", "python train.py")
c = slim.run_function(safe)
d = slim.run_function(load_function())
e = slim.run_function(raw_f=safe)
