from dataclasses import dataclass

import modal


@dataclass
class Config:
    gpu: str = "L40S"
    hours: int = 1


def load(path=None, **overrides):
    data = read(path) if path or find() else {}
    data.update({k: v for k, v in overrides.items() if v is not None})
    return Config(**data)


def default_or_file():
    found = find()
    if found is None:
        return Config()
    return Config(**read(found))


options = {} if unknown() else foreign.options
options["timeout"] = 60
packages = ["a"] if unknown() else foreign.packages
packages.append("b")
app = modal.App("loaded")


@app.function(gpu=load(hours=2).gpu)
def never_the_default():
    pass


@app.function(gpu=default_or_file().gpu, timeout=default_or_file().hours * 3600)
def not_one_of_two():
    pass


@app.function(**options)
def spread():
    pass


@app.function(image=modal.Image.debian_slim("3.12").pip_install(*packages))
def listed():
    pass
