import modal

app = modal.App("x")


@app.function(timeout=3600)  # expect: res-no-gpu
def train():
    import torch

    model = torch.nn.Linear(2, 2).cuda()
    return model


@app.cls()  # expect: res-no-gpu
class Model:
    @modal.enter()
    def load(self):
        self.model = make().to("cuda")

# What the rule says of this file:
# 6:6 warning: train uses CUDA (line 10: torch.nn.Linear(2, 2).cuda()) and has no gpu=
#     why: the container has no GPU; the first CUDA call raises
#     remedy: add gpu= to its decorator, such as gpu="A100-80GB"
# 14:6 warning: Model uses CUDA (line 18: make().to("cuda")) and has no gpu=
#     why: the container has no GPU; the first CUDA call raises
#     remedy: add gpu= to its decorator, such as gpu="A100-80GB"
