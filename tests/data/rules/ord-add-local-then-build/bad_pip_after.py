import modal

image = (
    modal.Image.debian_slim(python_version="3.12")
    .add_local_dir("src", "/root/src")  # expect: ord-add-local-then-build
    .pip_install("numpy==1.26.4")
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 5:6 error: add_local_dir mounts files, and pip_install (line 6) builds on top of them
#     why: the client refuses the image: nothing is built
#     remedy: move add_local_dir to the end of the chain, or give it copy=True when pip_install reads the files
#     fix (safe):
#         line 5: '' -> ', copy=True'
