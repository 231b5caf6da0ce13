"""The blocks, the kernels they launch (kernels.toml) and how far their numbers may be off, typed on load."""

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
    source: str
    seen: date
    how: How

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        return self.scan_forward + self.scan_backward + self.conv_forward + self.conv_backward


@dataclass(frozen=True)
class Block:
    """A block as it is run by itself and told in a model.  ``unreferenced`` classes launch its kernels, and compute
    something that its reference does not."""

    name: str
    classes: tuple[str, ...]
    unreferenced: tuple[str, ...]
    reference: str
    width: int
    length: int
    memory_gib: float
    source: str
    seen: date
    how: How


@dataclass(frozen=True)
class Limit:
    """How far a tensor may be off: ``relative`` as a distance, ``scale`` as a factor; from a measurement or not."""

    relative: float
    scale: float
    is_measured: bool


@dataclass(frozen=True)
class Table:
    blocks: tuple[Block, ...]
    expected: tuple[Expected, ...]
    coarse: dict[str, float]
    healthy: dict[tuple[str, str], dict[str, tuple[float, float]]]

    def block(self, name: str) -> Block | None:
        return next((b for b in self.blocks if b.name == name), None)

    @property
    def watched(self) -> tuple[str, ...]:
        """Every kernel of the table, in the spelling that the payload counts by."""
        return tuple(dict.fromkeys("|".join(k.names) for e in self.expected for k in e.kernels))

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

    def limit(self, block: str, dtype: str, what: str) -> Limit | None:
        """For one tensor; the coarse one of its dtype where no healthy distance was measured, None where none is."""
        fine = dtype.partition(" ")[0]
        relative, scale = self.healthy.get((block, dtype), {}).get(what, (0.0, 0.0))
        if relative:
            least_relative, least_scale = LEAST[fine]
            factor = FAINT_FACTOR if relative < FAINT else FACTOR
            return Limit(max(factor * relative, least_relative), max(factor * scale, least_scale), True)
        coarse = self.coarse.get(fine)
        return None if coarse is None else Limit(coarse, coarse, False)


# A limit is a healthy distance, the worst of those measured, times this.  From one seed to the next rounding differs by
# 20 %, sums that cancel by a factor of 2.5; what is exact but for the order of its sums gets more room.
FACTOR, FAINT_FACTOR, FAINT = 4.0, 10.0, 2e-5
LEAST = {"float32": (1e-5, 1e-5), "float16": (1e-3, 5e-4), "bfloat16": (8e-3, 2e-3)}  # (relative, scale)


def _kernels(names: list[str]) -> tuple[Kernel, ...]:
    return tuple(Kernel(tuple(name.split("|"))) for name in names)


def _expected(row: dict[str, Any]) -> Expected:
    sets = {k: _kernels(row[k]) for k in ("scan_forward", "scan_backward", "conv_forward", "conv_backward")}
    return Expected(
        block=str(row["block"]),
        since=Version(row["since"]),
        until=Version(row["until"]),
        source=str(row["source"]),
        seen=row["seen"],
        how=How(row["how"]),
        **sets,
    )


def _block(row: dict[str, Any]) -> Block:
    lists = {key: tuple(row.get(key, ())) for key in ("classes", "unreferenced")}
    return Block(**{**row, **lists, "how": How(row["how"])})


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("preflight.probe").joinpath(name).read_text(encoding="utf-8"))


@cache
def table() -> Table:
    data = _read("kernels.toml")
    healthy = {
        (row["block"], row["dtype"]): {what: (float(a), float(b)) for what, (a, b) in row["off"].items()}
        for row in _read("healthy.toml").get("healthy", ())
    }
    return Table(
        blocks=tuple(_block(row) for row in data["block"]),
        expected=tuple(_expected(row) for row in data["expected"]),
        coarse={row["dtype"]: float(row["off"]) for row in data["coarse"]},
        healthy=healthy,
    )
