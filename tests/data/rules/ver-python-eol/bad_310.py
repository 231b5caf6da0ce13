import modal

image = modal.Image.debian_slim(python_version="3.10").pip_install("numpy==1.26.4")  # expect: ver-python-eol
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:33 warning: python_version="3.10": Modal warns about Python 3.10 since 2026-11-04; client 1.7 will not deploy it
#     why: the next client or builder refuses the image
#     remedy: use python_version="3.11", and the wheels of that Python
#     fix (unsafe):
#         line 3: '3.10' -> '3.11'
