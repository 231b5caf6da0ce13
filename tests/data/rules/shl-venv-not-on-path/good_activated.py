import subprocess

import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.run_commands("cd /app && python -m venv venv", "uv pip list", "virtualenv", "python -m pip list", "uv cache")
b = slim.env({"VIRTUAL_ENV": "/opt/b"}).run_commands("python -m venv /opt/b")
c = slim.uv_sync().run_commands("python -m venv /opt/c")
e = slim.run_commands("python -m venv /opt/tools/e/", "/opt/tools/e/bin/pip list")
f = slim.run_commands("python -m venv /opt/deep/f/")
g = slim.run_commands("venv /opt/g", "uv run /opt/g")
app = modal.App("a", image=a)


@app.function()
def train():
    subprocess.run(["bash", "-c", "cd /app && . venv/bin/activate && python train.py"])
    subprocess.run("source '/opt/deep/f/bin/activate'; python train.py", shell=True)
