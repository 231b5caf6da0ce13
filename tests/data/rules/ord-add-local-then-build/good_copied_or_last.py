import modal

COPY = True
base = modal.Image.debian_slim(python_version="3.12").add_local_dir("src", "/root/src", copy=COPY).pip_install("numpy==1.26.4")
one = base.add_local_file("a.txt", "/root/a.txt")
two = base.env({"A": "1"}).add_local_python_source("pkg")
app = modal.App("a", image=one)
