"""A wheel's C++ ABI is torch's.

Looks at
    `cxx11abiTRUE` or `cxx11abiFALSE` in the address of a wheel, against the torch in the same name.
Why it matters
    torch up to 2.6 from PyPI was built with the old ABI, from 2.7 with the new one. The wrong file fails at import:
    "undefined symbol: …__cxx1112basic_string…".
Example
    before   flash_attn-2.7.4.post1+cu12torch2.5cxx11abiTRUE-…
    after    flash_attn-2.7.4.post1+cu12torch2.5cxx11abiFALSE-…
How to fix
    Take the file whose name has torch's ABI.
Source
    torch._C._GLIBCXX_USE_CXX11_ABI of each torch in the table; MaxiRuess 4f10e96c
"""

from preflight.api import Findings, Recipe, app, build, error, facts, rule
from preflight.rules.subjects import WHEELS, Package


@rule("IMG500", WHEELS.only(lambda p: p.wheel and p.wheel.abi, "wheel with an ABI in its name"))
def find(recipe: Recipe, package: Package) -> Findings:
    wheel, torch = package.wheel, build.torch_at_end(package.image)
    if wheel is None or wheel.torch is None or wheel.torch == "2.6":
        return  # both ABIs of 2.6 exist, by CUDA build
    if torch.held is build.Held.BASE and torch.version and facts.minor(torch.version) == wheel.torch:
        return  # a base image may have its own build of torch
    wanted = facts.has_cxx11_abi(wheel.torch)
    if wanted is None or wanted == (wheel.abi == "TRUE") or _is_same_file(wheel.name, wheel.version, wheel.torch):
        return
    right, wrong = ("TRUE", "FALSE") if wanted else ("FALSE", "TRUE")
    where, span = package.package.where, package.package.span or package.pip.span
    yield error(
        f"the wheel of {wheel.name} has cxx11abi{wrong}, and torch {wheel.torch} was built with cxx11abi{right}",
        f"take the file that says cxx11abi{right}",
        package.where,
        why="the import fails on the GPU with: undefined symbol",
        fix=app.replace_span(recipe, where, span, f"cxx11abi{wrong}", f"cxx11abi{right}", is_safe=True),
    )


def _is_same_file(name: str, version: str, torch: str) -> bool:
    """Releases whose FALSE and TRUE files for this torch were built alike: both load."""
    row = facts.release(name, version)
    if row is None or name == "flash-attn" or facts.has_cxx11_abi(torch) is not True:
        return False
    return any(torch in w.torch and {"TRUE", "FALSE"} <= {*w.abi} for w in row.wheels)
