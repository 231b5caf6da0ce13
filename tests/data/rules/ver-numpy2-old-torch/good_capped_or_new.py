import os

import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2").pip_install("numpy<2")
b = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2", "numpy==1.26.4")
c = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.3.1", "numpy")
d = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2", os.environ["X"])
e = modal.Image.debian_slim(python_version="3.11").pip_install("torch==1.13.1", "numpy")
app = modal.App("a", image=a)
