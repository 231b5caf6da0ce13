"""What becomes of a step that installs an extension, as data; and what its install alone comes to, by the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from preflight.app.model import Unresolved
from preflight.build.ext_steps import ExtInstall, Form
from preflight.build.surroundings import env_before
from preflight.facts import wheels
from preflight.facts.wheels import NoWheel, Wheel
from preflight.model import Where


class Outcome(StrEnum):
    WHEEL = "wheel"  # a prebuilt wheel is fetched
    SOURCE = "source"  # it compiles
    FAILS = "fails"  # the image build stops at this step
    NO_KERNELS = "no-kernels"  # it installs, and holds no CUDA code
    BROKEN = "broken"  # it installs, and fails at the import
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Forecast:
    """``log`` is the line of the build's log that it quotes; ``rule`` the one that reports this cause, "" for none.

    ``is_certain`` is False where it rests on what is the newest today, of torch or of the package.  ``is_gap``: a
    table lacks the row.  ``minutes`` is of a source build, at least.
    """

    ext: ExtInstall
    outcome: Outcome
    why: str
    _: KW_ONLY
    log: str = ""
    rule: str = ""
    remedy: str = ""
    wheel: Wheel | None = None
    minutes: float | None = None
    is_certain: bool = True
    is_gap: bool = False

    @property
    def text(self) -> str:
        """In one line."""
        before = {Outcome.FAILS: f"stops with “{self.log}”: ", Outcome.UNKNOWN: "not known: "}
        return before.get(self.outcome, "") + self.why

    @property
    def version(self) -> str | None:
        return version_of(self.ext)

    @property
    def subject(self) -> str:
        return f"{self.ext.name} {self.version}" if self.version else self.ext.name

    @property
    def where(self) -> Where:
        return self.ext.where

    @property
    def is_wheel_the_only_way(self) -> bool:
        """The sdist holds no sources to build from where the wheel is not there."""
        row = wheels.release(self.ext.name, self.version) if self.version else None
        return row is not None and row.sdist_has_sources is False and self.ext.form is Form.INDEX


def fails(
    ext: ExtInstall, log: str, why: str, rule: str = "", remedy: str = "", *, is_certain: bool = True
) -> Forecast:
    return Forecast(ext, Outcome.FAILS, why, log=log, rule=rule, remedy=remedy, is_certain=is_certain)


def outcome_of(ext: ExtInstall) -> Outcome:
    """What pip's install comes to where nothing stops it: WHEEL, SOURCE or UNKNOWN.

    Isolated builds see the newest torch, for which no wheel is published.
    """
    if ext.may_be_wheel:
        return Outcome.WHEEL if ext.form is Form.WHEEL else Outcome.UNKNOWN
    if not ext.row.has_release_wheels or is_build_forced(ext):
        return Outcome.SOURCE
    found = release_wheel(ext)
    if is_build_forced(ext) is None or found is None or (isinstance(found, Wheel) and found.broken):
        return Outcome.UNKNOWN
    return Outcome.WHEEL if isinstance(found, Wheel) else Outcome.SOURCE


def release_wheel(ext: ExtInstall) -> Wheel | NoWheel | None:
    """The wheel that setup.py asks for under the torch that stands before it; None when something is not known."""
    return wheel_asked_for(ext) if ext.form is Form.INDEX and not ext.is_isolated else None


def wheel_asked_for(ext: ExtInstall) -> Wheel | NoWheel | None:
    """The same of a build from git too, and as if nothing were isolated."""
    torch = ext.torch.known
    version, python = version_of(ext), ext.python
    if version is None or torch is None or torch.cuda in (None, "cpu") or torch.has_cxx11_abi is None:
        return None
    found = wheels.wheel_for(
        ext.name, version, torch=torch.version, cuda=torch.cuda, python=python or "3.11", abi=torch.has_cxx11_abi
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
    ending = next((e for e in ("FORCE_BUILD", "SKIP_CUDA_BUILD") if _flag(ext, e) is None), "")
    return f"{prefix_of(ext)}_{ending}" if ending else ""


def _flag(ext: ExtInstall, ending: str) -> bool | None:
    value = variables(ext).get(f"{prefix_of(ext)}_{ending}", "")
    return None if isinstance(value, Unresolved) else str(value).upper() == "TRUE"


def variables(ext: ExtInstall) -> Mapping[str, Any]:
    """What the environment of this step says: the image's own, and what the command sets for itself."""
    return {**env_before(ext.image, ext.n), **ext.install.env}


def prefix_of(ext: ExtInstall) -> str:
    """ "MAMBA": what the names of the variables that setup.py reads begin with."""
    return {"flash-attn": "FLASH_ATTENTION"}.get(ext.name, ext.name.upper().replace("-", "_").removesuffix("_SSM"))
