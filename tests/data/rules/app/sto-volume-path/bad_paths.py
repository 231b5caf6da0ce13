import modal

app = modal.App("x")
vol = modal.Volume.from_name("v", create_if_missing=True)


@app.function(volumes={"data": vol})  # expect: sto-volume-path
def a():
    pass


@app.function(
    volumes={
        "/root": vol,  # expect: sto-volume-path
    }
)
def b():
    pass


@app.function(volumes={"/data/../x": vol})  # expect: sto-volume-path
def c():
    pass
