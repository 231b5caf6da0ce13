import os

import modal

JUPYTER_TOKEN = "1234"  # expect: sec-default-credential
app = modal.App("a")


@app.function(gpu="A100")
def notebook():
    import subprocess

    password = os.environ.get("VNC_PASSWORD", "modal")  # expect: sec-default-credential
    with modal.forward(8888) as tunnel:
        subprocess.Popen(["jupyter", "lab", f"--token={JUPYTER_TOKEN}", password])
        print(tunnel.url)
