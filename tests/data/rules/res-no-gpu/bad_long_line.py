import modal

app = modal.App("x")


@app.function()  # expect: res-no-gpu
def train(model):
    return model.prepare_everything_that_there_is(1, 2, 3).and_then_something_long().cuda()

# What the rule says of this file:
# 6:6 warning: train uses CUDA (line 8: model.prepare_everything_that_there_is(1, 2, 3).and_then_som) and has no gpu=
#     why: the container has no GPU; the first CUDA call raises
#     remedy: add gpu= to its decorator, such as gpu="A100-80GB"
