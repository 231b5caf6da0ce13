import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "CC=gcc CXX=g++ pip install -v --no-build-isolation mamba-ssm>=2.0.0",  # expect: shl-unquoted-specifier
    "pip install 'wheel' numpy<2 einops",  # expect: shl-unquoted-specifier
    "uv pip install --system transformers>=4.45,<5",  # expect: shl-unquoted-specifier
)
app = modal.App("a", image=image)
