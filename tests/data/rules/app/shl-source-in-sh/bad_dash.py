import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "python -m venv /venv && source /venv/bin/activate && pip install wheel",  # expect: shl-source-in-sh
    "source $HOME/.cargo/env && cargo build",  # expect: shl-source-in-sh
)
app = modal.App("a", image=image)
