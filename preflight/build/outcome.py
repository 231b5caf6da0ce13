"""Whether installing an extension compiles, or fetches a release wheel: known from the tables, or not known."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from preflight.app.model import Unresolved
from preflight.build.ext_steps import ExtInstall, Form
from preflight.build.surroundings import env_before, python_of
from preflight.build.torch_in import torch_before
from preflight.facts import wheels
from preflight.facts.wheels import NoWheel, Wheel


class Outcome(StrEnum):
    WHEEL = "wheel"  # a file that fits is on the release page
    SOURCE = "source"  # it compiles
    UNKNOWN = "unknown"


def outcome_of(ext: ExtInstall) -> Outcome:
    """What pip's install comes to.  Isolated builds see the newest torch, for which no wheel is published."""
    if ext.may_be_wheel:
        return Outcome.WHEEL if ext.form is Form.WHEEL else Outcome.UNKNOWN
    if not ext.row.has_release_wheels or is_build_forced(ext):
        return Outcome.SOURCE
    if is_build_forced(ext) is None:
        return Outcome.UNKNOWN
    found = release_wheel(ext)
    if isinstance(found, Wheel):
        return Outcome.UNKNOWN if found.broken else Outcome.WHEEL
    if isinstance(found, NoWheel):
        return Outcome.SOURCE
    return Outcome.UNKNOWN


def release_wheel(ext: ExtInstall) -> Wheel | NoWheel | None:
    """The wheel that setup.py asks for under the torch that stands before it; None when something is not known."""
    if ext.form is not Form.INDEX or ext.is_isolated:
        return None
    return wheel_asked_for(ext)


def wheel_asked_for(ext: ExtInstall) -> Wheel | NoWheel | None:
    """The same of a build from git too, and as if nothing were isolated."""
    torch = torch_before(ext.image, ext.n, ext.install).known
    version, python = version_of(ext), python_of(ext.image)
    if version is None or torch is None or torch.cuda in (None, "cpu") or torch.has_cxx11_abi is None:
        return None
    found = wheels.wheel_for(
        ext.name,
        version,
        torch=torch.version,
        cuda=torch.cuda,
        python=python or "3.11",
        abi=torch.has_cxx11_abi,
    )
    if python is None:  # what no Python has is missing for ours too
        return found if isinstance(found, NoWheel) and "Python" not in found.why else None
    return found


def version_of(ext: ExtInstall) -> str | None:
    """The release that this step installs: the one it names, or the newest of today that its bounds allow."""
    if ext.version is not None:
        return ext.version
    if ext.form is not Form.INDEX or ext.name == "flash-attn":  # not every release of flash-attn is in its table
        return None
    try:
        newest = wheels.newest_within(ext.name, SpecifierSet(ext.package.specifier))
    except InvalidSpecifier:
        return None
    return newest.version if newest else None


def is_build_forced(ext: ExtInstall) -> bool | None:
    """``*_FORCE_BUILD=TRUE``: setup.py compiles, and asks for no wheel.  None: its value is not in the text."""
    return _flag(ext, "FORCE_BUILD")


def is_cuda_skipped(ext: ExtInstall) -> bool | None:
    """``*_SKIP_CUDA_BUILD=TRUE``: setup.py fetches a wheel without looking for nvcc.  None: not in the text."""
    return _flag(ext, "SKIP_CUDA_BUILD")


def flag_not_known(ext: ExtInstall) -> str:
    """ "MAMBA_FORCE_BUILD": the variable on which the build turns and whose value is not in the text; else ""."""
    named = ((is_build_forced(ext), "FORCE_BUILD"), (is_cuda_skipped(ext), "SKIP_CUDA_BUILD"))
    return next((f"{prefix_of(ext)}_{ending}" for known, ending in named if known is None), "")


def _flag(ext: ExtInstall, ending: str) -> bool | None:
    value = variables(ext).get(f"{prefix_of(ext)}_{ending}", "")
    return None if isinstance(value, Unresolved) else str(value).upper() == "TRUE"


def variables(ext: ExtInstall) -> Mapping[str, Any]:
    """What the environment of this step says: the image's own, and what the command sets for itself."""
    return {**env_before(ext.image, ext.n), **ext.install.env}


def prefix_of(ext: ExtInstall) -> str:
    """ "MAMBA": what the names of the variables that setup.py reads begin with."""
    return {"flash-attn": "FLASH_ATTENTION"}.get(ext.name, ext.name.upper().replace("-", "_").removesuffix("_SSM"))
