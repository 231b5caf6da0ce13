import modal

app = modal.App("x")
MOUNTS = load_mounts()
v = modal.Volume.from_name("v", create_if_missing=True)
SAME = {"/data": v, "/data/": v}


@app.function(
    volumes={
        "/a": modal.Volume.from_name("v", environment_name="main"),
        "/b": modal.Volume.from_name("v", environment_name="dev"),
    }
)
def a(): ...


@app.function(volumes=MOUNTS)
def b(): ...


@app.function(volumes=SAME)
def c(): ...
