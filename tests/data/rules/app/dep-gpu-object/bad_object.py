import modal
from modal import App, gpu  # expect: dep-gpu-object

app = App("x")


@app.function(gpu=modal.gpu.A100(count=4, size="80GB"))  # expect: dep-gpu-object
def a():
    pass


@app.function(gpu=gpu.T4())  # expect: dep-gpu-object
def b():
    pass
