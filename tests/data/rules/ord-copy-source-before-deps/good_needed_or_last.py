import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1").add_local_dir("src", "/root/src", copy=True)
needed = (
    modal.Image.debian_slim(python_version="3.11")
    .add_local_dir("vendor", "/vendor", copy=True)
    .run_commands("pip install /vendor/thing")
    .pip_install("torch==2.4.1")
)
lock = modal.Image.debian_slim(python_version="3.11").add_local_file("requirements.txt", "/r.txt", copy=True).pip_install("torch==2.4.1")
app = modal.App("a", image=image)
