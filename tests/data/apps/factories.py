import os
from dataclasses import dataclass

import modal as m


class Config:
    GPU = "A100-40GB"
    HOURS = 2
    image = m.Image.debian_slim().pip_install("in-class")


@dataclass
class Settings:
    gpu: str = "L4"
    timeout: int = 100


settings = Settings(timeout=200)
app = m.App("factories")


@app.function(gpu=Config.GPU, timeout=Config.HOURS * 3600, image=Config.image)
def from_class():
    pass


@app.function(gpu=settings.gpu, timeout=settings.timeout)
def from_dataclass():
    pass


def register(gpu):
    @app.function(gpu=gpu, name=f"on-{gpu}", serialized=True)
    def worker():
        pass

    return worker


for each in ("T4", "L4"):
    register(each)


def sandbox():
    inner = m.Image.debian_slim().apt_install("git")
    return m.Sandbox.create("bash", image=inner, app=app)


@app.function(gpu="A100" if m.is_local() else "H100", timeout=int(os.environ.get("LIMIT", "60")) * 2)
def conditional():
    pass


by_hand = app.function(gpu="T4")(lambda: 1)


def worker_body():
    pass


applied = app.function(gpu="B200", timeout=30)(worker_body)
