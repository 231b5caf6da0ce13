"""A wheel's C++ ABI is torch's.

Looks at   `cxx11abiTRUE` or `cxx11abiFALSE` in the address of a wheel, against the torch in the same name.
Why        torch up to 2.6 from PyPI was built with the old ABI, from 2.7 with the new one.  The wrong file fails at
           import: "undefined symbol: …__cxx1112basic_string…".
Before     flash_attn-2.7.4.post1+cu12torch2.5cxx11abiTRUE-…
After      flash_attn-2.7.4.post1+cu12torch2.5cxx11abiFALSE-…
Source     torch._C._GLIBCXX_USE_CXX11_ABI of torch 2.0 to 2.15; MaxiRuess 4f10e96c
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Held,
    Image,
    Recipe,
    counted,
    error,
    has_cxx11_abi,
    minor,
    over_images,
    package_where,
    release,
    replace_span,
    rule,
    torch_at_end,
    wheel_name,
)


def applies(recipe: Recipe) -> str:
    urls = [p.url for i in recipe.images for _, s in i.pip_installs() for p in s.packages if p.url]
    return counted(
        sum(bool((w := wheel_name(u)) and w.abi) for u in urls),
        "wheel with an ABI in its name",
        "wheels with an ABI in their name",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    torch = torch_at_end(image)
    for n, install in image.pip_installs():
        for package in install.packages:
            name = wheel_name(package.url) if package.url else None
            if name is None or name.abi is None or name.torch is None or name.torch == "2.6":
                continue  # both ABIs of 2.6 exist, by CUDA build
            if torch.held is Held.BASE and torch.version and minor(torch.version) == name.torch:
                continue  # a base image may have its own build of torch
            wanted = has_cxx11_abi(name.torch)
            if wanted is None or wanted == (name.abi == "TRUE") or _is_same_file(name.name, name.version, name.torch):
                continue
            right, wrong = ("TRUE", "FALSE") if wanted else ("FALSE", "TRUE")
            span = package.span or install.span
            yield error(
                f"the wheel of {name.name} has cxx11abi{wrong}, and torch {name.torch} was built with cxx11abi{right}",
                f"take the file that says cxx11abi{right}",
                package_where(image.steps[n], install, package),
                why="the import fails on the GPU with: undefined symbol",
                fix=replace_span(recipe, package.where, span, f"cxx11abi{wrong}", f"cxx11abi{right}", is_safe=True),
            )


def _is_same_file(name: str, version: str, torch: str) -> bool:
    """Releases whose FALSE and TRUE files for this torch were built alike: both load."""
    row = release(name, version)
    return row is not None and any(
        torch in w.torch and {"TRUE", "FALSE"} <= {*w.abi} and name != "flash-attn" and has_cxx11_abi(torch) is True
        for w in row.wheels
    )


CHECK = rule(
    id="IMG500",
    name="whl-abi-mismatch",
    title="a wheel's C++ ABI is torch's",
    find=find,
    applies=applies,
)
