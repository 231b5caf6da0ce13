import modal

app = modal.App("x")
KIND = "RTX4090"


@app.function(gpu="A100-80")  # expect: res-gpu-unknown
def a():
    pass


@app.function(gpu=f"{KIND}:2")  # expect: res-gpu-unknown
def b():
    pass


@app.function(gpu=["H100", "V100"])  # expect: res-gpu-unknown
def c():
    pass

# What the rule says of this file:
# 7:19 error: Modal has no GPU 'A100-80'; it has GPU NAMES (read DATE)
#     why: App.function is refused when the app is deployed, after the image was built
#     remedy: write A100-80GB
#     fix (safe):
#         line 7: '"A100-80"' -> '"A100-80GB"'
# 12:15 error: Modal has no GPU 'RTX4090:2'; it has GPU NAMES (read DATE)
#     why: App.function is refused when the app is deployed, after the image was built
#     remedy: choose a GPU that Modal has
# 17:28 error: Modal has no GPU 'V100'; it has GPU NAMES (read DATE)
#     why: App.function is refused when the app is deployed, after the image was built
#     remedy: choose a GPU that Modal has
