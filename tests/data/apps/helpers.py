import os

from modal import App, Image, Secret, Volume, enter, method

SRC = "src"
COMMON = dict(timeout=600, secrets=[Secret.from_name("shared")])
PATHS = {"/data": Volume.from_name("data")}


def build(cuda="12.8.1", extra=(), *, python: str = "3.11"):
    made = Image.from_registry(f"nvidia/cuda:{cuda}-devel-ubuntu22.04", add_python=python)
    if extra:
        made = made.uv_pip_install(*extra)
    return made


def with_src(img):
    return img.add_local_dir(SRC, "/root/src")


def tools(img: Image, *names) -> Image:
    return img.apt_install(*names)


app = App("helpers")
plain = build()
rich = with_src(build("12.4.1", extra=["torch==2.5.1"]))
piped = Image.debian_slim().pipe(tools, "git", "curl").pipe(with_src)
lambdas = Image.debian_slim().pipe(lambda i: i.pip_install("x"))


@app.function(image=plain, gpu="T4", **COMMON)
def one():
    pass


@app.function(image=rich, volumes={**PATHS, "/out": Volume.from_name("out")}, **{**COMMON, "timeout": 60})
def two():
    pass


@app.cls(image=piped, gpu="A10G", volumes=PATHS)
class Three:
    @enter()
    def load(self):
        pass

    @method()
    def go(self):
        return os.environ["KEY"]


@app.function(image=lambdas)
def four():
    pass
