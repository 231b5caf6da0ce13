"""The table of kernels each block should launch (kernels.toml), typed on load."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from packaging.version import InvalidVersion, Version

SUMMED = (
    "A_log",
    "B_bias",
    "C_bias",
    "conv1d.bias",
    "dt_bias",
    "dt_proj.bias",
    "dt_proj.weight",
    "gradient of D",
    "x_proj.weight",
)


class How(StrEnum):
    READ = "read"
    RAN = "ran"
    INFERRED = "inferred"


@dataclass(frozen=True)
class Kernel:
    """``names`` are the spellings it may have: one of them stands in the name of what was launched."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return self.names[0]

    def is_in(self, launched: Iterable[str]) -> bool:
        return any(name in seen for seen in launched for name in self.names)


@dataclass(frozen=True)
class Expected:
    block: str
    since: Version
    until: Version
    scan_forward: tuple[Kernel, ...]
    scan_backward: tuple[Kernel, ...]
    conv_forward: tuple[Kernel, ...]
    conv_backward: tuple[Kernel, ...]
    computes_in: str  # the dtype that its kernels cast to whatever they are given; empty where they keep it
    source: str
    seen: date
    how: How

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        return self.scan_forward + self.scan_backward + self.conv_forward + self.conv_backward


@dataclass(frozen=True)
class Limit:
    """Relative L2 distances to the reference up to which the numbers of a dtype are right."""

    dtype: str
    output: float
    gradient: float
    summed_gradient: float
    source: str
    seen: date
    how: How

    def of(self, what: str) -> float:
        if what == "output":
            return self.output
        return self.summed_gradient if what.endswith(SUMMED) else self.gradient


@dataclass(frozen=True)
class Table:
    expected: tuple[Expected, ...]
    limits: tuple[Limit, ...]

    def row(self, block: str, version: str) -> tuple[Expected | None, str]:
        """The row for this mamba-ssm; for a version not in the table the nearest, and a word on it."""
        rows = sorted((e for e in self.expected if e.block == block), key=lambda e: e.until)
        if not rows:
            return None, f"no row for {block} in kernels.toml"
        try:
            wanted = Version(version)
        except InvalidVersion:
            return rows[-1], f"mamba-ssm's version is not known; compared with {rows[-1].until}"
        for row in rows:
            if row.since <= wanted <= row.until:
                return row, ""
        nearest = rows[-1] if wanted > rows[-1].until else rows[0]
        bound = nearest.until if wanted > nearest.until else nearest.since
        return (
            nearest,
            f"no row for {block} of mamba-ssm {version}; compared with {bound} (read {nearest.seen})",
        )

    def limit(self, dtype: str) -> Limit | None:
        return next((limit for limit in self.limits if limit.dtype == dtype), None)


def _kernels(names: list[str]) -> tuple[Kernel, ...]:
    return tuple(Kernel(tuple(name.split("|"))) for name in names)


def _expected(row: dict[str, Any]) -> Expected:
    sets = {k: _kernels(row[k]) for k in ("scan_forward", "scan_backward", "conv_forward", "conv_backward")}
    return Expected(
        block=str(row["block"]),
        since=Version(row["since"]),
        until=Version(row["until"]),
        computes_in=str(row.get("computes_in", "")),
        source=str(row["source"]),
        seen=row["seen"],
        how=How(row["how"]),
        **sets,
    )


@cache
def table() -> Table:
    data = tomllib.loads(files("preflight.probe").joinpath("kernels.toml").read_text(encoding="utf-8"))
    limits = tuple(Limit(**{**row, "how": How(row["how"])}) for row in data["limit"])
    return Table(tuple(_expected(row) for row in data["expected"]), limits)
