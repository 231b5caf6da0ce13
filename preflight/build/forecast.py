"""What will become of each step that installs mamba-ssm, causal-conv1d or flash-attn.

A release wheel is fetched, it compiles, it stops with a message, it installs without kernels, it installs and then
fails, or the text and the tables do not say.  Source: setup.py of the releases, read and run; pip by its eras.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from preflight.app.model import Image, Recipe
from preflight.build.clashes import clashes
from preflight.build.compiling import (
    comes_before_torch,
    first_stop,
    floor_rule,
    missing_before,
    setuptools_stop,
    torch_seen_by,
)
from preflight.build.ext_steps import ExtInstall, Form, ext_installs
from preflight.build.outcome import (
    Forecast,
    Outcome,
    fails,
    flag_not_known,
    is_build_forced,
    is_cuda_skipped,
    prefix_of,
    variables,
    version_of,
    wheel_asked_for,
)
from preflight.build.surroundings import has_nvcc, installs_before
from preflight.build.torch_in import Held, Torch, TorchIn, torch_for_wheel
from preflight.facts import torch as torch_facts
from preflight.facts import wheels
from preflight.facts.torch import minor, number
from preflight.facts.types import Release
from preflight.facts.wheels import NoWheel, Wheel
from preflight.model import Where

FORECAST = ("mamba-ssm", "causal-conv1d", "flash-attn")
ISOLATION = "iso-ext-build-isolation"
MOVING = frozenset({"main", "master", "HEAD"})
SPLITS_FROM = (12, 8)  # the first nvcc with --split-compile
NO_MODULE = "ModuleNotFoundError: No module named '{}'"
NOT_INSTALLED = "setup.py imports it, and no step before installs it"


def forecasts_of(recipe: Recipe, builder: str | None) -> tuple[Forecast, ...]:
    """Those of every image; steps that images share have one where they end alike."""
    key = (forecasts_of, builder)
    if key not in recipe.derived:
        found: dict[tuple[Where, str, str], Forecast] = {}
        for each in (f for image in recipe.images for f in forecasts_of_image(image, builder)):
            found.setdefault((each.where, each.subject, each.text), each)
        recipe.derived[key] = tuple(found.values())
    return cast("tuple[Forecast, ...]", recipe.derived[key])


def forecasts_of_image(image: Image, builder: str | None) -> tuple[Forecast, ...]:
    """One for each extension that the image's pip commands name, in order.  ``builder`` is None when not known."""
    return tuple(forecast_of(e, builder) for e in ext_installs(image) if e.name in FORECAST)


def forecast_of(ext: ExtInstall, builder: str | None) -> Forecast:
    if ext.form is Form.WHEEL:
        return _by_address(ext, builder)
    if ext.may_be_wheel:
        return _unknown(ext, "the index or page of links that it is given may hold a wheel of its own")
    if ext.form is Form.ARCHIVE:
        return _unknown(ext, "which release the archive holds is not in its address")
    if ext.form is Form.GIT and ext.version is None:
        return _from_branch(ext)
    return _isolated(ext, builder) if ext.is_isolated else _in_image(ext, builder)


def _unknown(ext: ExtInstall, why: str, rule: str = "") -> Forecast:
    return Forecast(ext, Outcome.UNKNOWN, why, rule=rule)


def _broken(
    ext: ExtInstall, how: str, why: str, rule: str = "", remedy: str = "", *, is_certain: bool = True
) -> Forecast:
    why = f"{how}, and then fails: {why}"
    return Forecast(ext, Outcome.BROKEN, why, rule=rule, remedy=remedy, is_certain=is_certain)


def _meets(ext: ExtInstall, builder: str | None, how: str) -> Forecast | None:
    """It installs, and fails then: what it meets in the image does not go with it."""
    for clash in clashes(ext, builder):
        return _broken(ext, how, clash.conflict.message, floor_rule(ext), clash.remedy, is_certain=clash.is_certain)
    return None


# --- what a table lacks -----------------------------------------------------------------------------------------------


def _gap(ext: ExtInstall, why: str) -> Forecast:
    """Not known, because a table lacks the row; the remedy is a release that it has."""
    torch, python = ext.torch.known, ext.python
    row = None
    if torch is not None and torch.cuda not in (None, "cpu") and python and torch.has_cxx11_abi is not None:
        row = wheels.newest_with_wheel(
            ext.name, torch=torch.version, cuda=torch.cuda, python=python, abi=torch.has_cxx11_abi
        )
    pin = f"pin {ext.name}=={row.version}, whose wheel for this torch is in our table" if row else ""
    remedy = f"{pin or f'pin a release of {ext.name} that is in our tables'}, or install a wheel by its address"
    return Forecast(ext, Outcome.UNKNOWN, why, remedy=remedy, is_gap=True)


def _no_row(ext: ExtInstall) -> str:
    newest = max((r.seen for r in wheels.releases(ext.name)), default=None)
    version = version_of(ext)
    what = f"release {version} of {ext.name}" if version else f"a release that fits “{ext.package.written}”"
    return f"{what} is not in our table (read {newest})"


# --- a wheel by its address -------------------------------------------------------------------------------------------


def _by_address(ext: ExtInstall, builder: str | None) -> Forecast:
    name = wheels.wheel_name(ext.package.url or "")
    assert name is not None  # that is what Form.WHEEL means
    file = wheels.file_of(ext.package.url or "")
    torch, python = torch_for_wheel(ext.image, ext.n, ext.install), ext.python
    known, how = torch.known, f"fetches {file}"
    if name.python and python and name.python != python:
        log = f"ERROR: {file} is not a supported wheel on this platform."
        return fails(ext, log, f"it is for Python {name.python}, not {python}", "whl-python-mismatch")
    row = wheels.release(ext.name, name.version)
    sets = row.wheels if row and row.matrix_known else ()
    alike = [w for w in sets if w.cuda == name.cuda and name.torch in w.torch and name.abi in w.abi]
    wheel = Wheel(file, ext.package.url or "", next((w.broken for w in alike), ""))
    is_cxx11 = known is not None and known.has_cxx11_abi
    if wheel.broken and not (name.torch == "2.6" and is_cxx11):  # what 2.6 lacks is the ABI that its FALSE files have
        return _broken(ext, how, wheel.broken, remedy="take a release whose wheel for this torch is sound")
    if known and name.torch and torch.held is not Held.BROUGHT and minor(known.version) != name.torch:
        why = f"it is for torch {name.torch}, and the image has {minor(known.version)}"
        return _broken(ext, how, why, "whl-torch-mismatch", is_certain=torch.version is not None)
    if name.cuda and torch.cuda not in (None, "cpu") and torch.cuda.split(".")[0] != name.cuda:
        return _broken(ext, how, f"it is for CUDA {name.cuda}, and torch for {torch.cuda}", "whl-cuda-mismatch")
    abi = torch_facts.has_cxx11_abi(name.torch) if name.torch and name.torch != "2.6" else None
    # files labelled FALSE and TRUE that were built alike both load
    has_both = ext.name != "flash-attn" and any(name.torch in w.torch and {"TRUE", "FALSE"} <= {*w.abi} for w in sets)
    if name.abi and abi is not None and abi != (name.abi == "TRUE") and not has_both:
        return _broken(ext, how, "torch has the other C++ ABI", "whl-abi-mismatch")
    return _meets(ext, builder, how) or Forecast(ext, Outcome.WHEEL, f"prebuilt wheel {file}", wheel=wheel)


# --- a branch of a repository -----------------------------------------------------------------------------------------


def _from_branch(ext: ExtInstall) -> Forecast:
    path = (ext.package.url or "").split("github.com", 1)[-1].split("#")[0]
    ref = path.split("@")[-1] if "@" in path else "main"
    keeps_cuda = str(variables(ext).get("MAMBA_KEEP_CUDA_BUILD", "")).upper() == "TRUE"
    if ext.name == "mamba-ssm" and ref in MOVING and not keeps_cuda:
        why = "installs without selective_scan_cuda: main builds it only with MAMBA_KEEP_CUDA_BUILD=TRUE"
        return Forecast(ext, Outcome.NO_KERNELS, why, rule="ver-mamba-git-main")
    return _unknown(ext, f"which release {ref} of its repository is, is not in the text", "ver-git-unpinned")


# --- built in an environment of its own -------------------------------------------------------------------------------


def _isolated(ext: ExtInstall, builder: str | None) -> Forecast:
    """pip installs build-system.requires, and nothing else, where setup.py runs."""
    version = version_of(ext)
    row = wheels.release(ext.name, version) if version else None
    if row is None and ext.name != "flash-attn":
        return _unknown(ext, _no_row(ext), ISOLATION)
    if row is None or not row.build_system:
        earlier = {p.name for _, i in installs_before(ext.image, ext.n, ext.install) for p in i.packages}
        if ext.install.tool == "pip" and "wheel" in earlier:
            why = "a pip up to 25.2 runs setup.py in the image, a newer one where packaging is missing"
            return _unknown(ext, why, ISOLATION)
        why = "pip's own build environment holds setuptools alone"
        return fails(ext, NO_MODULE.format("packaging"), why, ISOLATION)
    if not any(r.split(">")[0].strip() == "torch" for r in row.build_system):
        return fails(ext, NO_MODULE.format("torch"), "pip's own build environment holds no torch", ISOLATION)
    torch = torch_seen_by(ext)
    assert torch is not None  # there is always a newest one
    stop = _without_nvcc(ext) or first_stop(ext, row, torch)
    if stop is not None:
        why = f"in pip's own build environment, where torch is {torch.version}: {stop.why}"
        return fails(ext, stop.log, why, ISOLATION, is_certain=False)
    has = ext.torch.known
    if has is None:
        why = "it is built for the newest torch, and which one the image has is not in the text"
        return _unknown(ext, why, ISOLATION)
    if minor(has.version) != minor(torch.version):
        why = f"undefined symbols, since the image has torch {has.version}"
        return _broken(ext, f"compiles against torch {torch.version}", why, ISOLATION, is_certain=False)
    return _meets(ext, builder, "compiles") or _source(ext, row, "pip's own build environment")


# --- built where torch is ---------------------------------------------------------------------------------------------


def _in_image(ext: ExtInstall, builder: str | None) -> Forecast:
    before = ext.torch
    version = version_of(ext)
    row = wheels.release(ext.name, version) if version else None
    for stop in _early_stops(ext, before, builder):
        return stop
    if before.held is Held.ABSENT:
        return _unknown(ext, "no torch is named before it, and a package before it may bring one")
    torch = torch_seen_by(ext)
    if torch is None:
        return _unknown(ext, _torch_not_known(ext, before))
    if torch.cuda == "cpu" and not is_build_forced(ext):
        log = "packaging.version.InvalidVersion: Invalid version: None"
        remedy = "take torch from an index of CUDA builds, or none at all"
        return fails(ext, log, f"torch {torch.version} is a CPU build", remedy=remedy)
    if has_nvcc(ext.image, ext.n) is None:
        return _unknown(ext, f"whether {_base(ext)} has nvcc is not in the text")
    if version is None and ext.name == "flash-attn":
        return _unknown(ext, "it is not pinned, and the newest release is not in our table", "ver-ext-unpinned")
    if row is None:
        return _gap(ext, _no_row(ext))
    if flag_not_known(ext):
        return _unknown(ext, f"the value of {flag_not_known(ext)}, on which it depends, is not in the text")
    found = wheel_asked_for(ext)
    if is_build_forced(ext):
        return _compiled(ext, row, torch, f"{prefix_of(ext)}_FORCE_BUILD=TRUE", builder)
    if isinstance(found, Wheel):
        return _fetched(ext, torch, found, builder)
    if isinstance(found, NoWheel):
        return _skipped(ext, found.why) if is_cuda_skipped(ext) else _compiled(ext, row, torch, found.why, builder)
    if ext.python is None:
        return _unknown(ext, "which Python the image has is not in the text, and a wheel is for one Python")
    if row.matrix_known:
        return _gap(ext, f"torch {torch.version} is not in our table")
    missing = first_stop(ext, row, torch)
    without = f"stops with “{missing.log}”" if missing else "compiles"
    return _gap(ext, f"which wheels {version} has was not read ({row.seen}), and without one it {without}")


def _early_stops(ext: ExtInstall, torch: TorchIn, builder: str | None) -> Iterator[Forecast]:
    """What setup.py meets before it looks for a wheel: its imports, then nvcc."""
    for module, is_certain in missing_before(ext, builder).items():
        if is_certain:
            yield fails(ext, NO_MODULE.format(module), NOT_INSTALLED, "iso-missing-build-deps")
    if torch.held is Held.ABSENT and comes_before_torch(ext):
        yield fails(ext, NO_MODULE.format("torch"), NOT_INSTALLED, "ord-ext-before-torch")
    if torch.known and (stop := setuptools_stop(ext, torch.known.version)):
        yield stop
    if stop := _without_nvcc(ext):
        yield stop


def _without_nvcc(ext: ExtInstall) -> Forecast | None:
    """mamba-ssm and causal-conv1d read nvcc's version first; flash-attn only where there is a CUDA folder."""
    if has_nvcc(ext.image, ext.n) is not False or is_cuda_skipped(ext):
        return None
    base = ext.base
    home = variables(ext).get("CUDA_HOME")
    folder = home if isinstance(home, str) else "/usr/local/cuda" if base is not None and base.cuda_tag else None
    if folder is not None:
        log = f"FileNotFoundError: [Errno 2] No such file or directory: '{folder}/bin/nvcc'"
    elif ext.name == "flash-attn":
        if not is_build_forced(ext) and not isinstance(wheel_asked_for(ext), NoWheel):
            return None
        log = "OSError: CUDA_HOME environment variable is not set. Please set it to your CUDA install root."
    else:
        log = "NameError: name 'bare_metal_version' is not defined"
    return fails(ext, log, f"{_base(ext)} has no nvcc", "tool-ext-no-nvcc")


def _fetched(ext: ExtInstall, torch: Torch, wheel: Wheel, builder: str | None) -> Forecast:
    how, is_certain = f"fetches {wheel.filename}", torch.is_exact and ext.version is not None
    if wheel.broken:
        remedy = f"pin {ext.name} to a release whose wheel for torch {minor(torch.version)} is sound"
        return _broken(ext, how, wheel.broken, floor_rule(ext, torch), remedy, is_certain=is_certain)
    why = f"prebuilt wheel {wheel.filename}" + _of_today(torch)
    good = Forecast(ext, Outcome.WHEEL, why, wheel=wheel, is_certain=is_certain)
    return _meets(ext, builder, how) or good


def _compiled(ext: ExtInstall, row: Release, torch: Torch, why: str, builder: str | None) -> Forecast:
    stop, is_certain = first_stop(ext, row, torch), torch.is_exact and ext.version is not None
    if stop is not None:
        return replace(stop, why=f"it must compile ({why}), and {stop.why}", is_certain=is_certain)
    return _meets(ext, builder, "compiles") or _source(ext, row, why + _of_today(torch), is_certain=is_certain)


def _source(ext: ExtInstall, row: Release, why: str, *, is_certain: bool = True) -> Forecast:
    base, measured = ext.base, wheels.build_time(ext.name)
    nvcc = base.cuda if base is not None and base.flavour == "devel" else None
    if measured is None:
        text = f"source build, of a length that we did not measure ({why})"
        return Forecast(ext, Outcome.SOURCE, text, is_certain=is_certain)
    is_split = "split-compile" in str(variables(ext).get("NVCC_APPEND_FLAGS", ""))
    is_split = is_split and nvcc is not None and number(nvcc) >= SPLITS_FROM
    minutes = (measured.split_s if is_split else measured.seconds) / 60
    most = len(wheels.archs_of(row, nvcc)) if nvcc else 0
    basis = f"measured on {measured.cores} cores for {measured.archs} GPU architecture"
    basis += f"; this build is for {most}" if most > measured.archs else ""
    text = f"source build, about {math.ceil(minutes)} min or more ({basis}); {why}"
    return Forecast(ext, Outcome.SOURCE, text, minutes=minutes, is_certain=is_certain)


def _skipped(ext: ExtInstall, why: str) -> Forecast:
    flag = f"{prefix_of(ext)}_SKIP_CUDA_BUILD"
    remedy = f"pin {ext.name} to a release with a wheel for this torch, or unset {flag}"
    return Forecast(ext, Outcome.NO_KERNELS, f"installs without kernels: {flag}=TRUE, and {why}", remedy=remedy)


def _torch_not_known(ext: ExtInstall, torch: TorchIn) -> str:
    if torch.held is Held.BROUGHT and torch.install is not None:
        return "which torch another package brings before it is not in the text"
    if torch.held is Held.LOOSE:
        return "which torch the step before brings is not in our table"
    return f"which torch {_base(ext)} and the steps before bring is not in the text"


def _base(ext: ExtInstall) -> str:
    base = ext.base
    return (base.reference or base.step.method) if base is not None else "the base"


def _of_today(torch: Torch) -> str:
    return "" if torch.is_exact else f" (torch has no pin: today {torch.version})"
