import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    ". /venv/bin/activate && pip install wheel",
    "bash -c 'source /venv/bin/activate && pip install wheel'",
    "echo source of truth",
)
other = modal.Image.debian_slim(python_version="3.11").shell(["/bin/bash", "-c"]).run_commands("source /venv/bin/activate && pip list")
foreign = modal.Image.from_registry("ghcr.io/team/base:1").run_commands("source /opt/env.sh && make")
app = modal.App("a", image=image)
