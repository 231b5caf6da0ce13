import modal


def fetch():
    pass


image = (
    modal.Image.debian_slim().run_commands("python build.py", gpu="H100").run_function(fetch, gpu=["H100", "A100"])
)
