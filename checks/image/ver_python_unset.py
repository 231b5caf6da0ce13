"""The image names its Python.

Looks at
    `debian_slim()` without `python_version`, and wheels of one Python (cp311) in the same image.
Why it matters
    Modal then takes the Python of the machine that runs `modal deploy`: another laptop, another image.
Example
    before   modal.Image.debian_slim().pip_install("https://…-cp311-cp311-linux_x86_64.whl")
    after    modal.Image.debian_slim(python_version="3.11").pip_install("https://…-cp311-cp311-linux_x86_64.whl")
How to fix
    Write `debian_slim(python_version="3.11")`, with the Python of your wheels.
Source
    modal/_image.py 1.6.4
"""

from preflight.api import Findings, Recipe, advice, app, rule, warning
from preflight.rules.subjects import BASES, WHEELS, Started


@rule("IMG380", BASES.only(lambda i: i.base.is_slim, "debian_slim image"))
def find(recipe: Recipe, started: Started) -> Findings:
    step = started.base.step
    if step.args or {"python_version", "**"} & step.kwargs.keys():
        return
    wheel = next((w for p in WHEELS.of(recipe) if p.image is started.image and (w := p.wheel) and w.python), None)
    right = wheel.python if wheel is not None else "3.11"
    say = warning if wheel else advice
    yield say(
        "debian_slim takes the Python of whoever deploys"
        + (f", and the wheel of {wheel.name} is for Python {wheel.python}" if wheel else ""),
        f'write debian_slim(python_version="{right}")',
        step.where,
        why="another machine builds another image, and wheels of one Python do not install",
        fix=app.add_argument(recipe, step, f'python_version="{right}"', is_safe=False) if wheel else None,
    )
