import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.6.0", index_url="https://download.pytorch.org/whl/cu124")
    .run_commands("pip install -i http://localhost:8080/simple ninja", "curl http://example.com/data.json")
)
app = modal.App("a", image=image)
