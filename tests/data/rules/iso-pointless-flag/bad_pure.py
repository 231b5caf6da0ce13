import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("transformers==4.57.0", "accelerate==1.0.0", extra_options="--no-build-isolation")  # expect: iso-pointless-flag
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:113 info: --no-build-isolation does nothing for transformers, accelerate: they come as wheels
#     remedy: leave the flag out
#     fix (safe):
#         line 3: ', extra_options="--no-build-isolation"' -> ''
