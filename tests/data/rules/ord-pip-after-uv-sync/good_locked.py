import os

import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.uv_sync("locked").pip_install("einops")
b = slim.uv_sync(uv_project_dir="locked").pip_install("einops")
c = slim.uv_sync(os.environ["PROJECT"]).pip_install("einops")
d = slim.uv_sync().run_commands("python -m ensurepip").pip_install("einops")
e = slim.uv_sync().uv_pip_install("pip").pip_install("einops")
f = slim.uv_sync("\0").pip_install("einops")
g = slim.uv_sync("elsewhere").apt_install("git").uv_pip_install("wheel").pip_install("einops")
