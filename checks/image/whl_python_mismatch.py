"""A wheel's Python is the Python of the image.

Looks at   addresses of wheels whose name says cpXY, and the Python of the image.  abi3 and py3 wheels fit any.
Why        "ERROR: …-cp310-cp310-linux_x86_64.whl is not a supported wheel on this platform".
Before     debian_slim(python_version="3.11").pip_install("https://…-cp310-cp310-linux_x86_64.whl")
After      debian_slim(python_version="3.11").pip_install("https://…-cp311-cp311-linux_x86_64.whl")
Source     PEP 425, compatibility tags; pip 25, "is not a supported wheel on this platform"
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    base_of,
    counted,
    error,
    over_images,
    package_where,
    python_of,
    rule,
    wheel_name,
)


def applies(recipe: Recipe) -> str:
    return counted(
        sum(bool(p.url and wheel_name(p.url)) for i in recipe.images for _, s in i.pip_installs() for p in s.packages),
        "wheel by its address",
        "wheels by their address",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    python = python_of(image)
    base = base_of(image)
    if python is None or base is None or not (base.is_slim or base.adds_python):
        return
    for n, install in image.pip_installs():
        if any(s.method in ("uv_sync", "micromamba_install") for s in image.steps[:n]):
            return
        if {"--python", "-p", "--target", "-t", "--prefix"} & {*install.options}:
            continue
        for package in install.packages:
            name = wheel_name(package.url) if package.url and not package.marker else None
            if name is not None and name.python is not None and name.python != python:
                yield error(
                    f"the wheel of {name.name} is for Python {name.python}, and the image has Python {python}",
                    f"take the file that says cp{python.replace('.', '')}, or Python {name.python} for the image",
                    package_where(image.steps[n], install, package),
                    why="pip stops with: is not a supported wheel on this platform",
                )


CHECK = rule(
    id="IMG480",
    name="whl-python-mismatch",
    title="a wheel's Python is the Python of the image",
    find=find,
    applies=applies,
)
