import modal

slim = modal.Image.debian_slim(python_version="3.11").apt_install("libgl1-mesa-glx", "git")  # expect: ver-apt-gone
noble = (
    modal.Image.from_registry("nvidia/cuda:12.8.1-devel-ubuntu24.04", add_python="3.11")
    .run_commands("apt-get update && apt-get install -y libgl1-mesa-glx")  # expect: ver-apt-gone
)
app = modal.App("a", image=slim)

# What the rule says of this file:
# 3:67 warning: Debian trixie, which Image Builder 2026.10 uses, has no apt package libgl1-mesa-glx
#     why: apt stops with: Unable to locate package
#     remedy: install libgl1 in its place
#     fix (safe):
#         line 3: '"libgl1-mesa-glx"' -> '"libgl1"'
# 6:38 error: ubuntu24.04 has no apt package libgl1-mesa-glx
#     why: apt stops with: Unable to locate package
#     remedy: install libgl1 in its place
