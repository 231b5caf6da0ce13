import modal

slim = modal.Image.debian_slim(python_version="3.11").apt_install("libgl1-mesa-glx", "git")  # expect: ver-apt-gone
noble = (
    modal.Image.from_registry("nvidia/cuda:12.8.1-devel-ubuntu24.04", add_python="3.11")
    .run_commands("apt-get update && apt-get install -y libgl1-mesa-glx")  # expect: ver-apt-gone
)
app = modal.App("a", image=slim)
