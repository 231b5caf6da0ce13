"""What will become of one step that installs an extension, in one line and as data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from preflight.build.compiling import Stop
from preflight.build.ext_steps import ExtInstall, Form
from preflight.build.outcome import variables, version_of
from preflight.build.surroundings import base_of, python_of
from preflight.build.torch_in import torch_before
from preflight.facts import wheels
from preflight.facts.torch import number
from preflight.facts.types import Release
from preflight.facts.wheels import Wheel
from preflight.model import Where

SPLITS_FROM = (12, 8)  # the first nvcc with --split-compile


class Ending(StrEnum):
    WHEEL = "wheel"  # a prebuilt wheel is fetched
    SOURCE = "source"  # it compiles
    FAILS = "fails"  # the image build stops at this step
    NO_KERNELS = "no-kernels"  # it installs, and holds no CUDA code
    BROKEN = "broken"  # it installs, and fails at the import
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """``said`` is one line; ``log`` is the line of the build's log that it quotes, ``why`` the cause alone.

    ``told_by`` names the rule that reports this cause, "" when none does.  ``is_certain`` is False where it rests on
    what is the newest today, of torch or of the package.  ``is_gap``: a table lacks the row.  ``minutes`` is of a
    source build, at least.
    """

    ext: ExtInstall
    ending: Ending
    said: str
    log: str = ""
    why: str = ""
    version: str | None = None
    wheel: Wheel | None = None
    minutes: float | None = None
    told_by: str = ""
    remedy: str = ""
    is_certain: bool = True
    is_gap: bool = False

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

    @property
    def is_good(self) -> bool:
        return self.ending in (Ending.WHEEL, Ending.SOURCE)


def source(ext: ExtInstall, row: Release, why: str, *, is_certain: bool = True) -> Forecast:
    base, measured = base_of(ext.image), wheels.build_time(ext.name)
    nvcc = base.cuda if base is not None and base.flavour == "devel" else None
    if measured is None:
        said = f"source build, of a length that we did not measure ({why})"
        return Forecast(ext=ext, ending=Ending.SOURCE, said=said, version=row.version, is_certain=is_certain)
    is_split = "split-compile" in str(variables(ext).get("NVCC_APPEND_FLAGS", ""))
    is_split = is_split and nvcc is not None and number(nvcc) >= SPLITS_FROM
    minutes = (measured.split_s if is_split else measured.seconds) / 60
    most = len(wheels.archs_of(row, nvcc)) if nvcc else 0
    basis = f"measured on {measured.cores} cores for {measured.archs} GPU architecture"
    basis += f"; this build is for {most}" if most > measured.archs else ""
    said = f"source build, about {math.ceil(minutes)} min or more ({basis}); {why}"
    return Forecast(
        ext=ext, ending=Ending.SOURCE, said=said, version=row.version, minutes=minutes, is_certain=is_certain
    )


def fails(ext: ExtInstall, stop: Stop, *, is_certain: bool = True) -> Forecast:
    return Forecast(
        ext=ext,
        ending=Ending.FAILS,
        said=f"stops with “{stop.message}”: {stop.why}",
        log=stop.message,
        why=stop.why,
        version=version_of(ext),
        told_by=stop.told_by,
        remedy=stop.remedy,
        is_certain=is_certain,
    )


def missing_module(ext: ExtInstall, module: str, why: str, told_by: str) -> Forecast:
    return fails(ext, Stop(f"ModuleNotFoundError: No module named '{module}'", why, told_by))


def broken(
    ext: ExtInstall, how: str, why: str, *, told_by: str = "", is_certain: bool = True, remedy: str = ""
) -> Forecast:
    return Forecast(
        ext=ext,
        ending=Ending.BROKEN,
        said=f"{how}, and then fails: {why}",
        version=version_of(ext),
        told_by=told_by,
        remedy=remedy,
        is_certain=is_certain,
    )


def unknown(ext: ExtInstall, why: str, told_by: str = "", *, is_gap: bool = False) -> Forecast:
    return Forecast(
        ext=ext,
        ending=Ending.UNKNOWN,
        said=f"not known: {why}",
        version=version_of(ext),
        told_by=told_by,
        is_gap=is_gap,
        remedy=_other_release(ext) if is_gap else "",
    )


def _other_release(ext: ExtInstall) -> str:
    fits = _release_in_table(ext)
    if fits is None:
        return f"pin a release of {ext.name} that is in our tables, or install a wheel by its address"
    return f"pin {ext.name}=={fits}, whose wheel for this torch is in our table, or install a wheel by its address"


def no_row(ext: ExtInstall, version: str | None, told_by: str = "") -> Forecast:
    newest = max((r.seen for r in wheels.releases(ext.name)), default=None)
    what = f"release {version} of {ext.name}" if version else f"a release that fits “{ext.package.written}”"
    return unknown(ext, f"{what} is not in our table (read {newest})", told_by, is_gap=not told_by)


def _release_in_table(ext: ExtInstall) -> str | None:
    """The newest release that has a sound wheel for the torch and the Python of this step; None: not known."""
    torch, python = torch_before(ext.image, ext.n, ext.install).known, python_of(ext.image)
    if torch is None or torch.cuda in (None, "cpu") or python is None or torch.has_cxx11_abi is None:
        return None
    row = wheels.newest_with_wheel(
        ext.name, torch=torch.version, cuda=torch.cuda, python=python, abi=torch.has_cxx11_abi
    )
    return row.version if row else None
