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

# What the rule says of this file:
# 7:24 error: a mount at 'data'; wanted an absolute path without '..'
#     why: InvalidError when the file is imported
#     remedy: write '/data'
#     fix (safe):
#         line 7: '"data"' -> '"/data"'
# 14:9 error: a mount at '/root': the client refuses /, /root, /tmp
#     why: InvalidError when the file is imported
#     remedy: mount it below, such as /data
# 21:24 error: a mount at '/data/../x'; wanted an absolute path without '..'
#     why: InvalidError when the file is imported
#     remedy: write '/x'
#     fix (safe):
#         line 21: '"/data/../x"' -> '"/x"'
