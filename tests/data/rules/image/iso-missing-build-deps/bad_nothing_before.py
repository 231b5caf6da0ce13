import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CC": "gcc", "CXX": "g++"})
    .pip_install("torch==2.2.2", "numpy<2")
    .run_commands("pip install -v --no-build-isolation mamba-ssm==2.2.2")  # expect: iso-missing-build-deps
)
same_call = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.2.2", "numpy<2")
    .pip_install("packaging", "mamba-ssm==2.2.2", extra_options="--no-build-isolation")  # expect: iso-missing-build-deps
)
app = modal.App("a", image=image)
