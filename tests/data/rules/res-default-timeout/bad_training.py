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

# What the rule says of this file:
# 6:6 warning: train trains on a GPU (train trains by its name) and has no timeout: Modal ends it after 300 s
#     why: the run stops after 300 s; the GPU is paid and nothing is learned
#     remedy: set timeout= to what the run needs, up to 86400
# 11:6 warning: go trains on a GPU (it runs torchrun) and has no timeout: Modal ends it after 300 s
#     why: the run stops after 300 s; the GPU is paid and nothing is learned
#     remedy: set timeout= to what the run needs, up to 86400
# 18:6 warning: Job trains on a GPU (it calls self.trainer.fit()) and has no timeout: Modal ends it after 300 s
#     why: the run stops after 300 s; the GPU is paid and nothing is learned
#     remedy: set timeout= to what the run needs, up to 86400
