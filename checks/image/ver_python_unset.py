"""The image names its Python.

Looks at   `debian_slim()` without `python_version`, and wheels of one Python (cp311) in the same image.
Why        Modal then takes the Python of the machine that runs `modal deploy`: another laptop, another image.
Before     modal.Image.debian_slim().pip_install("https://…-cp311-cp311-linux_x86_64.whl")
After      modal.Image.debian_slim(python_version="3.11").pip_install("https://…-cp311-cp311-linux_x86_64.whl")
Source     modal/_image.py 1.6.4
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    add_argument,
    advice,
    base_of,
    counted,
    over_images,
    rule,
    warning,
    wheel_name,
)


def applies(recipe: Recipe) -> str:
    return counted(sum((b := base_of(i)) is not None and b.is_slim for i in recipe.images), "debian_slim image")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is None or not base.is_slim or base.step.args or "python_version" in base.step.kwargs:
        return
    if "**" in base.step.kwargs:
        return
    wheels = [w for _, i in image.pip_installs() for p in i.packages if p.url and (w := wheel_name(p.url)) and w.python]
    said = f", and the wheel of {wheels[0].name} is for Python {wheels[0].python}" if wheels else ""
    right = wheels[0].python if wheels and wheels[0].python else "3.11"
    say = warning if wheels else advice
    yield say(
        f"debian_slim takes the Python of whoever deploys{said}",
        f'write debian_slim(python_version="{right}")',
        base.step.where,
        why="another machine builds another image, and wheels of one Python do not install",
        fix=add_argument(recipe, base.step, f'python_version="{right}"', is_safe=False) if wheels else None,
    )


CHECK = rule(
    id="IMG380",
    name="ver-python-unset",
    title="the image names its Python",
    find=find,
    applies=applies,
)
