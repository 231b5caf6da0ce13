import modal

app = modal.App("x")
NAME = "H200-141GB"


@app.function(gpu="NVIDIA H100:2")  # expect: res-gpu-unknown
def a(): ...


@app.function(gpu="tesla_t4")  # expect: res-gpu-unknown
def b(): ...


@app.function(gpu=NAME)  # expect: res-gpu-unknown
def c(): ...


@app.function(gpu="A100_80GB:99")  # expect: res-gpu-unknown
def d(): ...


@app.function(gpu="RTX 6000 PRO:many")  # expect: res-gpu-unknown
def e(): ...


@app.cls(gpu="A100-60GB")  # expect: res-gpu-unknown
class F: ...


@app.function(gpu=["A100-40G", "L40-S"])  # expect: res-gpu-unknown
def g(): ...


@app.function(gpu="H100X")  # expect: res-gpu-unknown
def h(): ...

# What the rule says of this file:
# 7:19 error: Modal has no GPU 'NVIDIA H100:2'; it has GPU NAMES (read DATE)
#     why: App.function is refused when the app is deployed, after the image was built
#     remedy: write H100:2
#     fix (safe):
#         line 7: '"NVIDIA H100:2"' -> '"H100:2"'
# 11:19 error: Modal has no GPU 'tesla_t4'; it has GPU NAMES (read DATE)
#     why: App.function is refused when the app is deployed, after the image was built
#     remedy: write T4
#     fix (safe):
#         line 11: '"tesla_t4"' -> '"T4"'
# 15:15 error: Modal has no GPU 'H200-141GB'; it has GPU NAMES (read DATE)
#     why: App.function is refused when the app is deployed, after the image was built
#     remedy: write H200
# 19:19 error: Modal has no GPU 'A100_80GB:99'; it has GPU NAMES (read DATE)
#     why: App.function is refused when the app is deployed, after the image was built
#     remedy: write A100-80GB:8
#     fix (safe):
#         line 19: '"A100_80GB:99"' -> '"A100-80GB:8"'
# 23:19 error: Modal has no GPU 'RTX 6000 PRO:many'; it has GPU NAMES (read DATE)
#     why: App.function is refused when the app is deployed, after the image was built
#     remedy: write RTX-PRO-6000:many
#     fix (safe):
#         line 23: '"RTX 6000 PRO:many"' -> '"RTX-PRO-6000:many"'
# 27:14 error: Modal has no GPU 'A100-60GB'; it has GPU NAMES (read DATE)
#     why: App.cls is refused when the app is deployed, after the image was built
#     remedy: choose a GPU that Modal has
# 31:20 error: Modal has no GPU 'A100-40G'; it has GPU NAMES (read DATE)
#     why: App.function is refused when the app is deployed, after the image was built
#     remedy: write A100-40GB
#     fix (safe):
#         line 31: '"A100-40G"' -> '"A100-40GB"'
# 31:32 error: Modal has no GPU 'L40-S'; it has GPU NAMES (read DATE)
#     why: App.function is refused when the app is deployed, after the image was built
#     remedy: write L40S
#     fix (safe):
#         line 31: '"L40-S"' -> '"L40S"'
# 35:19 error: Modal has no GPU 'H100X'; it has GPU NAMES (read DATE)
#     why: App.function is refused when the app is deployed, after the image was built
#     remedy: write H100
#     fix (unsafe):
#         line 35: '"H100X"' -> '"H100"'
