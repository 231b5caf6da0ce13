import modal

app = modal.App("x")


@app.function(ephemeral_disk=3145729)  # expect: res-ephemeral-disk
def a(): ...


@app.function(ephemeral_disk=524287)  # expect: res-ephemeral-disk
def b(): ...

# What the rule says of this file:
# 6:15 error: ephemeral_disk is 3145729 MiB; the most is 3145728 MiB (3 TiB)
#     why: the deploy is refused after the image was built
#     remedy: set ephemeral_disk=3145728 or less, and keep large data on a Volume
# 10:15 info: ephemeral_disk is 524287 MiB; every container has 524288 MiB (512 GiB) without asking
#     remedy: leave it out; the unit is MiB
