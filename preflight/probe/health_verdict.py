"""Whether a GPU is what its name says: its speed against health.toml and its neighbours, its errors, its heat."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from statistics import median
from typing import TypedDict

from preflight.probe.expected import HealthyGpu, healthy_gpus
from preflight.probe.reading import Answered, Card, Outcome, Reading

SLOW, SLOWER_THAN_NEIGHBOURS, SLOW_LINK = 0.75, 0.85, 0.5
HOT_C = 87
BY_DESIGN = 0x1 | 0x2 | 0x4 | 0x100  # idle, application clocks, the power cap, display clocks
REASONS = {0x8: "hardware slowdown", 0x20: "software thermal", 0x40: "hardware thermal", 0x80: "power brake"}
NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class Lemon:
    """One thing wrong with one GPU, in numbers.  It is certain to hurt where the numbers are wrong, not slow."""

    rank: int
    fault: str
    is_certain: bool


class Figures(TypedDict):
    tflops: float | None
    copy_gbps: float | None
    reduce_gbps: float | None


class GpuHealth(Figures):
    """One GPU: what was measured, what the table says, what is wrong."""

    index: int
    name: str
    sum_is_right: bool | None
    healthy: Figures | None
    loaded: dict[str, str]
    findings: list[str]
    is_certain: bool


def fact_of(name: str) -> HealthyGpu | None:
    return next((row for row in healthy_gpus() if row.name in name), None)


def lemons(reading: Reading) -> tuple[Lemon, ...]:
    found = [lemon for number, card in enumerate(reading.cards) for lemon in _of(number, card, reading)]
    for number, row in enumerate(reading.at_rest):
        errors = row.get("ecc.errors.uncorrected.volatile.total", "")
        if errors.isdecimal() and errors.strip("0"):
            found.append(Lemon(number, f"{errors} uncorrected ECC errors since its driver loaded", True))
    return tuple(found)


def _of(number: int, answer: Answered[Card], reading: Reading) -> list[Lemon]:
    card = answer.value
    if answer.outcome is not Outcome.OK or card is None:
        why = str(answer.error) if answer.error else answer.signal or answer.outcome.value
        return [Lemon(number, f"it gave no answer in {answer.at or 'its first call'}: {why}", True)]
    fact = fact_of(card.name)
    others = [c.value for c in reading.cards if c.value is not None and c is not answer]
    found: list[Lemon] = []
    if card.sum_is_right is False:
        found.append(Lemon(card.rank, f"the all-reduce of {len(reading.cards)} GPUs gave it a wrong sum", True))
    speeds = (
        (card.tflops, "tflops", [c.tflops for c in others], "bfloat16 products", "TFLOP/s", SLOW),
        (card.copy_gbps, "copy_gbps", [c.copy_gbps for c in others], "copies", "GB/s", SLOW),
        (card.reduce_gbps, "reduce_gbps", list[float](), "the all-reduce", "GB/s", SLOW_LINK),
    )
    for speed, key, neighbours, what, unit, share in speeds:
        healthy: float | None = getattr(fact, key, None)
        if speed is not None and healthy and speed < share * healthy:
            found.append(Lemon(card.rank, f"{what} at {speed:.0f} {unit}; healthy is {healthy:.0f}", False))
        elif speed is not None and neighbours and speed < SLOWER_THAN_NEIGHBOURS * median(neighbours):
            usual = f"its neighbours do {median(neighbours):.0f}"
            found.append(Lemon(card.rank, f"{what} at {speed:.0f} {unit}; {usual}", False))
    heat = NUMBER.match(card.loaded.get("temperature.gpu", ""))
    if heat is not None and float(heat[0]) >= HOT_C:
        found.append(Lemon(card.rank, f"{float(heat[0]):.0f} °C after {card.tflops:.0f} TFLOP/s for a moment", False))
    mask = card.loaded.get("clocks_throttle_reasons.active", "")
    with contextlib.suppress(ValueError):  # where the driver does not know it
        bits = int(mask, 16) & ~BY_DESIGN
        reasons = ", ".join(reason for bit, reason in REASONS.items() if bits & bit)
        found += [Lemon(card.rank, f"its clocks are held back: {reasons}", False)] if reasons else []
    return found


def health(reading: Reading) -> list[GpuHealth]:
    wrong, rows = lemons(reading), list[GpuHealth]()
    for number, answer in enumerate(reading.cards):
        card, mine = answer.value, [x for x in wrong if x.rank == number]
        fact = fact_of(card.name) if card else None
        rows.append(
            {
                "index": number,
                "name": card.name if card else "",
                **_figures(card),
                "sum_is_right": card.sum_is_right if card else None,
                "healthy": _figures(fact) if fact else None,
                "loaded": dict(card.loaded) if card else {},
                "findings": [x.fault for x in mine],
                "is_certain": any(x.is_certain for x in mine),
            }
        )
    return rows


def _figures(of: Card | HealthyGpu | None) -> Figures:
    if of is None:
        return {"tflops": None, "copy_gbps": None, "reduce_gbps": None}
    return {"tflops": of.tflops, "copy_gbps": of.copy_gbps, "reduce_gbps": of.reduce_gbps}
