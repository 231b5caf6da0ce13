"""Wheels that are given by their address."""

from preflight.api import Findings, Recipe, app, build, error, facts, rule, warning
from preflight.build.torch_in import Held
from preflight.rules.subjects import WHEELS, Package


@rule("IMG500", WHEELS.only(lambda p: p.wheel and p.wheel.abi, "wheel with an ABI in its name"))
def whl_abi_mismatch(recipe: Recipe, package: Package) -> Findings:
    """A wheel's C++ ABI is torch's.

    Looks at: `cxx11abiTRUE` or `cxx11abiFALSE` in the address of a wheel, against the torch in the same name.
    Why it matters: torch up to 2.6 from PyPI was built with the old ABI, from 2.7 with the new one. The wrong file
        fails at import: "undefined symbol: …__cxx1112basic_string…".
    Example:
        before   flash_attn-2.7.4.post1+cu12torch2.5cxx11abiTRUE-…
        after    flash_attn-2.7.4.post1+cu12torch2.5cxx11abiFALSE-…
    How to fix: Take the file whose name has torch's ABI.
    Source: torch._C._GLIBCXX_USE_CXX11_ABI of each torch in the table; MaxiRuess 4f10e96c
    """
    wheel, torch = package.wheel, build.torch_at_end(package.image)
    if wheel is None or wheel.torch is None or wheel.torch == "2.6":
        return  # both ABIs of 2.6 exist, by CUDA build
    if torch.held is Held.BASE and torch.version and facts.minor(torch.version) == wheel.torch:
        return  # a base image may have its own build of torch
    wanted, row = facts.has_cxx11_abi(wheel.torch), facts.release(wheel.name, wheel.version)
    if wanted is None or wanted == (wheel.abi == "TRUE"):
        return
    files = row.wheels if row is not None and wanted and wheel.name != "flash-attn" else ()
    if any(wheel.torch in each.torch and {"TRUE", "FALSE"} <= {*each.abi} for each in files):
        return  # both files of this release were built alike
    right, wrong = ("TRUE", "FALSE") if wanted else ("FALSE", "TRUE")
    where, span = package.package.where, package.package.span or package.pip.span
    yield error(
        f"the wheel of {wheel.name} has cxx11abi{wrong}, and torch {wheel.torch} was built with cxx11abi{right}",
        f"take the file that says cxx11abi{right}",
        package.where,
        why="the import fails on the GPU with: undefined symbol",
        fix=app.replace_span(recipe, where, span, f"cxx11abi{wrong}", f"cxx11abi{right}", is_safe=True),
    )


@rule("IMG490", WHEELS)
def whl_cuda_mismatch(recipe: Recipe, package: Package) -> Findings:
    """A wheel's CUDA major is torch's.

    Looks at: cu11, cu12 or cu13 in the address of a wheel, against the CUDA that the image's torch was built for.
    Why it matters: The wheel asks for another CUDA runtime: "libcudart.so.11.0: cannot open shared object file".
    Example:
        before   torch 2.11.0 (CUDA 13) with flash_attn-…+cu12torch2.11…
        after    flash_attn-…+cu13torch2.11…
    How to fix: Take the file of torch's CUDA, or a torch of the wheel's CUDA.
    Source: METADATA of each torch in the table
    """
    wheel, torch = package.wheel, build.torch_at_end(package.image)
    if torch.held not in (Held.PINNED, Held.BASE, Held.LOOSE) or torch.cuda in (None, "cpu") or wheel is None:
        return
    major = (torch.cuda or "").split(".")[0]
    if wheel.cuda in (None, major):
        return
    say = error if torch.version else warning
    yield say(
        f"the wheel of {wheel.name} is for CUDA {wheel.cuda}, and torch {torch.version or torch.expected} "
        f"is built for CUDA {torch.cuda}",
        f"take the file that says cu{major}, or a torch of CUDA {wheel.cuda}",
        package.where,
        why="the import fails on the GPU: libcudart is not found",
    )


OTHER_MANAGERS = ("uv_sync", "micromamba_install")
ELSEWHERE = frozenset({"--python", "-p", "--target", "-t", "--prefix"})


@rule("IMG480", WHEELS)
def whl_python_mismatch(recipe: Recipe, package: Package) -> Findings:
    """A wheel's Python is the Python of the image.

    Looks at: Addresses of wheels whose name has cpXY, and the Python of the image. abi3 and py3 wheels fit any.
    Why it matters: pip stops with "ERROR: …-cp310-cp310-linux_x86_64.whl is not a supported wheel on this platform".
    Example:
        before   debian_slim(python_version="3.11").pip_install("https://…-cp310-cp310-linux_x86_64.whl")
        after    debian_slim(python_version="3.11").pip_install("https://…-cp311-cp311-linux_x86_64.whl")
    How to fix: Take the file of the image's Python, or that Python for the image.
    Source: PEP 425, compatibility tags; pip 25, "is not a supported wheel on this platform"
    """
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


@rule("IMG470", WHEELS.only(lambda p: p.wheel and p.wheel.torch, "wheel with a torch in its name"))
def whl_torch_mismatch(recipe: Recipe, package: Package) -> Findings:
    """A wheel's torch is the torch of the image.

    Looks at: Addresses of wheels whose name has torchX.Y, and the torch that the image ends up with; where a later
        package makes that unknown, the torch of the step itself.
    Why it matters: Such a wheel loads under one minor of torch. Under another it fails at import with "undefined
        symbol".
    Example:
        before   .pip_install("torch==2.11.0", "https://…/flash_attn-2.7.4.post1+cu12torch2.6cxx11abiFALSE-cp311-….whl")
        after    a wheel that says torch2.11, or torch==2.6.0
    How to fix: Take a wheel for the image's torch, or pin torch to the wheel's.
    Source: C++ symbols of each torch in the table; SWE-Qwen 0dd44ff2
    """
    wheel, torch = package.wheel, build.torch_for_wheel(package.image, package.n, package.pip)
    version = torch.version or torch.expected
    if wheel is None or version is None or facts.minor(version) == wheel.torch:
        return
    say = error if torch.version else warning
    has = f"torch {version}" if torch.version else f"torch without a pin (today {version})"
    yield say(
        f"the wheel of {wheel.name} is for torch {wheel.torch}, and the image has {has}",
        f"take a wheel that says torch{facts.minor(version)}, or pin torch to {wheel.torch}",
        package.where,
        why="the import fails on the GPU with: undefined symbol",
    )
