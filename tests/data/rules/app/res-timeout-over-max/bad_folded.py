import modal

app = modal.App("x")
DAY = 24 * 60 * 60
COMMON = {"cpu": 2}


@app.function(
    gpu="A100-80GB",
    timeout=30 * 3600,  # expect: res-timeout-over-max
)
def train():
    pass


@app.function(timeout=DAY + 1, **COMMON)  # expect: res-timeout-over-max
def longer():
    pass


@app.cls(timeout=None)  # expect: res-timeout-over-max
class Model:
    @modal.method()
    def run(self):
        pass


@app.function(timeout=5)  # expect: res-timeout-over-max
def short():
    pass


def start():
    modal.Sandbox.create(app=app, timeout=100_000)  # expect: res-timeout-over-max
