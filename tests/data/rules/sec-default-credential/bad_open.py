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

# What the rule says of this file:
# 5:1 warning: JUPYTER_TOKEN has a value that stands in the file, and the server is open to the internet
#     why: anybody who has read the file gets in
#     remedy: take it from a Secret, and make a random one when there is none
# 13:16 warning: VNC_PASSWORD has a value that stands in the file, and the server is open to the internet
#     why: anybody who has read the file gets in
#     remedy: take it from a Secret, and make a random one when there is none
