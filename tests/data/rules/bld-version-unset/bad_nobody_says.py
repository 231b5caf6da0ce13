import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.6.0")  # expect: bld-version-unset
other = modal.Image.debian_slim(python_version="3.12")
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:21 info: nothing gives the version of the Image Builder
#     remedy: give --builder, or let `preflight run` read it from the workspace
