import modal

app = modal.App("x")
vol = modal.Volume.from_name("v", create_if_missing=True)


@app.function(volumes={"/data": vol, "/cache": vol})  # expect: sto-volume-twice
def a():
    pass

# What the rule says of this file:
# 7:15 error: the Volume 'v' is mounted at /data and /cache; one function may mount it once
#     why: the client raises InvalidError before anything runs
#     remedy: mount it at one path and use folders below
