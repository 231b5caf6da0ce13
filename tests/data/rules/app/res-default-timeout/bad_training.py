import modal

app = modal.App("x")


@app.function(gpu="H100")  # expect: res-default-timeout
def train(epochs: int = 10):
    run(epochs)


@app.function(gpu="A100")  # expect: res-default-timeout
def go():
    import subprocess

    subprocess.run(["torchrun", "--nproc-per-node", "8", "main.py"], check=True)


@app.cls(gpu="A100")  # expect: res-default-timeout
class Job:
    @modal.method()
    def work(self):
        self.trainer.fit(self.model)
