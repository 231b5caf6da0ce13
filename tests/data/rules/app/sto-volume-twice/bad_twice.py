import modal

app = modal.App("x")
vol = modal.Volume.from_name("v", create_if_missing=True)


@app.function(volumes={"/data": vol, "/cache": vol})  # expect: sto-volume-twice
def a():
    pass
