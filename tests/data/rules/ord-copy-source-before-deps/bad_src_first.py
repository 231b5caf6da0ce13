import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .add_local_dir("src", "/root/src", copy=True)  # expect: ord-copy-source-before-deps
    .pip_install("torch==2.4.1")
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 5:6 warning: add_local_dir copies code before pip_install (line 6) installs heavy packages
#     why: each edit of the code downloads and compiles everything below again
#     remedy: move add_local_dir below it
