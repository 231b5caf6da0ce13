import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "python -m venv /opt/venv",  # expect: shl-venv-not-on-path
    ". /opt/venv/bin/activate && pip install torch==2.6.0",
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 4:6 warning: the environment /opt/venv is made and never put on PATH
#     why: later steps and the functions run another Python, without its packages
#     remedy: add .env({"PATH": "/opt/venv/bin:$PATH"}) after it
