import modal

app = modal.App("x")


@app.cls(
    cpu=1,
    volumes={  # expect: sto-volume-twice
        "/a/": modal.Volume.from_name("v", environment_name="main"),
        "/b/": modal.Volume.from_name("v", environment_name="main"),
        "/c": modal.Volume.from_name("w"),
    },
)
class A: ...

# What the rule says of this file:
# 8:5 error: the Volume 'v' is mounted at /a and /b; one function may mount it once
#     why: the client raises InvalidError before anything runs
#     remedy: mount it at one path and use folders below
