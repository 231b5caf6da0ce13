import modal

on_path = (
    modal.Image.debian_slim(python_version="3.11")
    .run_commands("uv venv /opt/venv --python 3.11")
    .env({"PATH": "/opt/venv/bin:$PATH"})
)
by_name = modal.Image.debian_slim(python_version="3.11").run_commands(
    "python -m venv /opt/tool",
    "/opt/tool/bin/pip install ruff",
)
app = modal.App("a", image=on_path)
