import modal

app = modal.App("x")
mount = modal.Mount.from_local_dir("src", remote_path="/root/src")  # expect: dep-mount-removed


@app.function(mounts=[mount])  # expect: dep-mount-removed
def f():
    pass
