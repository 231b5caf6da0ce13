import functools
from datetime import timedelta

import modal

app = modal.App("decorators")
image = modal.Image.debian_slim(python_version="3.12").pip_install("torch")

on_gpu = functools.partial(app.function, image=image, gpu="A10G")


def task(gpu="L4", **more):
    return app.function(image=image, gpu=gpu, **more)


def registered(fn):
    return app.function(image=image, gpu="L40S")(fn)


def timed(fn):
    @functools.wraps(fn)
    def inner(*args):
        return fn(*args)

    return inner


@on_gpu(memory=1024)
def partial():
    pass


@task(timeout=int(timedelta(hours=2).total_seconds()))
def by_helper():
    pass


@registered
def bare():
    pass


@app.function(gpu="T4")
@timed
def wrapped():
    pass


@timed
def not_on_modal():
    pass


def make(gpu, size):
    class Server:
        @modal.enter()
        def load(self):
            pass

    return app.cls(gpu=gpu, image=image, max_containers=size)(Server)


Small = make("T4", 1)


def work(x):
    return x


for n, (name, gpu) in enumerate(zip(["a", "b"], ["H100", "H200"])):
    app.function(gpu=gpu, name=f"work-{name}", timeout=60 * (n + 1))(work)
