import modal

image = (
    modal.Image.debian_slim(python_version="3.12")
    .pip_install("torch==2.4.1", "numpy")
    .pip_install("torch", "einops")
)
other = modal.Image.debian_slim(python_version="3.12").run_commands("pip install -c pins.txt torch")
app = modal.App("a", image=image)
