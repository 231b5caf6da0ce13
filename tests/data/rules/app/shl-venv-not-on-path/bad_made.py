import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "python -m venv /opt/venv",  # expect: shl-venv-not-on-path
    ". /opt/venv/bin/activate && pip install torch==2.6.0",
)
app = modal.App("a", image=image)
