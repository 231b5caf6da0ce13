# builder: 2026.10
import modal

image = modal.Image.debian_slim(python_version="3.10")  # expect: ver-python-unsupported
app = modal.App("a", image=image)

# What the rule says of this file:
# 4:33 error: python_version='3.10': Image Builder 2026.10 has no Python 3.10; it goes from 3.11 to 3.15
#     why: the image is refused before its first step
#     remedy: use python_version="3.11"
#     fix (unsafe):
#         line 4: '3.10' -> '3.11'
