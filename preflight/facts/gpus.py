"""What Modal calls its GPUs."""

from __future__ import annotations

from preflight.facts.in_force import kept
from preflight.facts.load import rows
from preflight.facts.types import GPUS, GpuRow


@kept
def _by_name() -> dict[str, GpuRow]:
    return {n.upper(): row for row in rows(GPUS) for n in (row.name, *row.aliases)}


def gpu(written: str) -> GpuRow | None:
    """The row of ``gpu=`` as it is written: "A100-80GB", "h100!:8", "B200+".  None: no such name in the table."""
    name = written.split(":")[0].strip().upper()
    return _by_name().get(name) or _by_name().get(name.rstrip("!+"))


def gpu_names() -> tuple[str, ...]:
    return tuple(row.name for row in rows(GPUS))
