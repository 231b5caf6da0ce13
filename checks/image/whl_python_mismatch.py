"""A wheel's Python is the Python of the image.

Looks at
    Addresses of wheels whose name has cpXY, and the Python of the image. abi3 and py3 wheels fit any.
Why it matters
    pip stops with "ERROR: …-cp310-cp310-linux_x86_64.whl is not a supported wheel on this platform".
Example
    before   debian_slim(python_version="3.11").pip_install("https://…-cp310-cp310-linux_x86_64.whl")
    after    debian_slim(python_version="3.11").pip_install("https://…-cp311-cp311-linux_x86_64.whl")
How to fix
    Take the file of the image's Python, or that Python for the image.
Source
    PEP 425, compatibility tags; pip 25, "is not a supported wheel on this platform"
"""

from preflight.api import Findings, Recipe, build, error, rule
from preflight.rules.subjects import WHEELS, Package

OTHER_MANAGERS = ("uv_sync", "micromamba_install")
ELSEWHERE = frozenset({"--python", "-p", "--target", "-t", "--prefix"})


@rule("IMG480", WHEELS)
def find(recipe: Recipe, package: Package) -> Findings:
    wheel, python, base = package.wheel, build.python_of(package.image), build.base_of(package.image)
    if python is None or base is None or not (base.is_slim or base.adds_python) or package.package.marker:
        return
    if any(s.method in OTHER_MANAGERS for s in package.image.steps[: package.n]) or ELSEWHERE & {*package.pip.options}:
        return
    if wheel is not None and wheel.python is not None and wheel.python != python:
        yield error(
            f"the wheel of {wheel.name} is for Python {wheel.python}, and the image has Python {python}",
            f"take the file that says cp{python.replace('.', '')}, or Python {wheel.python} for the image",
            package.where,
            why="pip stops with: is not a supported wheel on this platform",
        )
