import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.6.0")  # expect: tool-cuda-too-old-for-gpu
built = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")  # expect: tool-cuda-too-old-for-gpu
    .env({"CXX": "g++"})
    .pip_install("torch==2.8.0", "packaging", "wheel")
    .pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")
)
app = modal.App("a", image=image)


@app.function(gpu="B200")
def one():
    pass


@app.function(gpu="B200:2", image=built)
def two():
    pass
