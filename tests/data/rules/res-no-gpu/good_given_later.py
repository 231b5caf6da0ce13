import modal

app = modal.App("x")
options = {"gpu": "T4"}


@app.function(**options)
def spread(model):
    return model.cuda()


@app.function()
def later(model):
    return model.cuda()


@app.function(gpu=None)
def without(model):
    return model.cuda()


@app.local_entrypoint()
def main(**more):
    later.with_options(**more).remote()
