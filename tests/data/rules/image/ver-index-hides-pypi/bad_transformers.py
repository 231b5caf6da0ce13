import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1", "transformers", index_url="https://download.pytorch.org/whl/cu121")  # expect: ver-index-hides-pypi
shell = modal.Image.debian_slim(python_version="3.11").run_commands("pip install torch==2.4.1 accelerate --index-url https://download.pytorch.org/whl/cu121")  # expect: ver-index-hides-pypi
app = modal.App("a", image=image)
