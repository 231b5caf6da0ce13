import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.5.1", "torch-geometric==2.6.1")
    .pip_install("torch-scatter", find_links="https://data.pyg.org/whl/torch-2.5.0+cu124.html")
    .run_commands("pip install torch-sparse -f https://data.pyg.org/whl/torch-2.5.0+cu124.html")
)
app = modal.App("a", image=image)
