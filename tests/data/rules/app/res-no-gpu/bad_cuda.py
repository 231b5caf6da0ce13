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
