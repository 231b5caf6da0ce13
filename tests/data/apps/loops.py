import os

import modal

app = modal.App("loops")
gpu = "T4"
secrets = [modal.Secret.from_name("always")]
packages = ["torch"]
timeout = 60
image = modal.Image.debian_slim("3.12")

for name in os.listdir("."):
    gpu = "H100"
    secrets.append(modal.Secret.from_name("once"))
    packages.append("more")
    image = image.add_local_file(name, "/root/x", copy=True)

while os.environ["AGAIN"]:
    timeout = timeout * 2

for size in ():
    timeout = 0


@app.function(image=image.pip_install(*packages), gpu=gpu, secrets=secrets, timeout=timeout)
def go():
    pass
