"""What will become of each step that installs mamba-ssm, causal-conv1d or flash-attn.

A release wheel is fetched, it compiles, it stops with a message, it installs without kernels, it installs and then
fails, or the text and the tables do not say.  Source: setup.py of the releases, read and run; pip by its eras.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from preflight.app.model import Image, Recipe
from preflight.build.aftermath import clashes
from preflight.build.build_needs import (
    comes_before_torch,
    missing_before,
    setuptools_clash,
)
from preflight.build.compiling import Stop, first_stop, floor_rule, torch_seen_by
from preflight.build.ext_steps import ExtInstall, Form, ext_installs
from preflight.build.forecast import Ending, Forecast, broken, fails, missing_module, no_row, source, unknown
from preflight.build.outcome import (
    flag_not_known,
    is_build_forced,
    is_cuda_skipped,
    prefix_of,
    variables,
    version_of,
    wheel_asked_for,
)
from preflight.build.surroundings import base_of, has_nvcc, installs_before, python_of
from preflight.build.torch_in import Held, Torch, TorchIn, torch_before, torch_for_wheel
from preflight.facts import torch as torch_facts
from preflight.facts import wheels
from preflight.facts.torch import minor
from preflight.facts.types import Release
from preflight.facts.wheels import NoWheel, Wheel
from preflight.model import Where

FORETOLD = ("mamba-ssm", "causal-conv1d", "flash-attn")
ISOLATION = "iso-ext-build-isolation"
MOVING = frozenset({"main", "master", "HEAD"})


def foretold(recipe: Recipe, builder: str | None) -> tuple[Forecast, ...]:
    """Those of every image; steps that images share are told once where they end alike."""
    key = (foretold, builder)
    if key not in recipe.derived:
        found: dict[tuple[Where, str, str], Forecast] = {}
        for each in (f for image in recipe.images for f in forecasts(image, builder)):
            found.setdefault((each.where, each.subject, each.said), each)
        recipe.derived[key] = tuple(found.values())
    return cast("tuple[Forecast, ...]", recipe.derived[key])


def forecasts(image: Image, builder: str | None) -> tuple[Forecast, ...]:
    """One for each extension that the image's pip commands name, in order.  ``builder`` is None when not known."""
    return tuple(forecast_of(e, builder) for e in ext_installs(image) if e.name in FORETOLD)


def forecast_of(ext: ExtInstall, builder: str | None) -> Forecast:
    if ext.form is Form.WHEEL:
        return _by_address(ext, builder)
    if ext.may_be_wheel:
        return unknown(ext, "the index or page of links that it is given may hold a wheel of its own")
    if ext.form is Form.ARCHIVE:
        return unknown(ext, "which release the archive holds is not in its address")
    if ext.form is Form.GIT and ext.version is None:
        return _from_branch(ext)
    return _isolated(ext, builder) if ext.is_isolated else _in_image(ext, builder)


# --- a wheel by its address -------------------------------------------------------------------------------------------


def _by_address(ext: ExtInstall, builder: str | None) -> Forecast:
    name = wheels.wheel_name(ext.package.url or "")
    assert name is not None  # that is what Form.WHEEL means
    file = wheels.file_of(ext.package.url or "")
    torch, python = torch_for_wheel(ext.image, ext.n, ext.install), python_of(ext.image)
    known = torch.known
    if name.python and python and name.python != python:
        text = f"ERROR: {file} is not a supported wheel on this platform."
        return fails(ext, Stop(text, f"it is for Python {name.python}, not {python}", "whl-python-mismatch"))
    wheel = Wheel(file, ext.package.url or "", _known_as_broken(ext, name))
    is_cxx11 = known is not None and known.has_cxx11_abi
    if wheel.broken and not (name.torch == "2.6" and is_cxx11):  # what 2.6 lacks is the ABI that its FALSE files have
        return broken(ext, f"fetches {file}", wheel.broken, remedy="take a release whose wheel for this torch is sound")
    if known and name.torch and torch.held is not Held.BROUGHT and minor(known.version) != name.torch:
        why = f"it is for torch {name.torch}, and the image has {minor(known.version)}"
        return broken(ext, f"fetches {file}", why, told_by="whl-torch-mismatch", is_certain=torch.version is not None)
    if name.cuda and torch.cuda not in (None, "cpu") and torch.cuda.split(".")[0] != name.cuda:
        why = f"it is for CUDA {name.cuda}, and torch for {torch.cuda}"
        return broken(ext, f"fetches {file}", why, told_by="whl-cuda-mismatch")
    abi = torch_facts.has_cxx11_abi(name.torch) if name.torch and name.torch != "2.6" else None
    if name.abi and abi is not None and abi != (name.abi == "TRUE") and not _has_both_labels(ext, name):
        return broken(ext, f"fetches {file}", "torch has the other C++ ABI", told_by="whl-abi-mismatch")
    good = Forecast(ext=ext, ending=Ending.WHEEL, said=f"prebuilt wheel {file}", version=name.version, wheel=wheel)
    return _meets(ext, builder, f"fetches {file}") or good


def _known_as_broken(ext: ExtInstall, name: wheels.WheelName) -> str:
    row = wheels.release(ext.name, name.version)
    sets = row.wheels if row and row.matrix_known else ()
    return next((w.broken for w in sets if w.cuda == name.cuda and name.torch in w.torch and name.abi in w.abi), "")


def _has_both_labels(ext: ExtInstall, name: wheels.WheelName) -> bool:
    """Files labelled FALSE and TRUE that were built alike: both load."""
    row = wheels.release(ext.name, name.version)
    return (
        row is not None
        and ext.name != "flash-attn"
        and any(name.torch in w.torch and {"TRUE", "FALSE"} <= {*w.abi} for w in row.wheels)
    )


# --- a branch of a repository -----------------------------------------------------------------------------------------


def _from_branch(ext: ExtInstall) -> Forecast:
    path = (ext.package.url or "").split("github.com", 1)[-1].split("#")[0]
    ref = path.split("@")[-1] if "@" in path else "main"
    keeps_cuda = str(variables(ext).get("MAMBA_KEEP_CUDA_BUILD", "")).upper() == "TRUE"
    if ext.name == "mamba-ssm" and ref in MOVING and not keeps_cuda:
        return Forecast(
            ext=ext,
            ending=Ending.NO_KERNELS,
            said="installs without selective_scan_cuda: main builds it only with MAMBA_KEEP_CUDA_BUILD=TRUE",
            told_by="ver-mamba-git-main",
        )
    return unknown(ext, f"which release {ref} of its repository is, is not in the text", told_by="ver-git-unpinned")


# --- built in an environment of its own -------------------------------------------------------------------------------


def _isolated(ext: ExtInstall, builder: str | None) -> Forecast:
    """pip installs build-system.requires, and nothing else, where setup.py runs."""
    version = version_of(ext)
    row = wheels.release(ext.name, version) if version else None
    if row is None and ext.name != "flash-attn":
        return no_row(ext, version, told_by=ISOLATION)
    if row is None or not row.build_system:
        earlier = {p.name for _, i in installs_before(ext.image, ext.n, ext.install) for p in i.packages}
        if ext.install.tool == "pip" and "wheel" in earlier:
            why = "a pip up to 25.2 runs setup.py in the image, a newer one where packaging is missing"
            return unknown(ext, why, told_by=ISOLATION)
        return missing_module(ext, "packaging", "pip's own build environment holds setuptools alone", ISOLATION)
    if not any(r.split(">")[0].strip() == "torch" for r in row.build_system):
        return missing_module(ext, "torch", "pip's own build environment holds no torch", ISOLATION)
    torch = torch_seen_by(ext)
    assert torch is not None  # there is always a newest one
    stop = _without_nvcc(ext) or first_stop(ext, row, torch)
    if stop is not None:
        where = f"in pip's own build environment, where torch is {torch.version}"
        return fails(ext, Stop(stop.message, f"{where}: {stop.why}", ISOLATION), is_certain=False)
    has = torch_before(ext.image, ext.n, ext.install).known
    if has is None:
        return unknown(
            ext, "it is built for the newest torch, and which one the image has is not in the text", ISOLATION
        )
    if minor(has.version) != minor(torch.version):
        why = f"undefined symbols, since the image has torch {has.version}"
        return broken(ext, f"compiles against torch {torch.version}", why, told_by=ISOLATION, is_certain=False)
    return _meets(ext, builder, "compiles") or source(ext, row, "pip's own build environment")


# --- built where torch is ---------------------------------------------------------------------------------------------


def _in_image(ext: ExtInstall, builder: str | None) -> Forecast:
    before = torch_before(ext.image, ext.n, ext.install)
    version = version_of(ext)
    row = wheels.release(ext.name, version) if version else None
    early = next(_early_stops(ext, before, builder), None)
    if early is not None:
        return fails(ext, early)
    if before.held is Held.ABSENT:
        return unknown(ext, "no torch is named before it, and a package before it may bring one")
    torch = torch_seen_by(ext)
    if torch is None:
        return unknown(ext, _torch_not_known(ext, before))
    if torch.cuda == "cpu" and not is_build_forced(ext):
        why = f"torch {torch.version} is a CPU build"
        text = "packaging.version.InvalidVersion: Invalid version: None"
        return fails(ext, Stop(text, why, remedy="take torch from an index of CUDA builds, or none at all"))
    if has_nvcc(ext.image, ext.n) is None:
        return unknown(ext, f"whether {_base(ext)} has nvcc is not in the text")
    if version is None and ext.name == "flash-attn":
        return unknown(ext, "it is not pinned, and the newest release is not in our table", told_by="ver-ext-unpinned")
    if row is None:
        return no_row(ext, version)
    if flag_not_known(ext):
        return unknown(ext, f"the value of {flag_not_known(ext)}, on which it depends, is not in the text")
    found = wheel_asked_for(ext)
    if is_build_forced(ext):
        return _compiled(ext, row, torch, f"{prefix_of(ext)}_FORCE_BUILD=TRUE", builder)
    if isinstance(found, Wheel):
        return _fetched(ext, row, torch, found, builder)
    if isinstance(found, NoWheel):
        return _skipped(ext, found.why) if is_cuda_skipped(ext) else _compiled(ext, row, torch, found.why, builder)
    if python_of(ext.image) is None:
        return unknown(ext, "which Python the image has is not in the text, and a wheel is for one Python")
    if not row.matrix_known:
        stop = first_stop(ext, row, torch)
        without = f"stops with “{stop.message}”" if stop else "compiles"
        text = f"which wheels {version} has was not read ({row.seen}), and without one it {without}"
        return unknown(ext, text, is_gap=True)
    return unknown(ext, f"torch {torch.version} is not in our table", is_gap=True)


def _early_stops(ext: ExtInstall, torch: TorchIn, builder: str | None) -> Iterator[Stop]:
    """What setup.py meets before it looks for a wheel: its imports, then nvcc."""
    for module, is_certain in missing_before(ext, builder).items():
        if is_certain:
            text = f"ModuleNotFoundError: No module named '{module}'"
            yield Stop(text, "setup.py imports it, and no step before installs it", "iso-missing-build-deps")
    if torch.held is Held.ABSENT and comes_before_torch(ext):
        text = "ModuleNotFoundError: No module named 'torch'"
        yield Stop(text, "setup.py imports it, and no step before installs it", "ord-ext-before-torch")
    clash = setuptools_clash(ext, torch.known.version) if torch.known else None
    if clash is not None:
        need, asked = clash[0].need, clash[1]
        remedy = f'pin "setuptools{need.needs}" in the step that installs it ({asked} is asked for)'
        yield Stop(need.symptom, clash[0].message, remedy=remedy)
    stop = _without_nvcc(ext)
    if stop is not None:
        yield stop


def _without_nvcc(ext: ExtInstall) -> Stop | None:
    """mamba-ssm and causal-conv1d read nvcc's version first; flash-attn only where there is a CUDA folder."""
    if has_nvcc(ext.image, ext.n) is not False or is_cuda_skipped(ext):
        return None
    base = base_of(ext.image)
    home = variables(ext).get("CUDA_HOME")
    folder = home if isinstance(home, str) else "/usr/local/cuda" if base is not None and base.cuda_tag else None
    if folder is not None:
        text = f"FileNotFoundError: [Errno 2] No such file or directory: '{folder}/bin/nvcc'"
    elif ext.name == "flash-attn":
        if isinstance(wheel_asked_for(ext), Wheel) and not is_build_forced(ext):
            return None
        if wheel_asked_for(ext) is None and not is_build_forced(ext):
            return None
        text = "OSError: CUDA_HOME environment variable is not set. Please set it to your CUDA install root."
    else:
        text = "NameError: name 'bare_metal_version' is not defined"
    return Stop(text, f"{_base(ext)} has no nvcc", "tool-ext-no-nvcc")


def _fetched(ext: ExtInstall, row: Release, torch: Torch, wheel: Wheel, builder: str | None) -> Forecast:
    said, is_exact = f"prebuilt wheel {wheel.filename}" + _of_today(torch), torch.is_exact and ext.version is not None
    if wheel.broken:
        return broken(
            ext,
            f"fetches {wheel.filename}",
            wheel.broken,
            told_by=floor_rule(ext, torch),
            is_certain=is_exact,
            remedy=f"pin {ext.name} to a release whose wheel for torch {minor(torch.version)} is sound",
        )
    return _meets(ext, builder, f"fetches {wheel.filename}") or Forecast(
        ext=ext, ending=Ending.WHEEL, said=said, version=row.version, wheel=wheel, is_certain=is_exact
    )


def _compiled(ext: ExtInstall, row: Release, torch: Torch, why: str, builder: str | None) -> Forecast:
    stop, is_exact = first_stop(ext, row, torch), torch.is_exact and ext.version is not None
    if stop is not None:
        text = f"it must compile ({why}), and {stop.why}"
        return fails(ext, Stop(stop.message, text, stop.told_by, stop.remedy), is_certain=is_exact)
    return _meets(ext, builder, "compiles") or source(ext, row, why + _of_today(torch), is_certain=is_exact)


def _meets(ext: ExtInstall, builder: str | None, how: str) -> Forecast | None:
    """It installs, and fails then: what it meets in the image does not go with it."""
    clash = next(iter(clashes(ext, builder)), None)
    if clash is None:
        return None
    return broken(ext, how, clash.why, told_by=floor_rule(ext), is_certain=clash.is_certain, remedy=clash.remedy)


def _skipped(ext: ExtInstall, why: str) -> Forecast:
    return Forecast(
        ext=ext,
        ending=Ending.NO_KERNELS,
        said=f"installs without kernels: {prefix_of(ext)}_SKIP_CUDA_BUILD=TRUE, and {why}",
        version=version_of(ext),
        remedy=f"pin {ext.name} to a release with a wheel for this torch, or unset {prefix_of(ext)}_SKIP_CUDA_BUILD",
    )


def _torch_not_known(ext: ExtInstall, torch: TorchIn) -> str:
    if torch.held is Held.BROUGHT and torch.install is not None:
        return "which torch another package brings before it is not in the text"
    if torch.held is Held.LOOSE:
        return "which torch the step before brings is not in our table"
    return f"which torch {_base(ext)} and the steps before bring is not in the text"


def _base(ext: ExtInstall) -> str:
    base = base_of(ext.image)
    return (base.reference or base.step.method) if base is not None else "the base"


def _of_today(torch: Torch) -> str:
    return "" if torch.is_exact else f" (torch has no pin: today {torch.version})"
