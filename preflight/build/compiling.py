"""What stops the source build of an extension, in the order in which the build would notice it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from preflight.build.compat import conflicts, torches_that_fit
from preflight.build.ext_steps import KERNELS, ExtInstall, Form
from preflight.build.outcome import variables
from preflight.build.surroundings import apt_before, base_of, has_c_compiler, has_clang, is_known_before, python_of
from preflight.build.torch_in import Torch, torch_before
from preflight.facts import torch as torch_facts
from preflight.facts import wheels
from preflight.facts.images import distribution, newest_gcc
from preflight.facts.torch import number
from preflight.facts.types import Distribution, Release

FLOOR = "ver-ext-torch-floor"


@dataclass(frozen=True)
class Stop:
    """``message`` is what the log will say; ``told_by`` the rule that reports this cause, "" when none does."""

    message: str
    why: str
    told_by: str = ""
    remedy: str = ""


def torch_seen_by(ext: ExtInstall) -> Torch | None:
    """The image's own torch; in an isolated build the newest one of today.  None: not known."""
    if ext.is_isolated:
        row = torch_facts.newest_torch_for(python_of(ext.image))
        return Torch(row.patches[-1], row.pypi_cuda, is_exact=False)
    return torch_before(ext.image, ext.n, ext.install).known


def floor_rule(ext: ExtInstall, torch: Torch | None = None) -> str:
    """The rule that compares versions, where it looks at this extension and at this torch; else ""."""
    known = ext.version is not None and wheels.release(ext.name, ext.version) is not None
    return FLOOR if known and ext.name in KERNELS and (torch is None or torch.is_exact) else ""


def first_stop(ext: ExtInstall, row: Release | None, torch: Torch) -> Stop | None:
    """None: nothing is known that would stop the build."""
    return next(_stops(ext, row, torch), None)


def _stops(ext: ExtInstall, row: Release | None, torch: Torch) -> Iterator[Stop]:
    base = base_of(ext.image)
    is_late = (2, 5) <= number(torch.version) < (2, 11)  # they notice that clang++ is missing when they link
    if not is_late:
        yield from _compiler(ext, torch)
    yield from _majors(ext, torch)
    if ext.form is Form.INDEX and row is not None and row.sdist_has_sources is False:
        yield Stop(
            f"ninja: error: '…/csrc/{_first_source(ext)}', needed by …, missing and no known rule to make it",
            f"the sdist of {ext.name} {row.version} holds no CUDA sources",
            floor_rule(ext, torch),
            _older_or_git(ext, row),
        )
    if row is not None and base is not None and base.cuda is not None:
        yield from _architectures(ext, row, base.cuda)
    yield from _gcc(ext)
    if row is not None:
        for found in conflicts({"torch": torch.version, ext.name: row.version}, {ext.name: "source"}):
            if found.need.when == "build" and found.need.package == ext.name:
                yield Stop(found.need.symptom, found.message, floor_rule(ext, torch), _torch_that_compiles(ext, row))
    if is_late:
        yield from _compiler(ext, torch)


def _first_source(ext: ExtInstall) -> str:
    return "selective_scan/selective_scan.cpp" if ext.name == "mamba-ssm" else f"{ext.name.replace('-', '_')}.cpp"


def _older_or_git(ext: ExtInstall, row: Release) -> str:
    minors = wheels.torch_range(ext.name, row.version)
    has = f"pin torch to {minors}, for which {row.version} has wheels, or " if minors else ""
    return f"{has}install it from git at tag v{row.version}"


def _compiler(ext: ExtInstall, torch: Torch) -> Iterator[Stop]:
    base = base_of(ext.image)
    if base is None or not is_known_before(ext.image, ext.n):
        return
    if has_c_compiler(ext.image, ext.n) is False:
        why = f"{base.reference or base.step.method} has no C++ compiler"
        yield Stop("error: command 'g++' failed: No such file or directory", why, "tool-no-c-compiler")
    if base.adds_python and not {"CC", "CXX"} & variables(ext).keys() and not has_clang(ext.image, ext.n):
        yield Stop(_clang(torch), "the Python of add_python asks for clang++", "tool-add-python-no-cc")


def _clang(torch: Torch) -> str:
    if number(torch.version) < (2, 5):
        return "Command '['which', 'clang++']' returned non-zero exit status 1."
    if number(torch.version) < (2, 11):
        return "error: command 'clang++' failed: No such file or directory"
    return "RuntimeError: The current installed version of clang++ (0.0.0) is less than the minimum required version"


def _majors(ext: ExtInstall, torch: Torch) -> Iterator[Stop]:
    base = base_of(ext.image)
    if base is None or base.cuda is None or base.flavour != "devel" or torch.cuda in (None, "cpu"):
        return
    assert torch.cuda is not None
    if torch.cuda.split(".")[0] == base.cuda.split(".")[0]:
        return
    toolkit, built = number(base.cuda), torch.cuda
    version = f"{toolkit[0]}.{toolkit[1]}"
    text = f"The detected CUDA version ({version}) mismatches the version that was used to compile PyTorch ({built})"
    if number(torch.version) >= (2, 8):
        text = "('The detected CUDA version (%s) mismatches the version that was used to compilePyTorch (%s). …', "
        text += f"'{version}', '{built}')"
    yield Stop(
        f"RuntimeError: {text}",
        f"nvcc is {version}, and torch {torch.version} is built for CUDA {built}",
        "ver-torch-base-cuda-mismatch",
    )


def _torch_that_compiles(ext: ExtInstall, row: Release) -> str:
    fitting = torches_that_fit({ext.name: row.version}, {ext.name: "source"})
    minors = wheels.torch_range(ext.name, row.version)
    newest = f"pin torch to {fitting[0].minor} or older" if fitting else f"install another release of {ext.name}"
    return newest + (f": {row.version} has wheels for {minors}" if minors else "")


def _architectures(ext: ExtInstall, row: Release, nvcc: str) -> Iterator[Stop]:
    asked = wheels.archs_of(row, nvcc)
    for found in conflicts({"cuda": nvcc, "sm": str(asked[0])} if asked else {}):
        yield Stop(
            f"nvcc fatal   : Unsupported gpu architecture 'compute_{asked[0]}'",
            f"setup.py of {ext.name} {row.version} asks for sm_{asked[0]}: {found.need.why}",
            "",
            "take an nvidia/cuda base and a torch of the CUDA major before it, or a newer release of " + ext.name,
        )


def refused_gcc(ext: ExtInstall) -> tuple[Distribution, int] | None:
    """The distribution whose own gcc nvcc does not take, and the newest that it takes.

    None also where another compiler was installed or named.
    """
    base = base_of(ext.image)
    if base is None or base.cuda is None or base.cuda_tag is None:
        return None
    row, newest = distribution(base.cuda_tag.os), newest_gcc(base.cuda)
    if row is None or newest is None or row.gcc <= newest:
        return None
    said = variables(ext)
    if {"CC", "CXX", "NVCC_PREPEND_FLAGS"} & said.keys() and any(str(v) not in ("gcc", "g++") for v in said.values()):
        return None
    if any(p.startswith(("gcc-", "g++-", "clang")) for p in apt_before(ext.image, ext.n)):
        return None
    return row, newest


def _gcc(ext: ExtInstall) -> Iterator[Stop]:
    refused = refused_gcc(ext)
    if refused is None:
        return
    row, newest = refused
    yield Stop(
        f"#error -- unsupported GNU version! gcc versions later than {newest} are not supported!",
        f"{row.name} compiles with gcc {row.gcc}",
        "tool-gcc-too-new",
    )
