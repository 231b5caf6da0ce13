import modal

app = modal.App("x")
image = modal.Image.debian_slim()
if hasattr(image, "add_local_dir"):
    image = image.add_local_dir("src", "/root/src")
    mounts = []
else:
    mounts = [modal.Mount.from_local_dir("src", remote_path="/root/src")]


@app.function(image=image)
def f(mounts=()):
    pass
