import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("transformers", "flash-attn==2.6.3", extra_options="--no-build-isolation")
b = modal.Image.debian_slim(python_version="3.11").pip_install("some-unknown-package", extra_options="--no-build-isolation")
c = modal.Image.debian_slim(python_version="3.11").run_commands("pip install --no-build-isolation -e .")
app = modal.App("a", image=a)
