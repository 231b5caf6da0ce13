"""The blocks, the kernels they launch, what a healthy GPU does, and how far numbers may be off: the room's tables.

A kernel is written as in kernels.toml: ``a|b`` where it has either of two names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from packaging.version import InvalidVersion, Version

from preflight.facts.types import Row
from preflight.toml_rows import Typed, typed


def is_in(kernel: str, launched: Iterable[str]) -> bool:
    """Whether one of its spellings stands in the name of something that was launched."""
    return any(spelling in name for name in launched for spelling in kernel.split("|"))


def shown(kernel: str) -> str:
    return kernel.partition("|")[0]


class Expected(Row, frozen=True, kw_only=True):
    """What a block launches, from one mamba-ssm to another."""

    block: str
    since: str
    until: str
    scan_forward: tuple[str, ...]
    scan_backward: tuple[str, ...]
    conv_forward: tuple[str, ...]
    conv_backward: tuple[str, ...]

    @property
    def kernels(self) -> tuple[str, ...]:
        return self.scan_forward + self.scan_backward + self.conv_forward + self.conv_backward


class Block(Row, frozen=True, kw_only=True):
    """A block as it is run by itself and recognised in a model.  ``unreferenced`` classes launch its kernels, and
    compute something that its reference does not."""

    name: str
    classes: tuple[str, ...]
    reference: str
    width: int
    length: int
    memory_gib: float
    unreferenced: tuple[str, ...] = ()


class Coarse(Row, frozen=True, kw_only=True):
    dtype: str
    off: float


class Healthy(Row, frozen=True, kw_only=True):
    """Per tensor, (relative, distance of the scale from 1) of healthy kernels: the worst of ``runs``."""

    block: str
    dtype: str
    runs: int
    off: dict[str, tuple[float, float]]


class HealthyGpu(Row, frozen=True, kw_only=True):
    name: str
    tflops: float | None = None
    copy_gbps: float | None = None
    reduce_gbps: float | None = None


@dataclass(frozen=True)
class Limit:
    """How far a tensor may be off: ``relative`` as a distance, ``scale`` as a factor."""

    relative: float
    scale: float


# A limit is a healthy distance, the worst of those measured, times this.  From one seed to the next rounding differs by
# 20 %, sums that cancel by a factor of 2.5; what is exact but for the order of its sums gets more room.
FACTOR, FAINT_FACTOR, FAINT = 4.0, 10.0, 2e-5
LEAST = {"float32": (1e-5, 1e-5), "float16": (1e-3, 5e-4), "bfloat16": (8e-3, 2e-3)}  # (relative, scale)


class Table(Typed, frozen=True, kw_only=True, rename={"blocks": "block"}):
    blocks: tuple[Block, ...]
    expected: tuple[Expected, ...]
    coarse: tuple[Coarse, ...]

    def block(self, name: str) -> Block | None:
        return next((b for b in self.blocks if b.name == name), None)

    @property
    def watched(self) -> tuple[str, ...]:
        """Every kernel of the table."""
        return tuple(dict.fromkeys(k for e in self.expected for k in e.kernels))

    def rows_of(self, block: str) -> list[Expected]:
        """The block's rows, the oldest mamba-ssm first."""
        return sorted((e for e in self.expected if e.block == block), key=lambda e: Version(e.until))

    def row(self, block: str, version: str) -> tuple[Expected | None, str]:
        """The row for this mamba-ssm; for a version not in the table the nearest, and a word on it."""
        rows = self.rows_of(block)
        if not rows:
            return None, f"no row for {block} in kernels.toml"
        try:
            wanted = Version(version)
        except InvalidVersion:
            return rows[-1], f"mamba-ssm's version is not known; compared with {rows[-1].until}"
        for row in rows:
            if Version(row.since) <= wanted <= Version(row.until):
                return row, ""
        nearest = rows[-1] if wanted > Version(rows[-1].until) else rows[0]
        bound = nearest.until if wanted > Version(nearest.until) else nearest.since
        return nearest, f"no row for {block} of mamba-ssm {version}; compared with {bound} (read {nearest.seen})"

    def limit(self, block: str, dtype: str, what: str) -> Limit | None:
        """For one tensor; the coarse one of its dtype where no healthy distance was measured, None where none is."""
        fine = dtype.partition(" ")[0]
        measured = next((row.off for row in _distances() if (row.block, row.dtype) == (block, dtype)), {})
        if what in measured:
            (relative, scale), (least_relative, least_scale) = measured[what], LEAST[fine]
            factor = FAINT_FACTOR if relative < FAINT else FACTOR
            return Limit(max(factor * relative, least_relative), max(factor * scale, least_scale))
        return next((Limit(row.off, row.off) for row in self.coarse if row.dtype == fine), None)


def _tables(name: str) -> dict[str, object]:
    return tomllib.loads(files("preflight.probe").joinpath(name).read_text("utf-8"))


@cache
def table() -> Table:
    return typed(_tables("kernels.toml"), Table, "kernels.toml")


@cache
def _distances() -> tuple[Healthy, ...]:
    return typed(_tables("healthy.toml")["healthy"], tuple[Healthy, ...], "healthy.toml")


@cache
def healthy_gpus() -> tuple[HealthyGpu, ...]:
    return typed(_tables("health.toml")["gpu"], tuple[HealthyGpu, ...], "health.toml")
