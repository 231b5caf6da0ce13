import modal

app = modal.App("x")
vol = modal.Volume.from_name("v", create_if_missing=True)
MOUNTS = {"cache/": vol}


@app.function(volumes={"": vol})  # expect: sto-volume-path
def a(): ...


@app.function(volumes={"/": vol})  # expect: sto-volume-path
def b(): ...


@app.function(volumes={"/tmp/": vol})  # expect: sto-volume-path
def c(): ...


@app.function(volumes={'//data': vol})  # expect: sto-volume-path
def d(): ...


@app.function(volumes={"root": vol})  # expect: sto-volume-path
def e(): ...


@app.function(
    cpu=1,
    volumes=MOUNTS,  # expect: sto-volume-path
)
def f(): ...


@app.function(
    network_file_systems={
        "/nfs": modal.NetworkFileSystem.from_name("n"),
        "nfs": modal.NetworkFileSystem.from_name("m"),  # expect: sto-volume-path
    }
)
def g(): ...

# What the rule says of this file:
# 8:24 error: a mount at ''; wanted an absolute path without '..'
#     why: InvalidError when the file is imported
#     remedy: mount it below /, such as /data
# 12:24 error: a mount at '/': the client refuses /, /root, /tmp
#     why: InvalidError when the file is imported
#     remedy: mount it below, such as /data
# 16:24 error: a mount at '/tmp/': the client refuses /, /root, /tmp
#     why: InvalidError when the file is imported
#     remedy: mount it below, such as /data
# 20:24 error: a mount at '//data'; wanted an absolute path without '..'
#     why: InvalidError when the file is imported
#     remedy: write '/data'
#     fix (safe):
#         line 20: "'//data'" -> "'/data'"
# 24:24 error: a mount at 'root'; wanted an absolute path without '..'
#     why: InvalidError when the file is imported
#     remedy: mount it below /, such as /data
# 30:5 error: a mount at 'cache/'; wanted an absolute path without '..'
#     why: InvalidError when the file is imported
#     remedy: write '/cache'
# 38:9 error: a mount at 'nfs'; wanted an absolute path without '..'
#     why: InvalidError when the file is imported
#     remedy: write '/nfs'
#     fix (safe):
#         line 38: '"nfs"' -> '"/nfs"'
