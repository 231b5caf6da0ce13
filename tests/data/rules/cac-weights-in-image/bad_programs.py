import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.run_commands("/usr/local/bin/hf download state-spaces/mamba-130m")  # expect: cac-weights-in-image
b = slim.run_commands("/usr/bin/curl -O https://example.com/model.gguf")  # expect: cac-weights-in-image

# What the rule says of this file:
# 4:24 info: run_commands puts model weights into the image (hf download)
#     remedy: download them once into a Volume that the functions mount
# 5:24 info: run_commands puts model weights into the image (curl)
#     remedy: download them once into a Volume that the functions mount
