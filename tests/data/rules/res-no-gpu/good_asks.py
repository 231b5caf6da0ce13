import modal

app = modal.App("x")


@app.function()
def careful():
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.nn.Linear(2, 2).to(device)


@app.function(gpu="T4")
def on_gpu(model):
    return model.cuda()


@app.function()
def later(model):
    return model.cuda()


@app.local_entrypoint()
def main():
    later.with_options(gpu="H100").remote()
