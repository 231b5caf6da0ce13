import modal

app = modal.App("x")


@app.function(ephemeral_disk=4 * 1024 * 1024)  # expect: res-ephemeral-disk
def a():
    pass


@app.function(ephemeral_disk=100)  # expect: res-ephemeral-disk
def b():
    pass

# What the rule says of this file:
# 6:15 error: ephemeral_disk is 4194304 MiB; the most is 3145728 MiB (3 TiB)
#     why: the deploy is refused after the image was built
#     remedy: set ephemeral_disk=3145728 or less, and keep large data on a Volume
# 11:15 info: ephemeral_disk is 100 MiB; every container has 524288 MiB (512 GiB) without asking
#     remedy: leave it out; the unit is MiB
