import modal

app = modal.App("x")
N = 16


@app.function(gpu=f"H100:{N}")  # expect: res-gpu-count
def a():
    pass


@app.function(gpu="A10G:8")  # expect: res-gpu-count
def b():
    pass


@app.function(gpu="A100:two")  # expect: res-gpu-count
def c():
    pass

# What the rule says of this file:
# 7:15 error: 'H100:16' asks for 16 GPUs; a container has 1 to 8 of H100
#     why: the service refuses it when the app is deployed, after the image was built
#     remedy: write H100:8; more need several containers (modal.clustered)
# 12:19 error: 'A10G:8' asks for 8 GPUs; a container has 1 to 4 of A10G
#     why: the service refuses it when the app is deployed, after the image was built
#     remedy: write A10G:4; more need several containers (modal.clustered)
#     fix (safe):
#         line 12: '"A10G:8"' -> '"A10G:4"'
# 17:19 error: 'A100:two': 'two' is not a GPU count
#     why: the client refuses it before anything is deployed
#     remedy: write a number from 1 to 8 after the colon
