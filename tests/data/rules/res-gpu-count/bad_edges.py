import modal

app = modal.App("x")


@app.function(gpu="H100:0")  # expect: res-gpu-count
def a(): ...


@app.function(gpu="H100:9")  # expect: res-gpu-count
def b(): ...


@app.function(gpu=["T4", 'any:9'])  # expect: res-gpu-count
def c(): ...


@app.function(gpu="A10:5")  # expect: res-gpu-count
def d(): ...


@app.function(gpu="L4:")  # expect: res-gpu-count
def e(): ...

# What the rule says of this file:
# 6:19 error: 'H100:0' asks for 0 GPUs; a container has 1 to 8 of H100
#     why: the service refuses it when the app is deployed, after the image was built
#     remedy: write H100:1; more need several containers (modal.clustered)
#     fix (safe):
#         line 6: '"H100:0"' -> '"H100:1"'
# 10:19 error: 'H100:9' asks for 9 GPUs; a container has 1 to 8 of H100
#     why: the service refuses it when the app is deployed, after the image was built
#     remedy: write H100:8; more need several containers (modal.clustered)
#     fix (safe):
#         line 10: '"H100:9"' -> '"H100:8"'
# 14:26 error: 'any:9' asks for 9 GPUs; a container has 1 to 8 of ANY
#     why: the service refuses it when the app is deployed, after the image was built
#     remedy: write any:8; more need several containers (modal.clustered)
#     fix (safe):
#         line 14: "'any:9'" -> "'any:8'"
# 18:19 error: 'A10:5' asks for 5 GPUs; a container has 1 to 4 of A10
#     why: the service refuses it when the app is deployed, after the image was built
#     remedy: write A10:4; more need several containers (modal.clustered)
#     fix (safe):
#         line 18: '"A10:5"' -> '"A10:4"'
# 22:19 error: 'L4:': '' is not a GPU count
#     why: the client refuses it before anything is deployed
#     remedy: write a number from 1 to 8 after the colon
