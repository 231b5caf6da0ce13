import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.add_local_python_source("package", copy=True).pip_install("ninja").uv_pip_install("mamba-ssm==2.2.4")  # expect: ord-copy-source-before-deps
b = (
    slim.add_local_dir("src", remote_path="/opt/src/", copy=True)  # expect: ord-copy-source-before-deps
    .apt_install("git")
    .run_commands("ls /root && pip install torch==2.4.1")
    .pip_install("flash-attn==2.7.4.post1")
)

# What the rule says of this file:
# 4:10 warning: add_local_python_source copies code before uv_pip_install (line 4) installs heavy packages
#     why: each edit of the code downloads and compiles everything below again
#     remedy: move add_local_python_source below it
# 6:10 warning: add_local_dir copies code before run_commands (line 8) installs heavy packages
#     why: each edit of the code downloads and compiles everything below again
#     remedy: move add_local_dir below it
