"""What stops the source build of an extension: what its setup.py imports, then as the build would notice it."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.app.model import PipPackage
from preflight.build.compat import Conflict, conflicts, is_within, torches_that_fit
from preflight.build.ext_steps import KERNELS, ExtInstall, Form
from preflight.build.outcome import Forecast, fails, variables
from preflight.build.surroundings import (
    apt_before,
    has_c_compiler,
    has_clang,
    installs_before,
    is_known_before,
)
from preflight.build.torch_in import Torch
from preflight.facts import torch as torch_facts
from preflight.facts import wheels
from preflight.facts.images import builder, distribution, newest_gcc
from preflight.facts.packages import brings
from preflight.facts.torch import number
from preflight.facts.types import Distribution, Release

FLOOR = "ver-ext-torch-floor"
CLANG = {  # below which torch the build says so, when clang++ is missing
    (2, 5): "Command '['which', 'clang++']' returned non-zero exit status 1.",
    (2, 11): "error: command 'clang++' failed: No such file or directory",
    (99, 0): "RuntimeError: The current installed version of clang++ (0.0.0) is less than the minimum required version",
}
IMPORTED = ("packaging", "wheel", "setuptools")  # by setup.py
OLD_SETUPTOOLS = ("59.8.0", "65.5.0", "68.2.2", "69.5.1")  # what bases hold, and what bounds are written for
TODAY = "84.2.1"


def torch_seen_by(ext: ExtInstall) -> Torch | None:
    """The image's own torch; in an isolated build the newest one of today.  None: not known."""
    if ext.is_isolated:
        row = torch_facts.newest_torch_for(ext.python)
        return Torch(row.patches[-1], row.pypi_cuda, is_exact=False)
    return ext.torch.known


def floor_rule(ext: ExtInstall, torch: Torch | None = None) -> str:
    """The rule that compares versions, where it looks at this extension and at this torch; else ""."""
    known = ext.version is not None and wheels.release(ext.name, ext.version) is not None
    return FLOOR if known and ext.name in KERNELS and (torch is None or torch.is_exact) else ""


def first_stop(ext: ExtInstall, row: Release | None, torch: Torch) -> Forecast | None:
    """None: nothing is known that would stop the build."""
    return next(_stops(ext, row, torch), None)


def _stops(ext: ExtInstall, row: Release | None, torch: Torch) -> Iterator[Forecast]:
    base = ext.base
    is_late = (2, 5) <= number(torch.version) < (2, 11)  # they notice that clang++ is missing when they link
    if not is_late:
        yield from _compiler(ext, torch)
    yield from _majors(ext, torch)
    if ext.form is Form.INDEX and row is not None and row.sdist_has_sources is False:
        minors = wheels.torch_range(ext.name, row.version)
        pin = f"pin torch to {minors}, for which {row.version} has wheels, or " if minors else ""
        source = "selective_scan/selective_scan" if ext.name == "mamba-ssm" else ext.name.replace("-", "_")
        yield fails(
            ext,
            f"ninja: error: '…/csrc/{source}.cpp', needed by …, missing and no known rule to make it",
            f"the sdist of {ext.name} {row.version} holds no CUDA sources",
            floor_rule(ext, torch),
            f"{pin}install it from git at tag v{row.version}",
        )
    if row is not None and base is not None and base.cuda is not None:
        yield from _architectures(ext, row, base.cuda)
    if refused := refused_gcc(ext):
        system, newest = refused
        log = f"#error -- unsupported GNU version! gcc versions later than {newest} are not supported!"
        yield fails(ext, log, f"{system.name} compiles with gcc {system.gcc}", "tool-gcc-too-new")
    if row is not None:
        for found in conflicts({"torch": torch.version, ext.name: row.version}, {ext.name: "source"}):
            if found.need.when == "build" and found.need.package == ext.name:
                remedy = _torch_that_compiles(ext, row)
                yield fails(ext, found.need.symptom, found.message, floor_rule(ext, torch), remedy)
    if is_late:
        yield from _compiler(ext, torch)


def _compiler(ext: ExtInstall, torch: Torch) -> Iterator[Forecast]:
    base = ext.base
    if base is None or not is_known_before(ext.image, ext.n):
        return
    if has_c_compiler(ext.image, ext.n) is False:
        why = f"{base.reference or base.step.method} has no C++ compiler"
        yield fails(ext, "error: command 'g++' failed: No such file or directory", why, "tool-no-c-compiler")
    if base.adds_python and not {"CC", "CXX"} & variables(ext).keys() and not has_clang(ext.image, ext.n):
        log = next(text for below, text in CLANG.items() if number(torch.version) < below)
        yield fails(ext, log, "the Python of add_python asks for clang++", "tool-add-python-no-cc")


def _majors(ext: ExtInstall, torch: Torch) -> Iterator[Forecast]:
    base, built = ext.base, torch.cuda
    if base is None or base.cuda is None or base.flavour != "devel" or built is None or built == "cpu":
        return
    if built.split(".")[0] == base.cuda.split(".")[0]:
        return
    version = ".".join(map(str, number(base.cuda)))
    text = f"The detected CUDA version ({version}) mismatches the version that was used to compile PyTorch ({built})"
    if number(torch.version) >= (2, 8):
        text = "('The detected CUDA version (%s) mismatches the version that was used to compilePyTorch (%s). …', "
        text += f"'{version}', '{built}')"
    why = f"nvcc is {version}, and torch {torch.version} is built for CUDA {built}"
    yield fails(ext, f"RuntimeError: {text}", why, "ver-torch-base-cuda-mismatch")


def _torch_that_compiles(ext: ExtInstall, row: Release) -> str:
    fitting = torches_that_fit({ext.name: row.version}, {ext.name: "source"})
    minors = wheels.torch_range(ext.name, row.version)
    newest = f"pin torch to {fitting[0].minor} or older" if fitting else f"install another release of {ext.name}"
    return newest + (f": {row.version} has wheels for {minors}" if minors else "")


def _architectures(ext: ExtInstall, row: Release, nvcc: str) -> Iterator[Forecast]:
    archs = wheels.archs_of(row, nvcc)
    for found in conflicts({"cuda": nvcc, "sm": str(archs[0])} if archs else {}):
        yield fails(
            ext,
            f"nvcc fatal   : Unsupported gpu architecture 'compute_{archs[0]}'",
            f"setup.py of {ext.name} {row.version} asks for sm_{archs[0]}: {found.need.why}",
            remedy="take an nvidia/cuda base and a torch of the CUDA major before it, or a newer release of "
            + ext.name,
        )


def refused_gcc(ext: ExtInstall) -> tuple[Distribution, int] | None:
    """The distribution whose own gcc nvcc does not take, and the newest that it takes.

    None also where another compiler was installed or named.
    """
    base = ext.base
    if base is None or base.cuda is None or base.cuda_tag is None:
        return None
    row, newest = distribution(base.cuda_tag.os), newest_gcc(base.cuda)
    if row is None or newest is None or row.gcc <= newest:
        return None
    env = variables(ext)
    if {"CC", "CXX", "NVCC_PREPEND_FLAGS"} & env.keys() and any(str(v) not in ("gcc", "g++") for v in env.values()):
        return None
    if any(p.startswith(("gcc-", "g++-", "clang")) for p in apt_before(ext.image, ext.n)):
        return None
    return row, newest


# --- what setup.py imports --------------------------------------------------------------------------------------------


def missing_before(ext: ExtInstall, builder_version: str | None) -> dict[str, bool]:
    """What is not there → whether that is certain.  Empty where the steps before it, or the base, are not known."""
    base = ext.base
    if base is None or not is_known_before(ext.image, ext.n):
        return {}
    if not (base.is_slim or (base.adds_python and base.row is not None and not base.row.holds)):
        return {}
    torch = ext.torch
    missing: dict[str, bool] = {}
    for tool in IMPORTED:
        if tool not in ext.row.build_needs or _is_in_base(tool, ext, builder_version):
            continue
        # torch requires setuptools on Python 3.12 and newer; older torch had no wheel there
        if tool == "setuptools" and (torch.version is None or number(torch.version) >= (2, 4)):
            continue
        answers = {_brings(p, tool) for p in _packages_before(ext)}
        if True not in answers:
            missing[tool] = None not in answers
    return missing


def _packages_before(ext: ExtInstall) -> list[PipPackage]:
    return [p for _, i in installs_before(ext.image, ext.n, ext.install) for p in i.packages]


def comes_before_torch(ext: ExtInstall) -> bool:
    """torch is named in this command or later, or everything before is known not to bring it."""
    if any(p.name == "torch" for n, i in ext.image.pip_installs() if n >= ext.n for p in i.packages):
        return True
    return all(p.name is not None and brings(p.name, "wheel") is False for p in _packages_before(ext))


def setuptools_stop(ext: ExtInstall, torch: str) -> Forecast | None:
    """Why a source build under this torch stops at the setuptools that a step before asks for; the last one counts."""
    stop = None
    for _, install in installs_before(ext.image, ext.n, ext.install):
        for package in install.packages:
            if package.name == "setuptools":
                stop = None
                if conflict := _conflict_of(package, torch, is_upgrade=install.is_upgrade):
                    pin = f'pin "setuptools{conflict.need.needs}" in the step that installs it'
                    remedy = f"{pin} ({package.written} is asked for)"
                    stop = fails(ext, conflict.need.symptom, conflict.message, remedy=remedy)
    return stop


def _conflict_of(package: PipPackage, torch: str, *, is_upgrade: bool) -> Conflict | None:
    """What is there already is kept where the bound allows it."""
    if package.pin or not package.specifier:
        versions: tuple[str, ...] = (package.pin or (TODAY if is_upgrade else OLD_SETUPTOOLS[-1]),)
    else:
        versions = tuple(v for v in OLD_SETUPTOOLS if is_within(v, package.specifier)) or (TODAY,)
    found = [conflicts({"torch": torch, "setuptools": v}, {"torch": "source"}) for v in versions]
    return found[0][0] if all(found) else None


def _brings(package: PipPackage, tool: str) -> bool | None:
    if package.name is None:
        return None
    if package.name == "wheel" and tool == "packaging" and package.pin and number(package.pin) < (0, 46):
        return False
    if package.name == tool:
        return True
    return False if tool == "setuptools" else brings(package.name, tool)


def _is_in_base(tool: str, ext: ExtInstall, builder_version: str | None) -> bool:
    base, python = ext.base, ext.python
    if tool == "setuptools":
        return python is None or number(python) < (3, 12)
    row = builder(builder_version) if builder_version else None
    if base is not None and base.is_slim:
        return tool in (row.slim if row else ("wheel",))
    return row is not None and tool in row.registry
