import modal

image = modal.Image.debian_slim(python_version=3.11)  # expect: ver-python-type
other = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11.5")  # expect: ver-python-type
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:33 error: python_version=3.11 is a number; 3.10 would be 3.1
#     why: the client refuses the file before anything is built
#     remedy: write python_version="3.11"
#     fix (safe):
#         line 3: '3.11' -> '"3.11"'
# 4:75 error: add_python="3.11.5" names a patch release; Modal takes two numbers
#     why: the client refuses the image
#     remedy: write add_python="3.11"
#     fix (safe):
#         line 4: '3.11.5' -> '3.11'
