"""Whether a GPU is what its name says: its speed against health.toml and its neighbours, its errors, its heat."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import median

from preflight.model import Json
from preflight.probe.reading import Card, Outcome, Reading

SLOW, SLOWER_THAN_NEIGHBOURS, SLOW_LINK = 0.75, 0.85, 0.5
HOT_C = 87
BY_DESIGN = 0x1 | 0x2 | 0x4 | 0x100  # idle, application clocks, the power cap, display clocks
REASONS = {0x8: "hardware slowdown", 0x20: "software thermal", 0x40: "hardware thermal", 0x80: "power brake"}
NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class Lemon:
    """One thing wrong with one GPU, in numbers.  It is certain to hurt where the numbers are wrong, not slow."""

    rank: int
    said: str
    is_certain: bool


@cache
def _facts() -> tuple[dict[str, Json], ...]:
    rows: list[dict[str, Json]] = tomllib.loads(
        files("preflight.probe").joinpath("health.toml").read_text(encoding="utf-8")
    )["gpu"]
    return tuple(rows)


def fact_of(name: str) -> dict[str, Json] | None:
    return next((row for row in _facts() if row["name"] in name), None)


def lemons(reading: Reading) -> tuple[Lemon, ...]:
    found = [lemon for card in reading.cards for lemon in _of(card, reading)]
    for row in reading.at_rest:
        errors = row.get("ecc.errors.uncorrected.volatile.total", "")
        if errors.isdigit() and int(errors):
            found.append(Lemon(int(row["index"]), f"{errors} uncorrected ECC errors since its driver loaded", True))
    return tuple(found)


def _of(card: Card, reading: Reading) -> list[Lemon]:
    if card.step.outcome is not Outcome.OK:
        number = reading.cards.index(card)
        why = str(card.step.error) if card.step.error else card.step.signal or card.step.outcome.value
        return [Lemon(number, f"it gave no answer in {card.step.at or 'its first call'}: {why}", True)]
    rank, fact, found = card.rank, fact_of(card.name), []
    if card.sum_is_right is False:
        found.append(Lemon(rank, f"the all-reduce of {len(reading.cards)} GPUs gave it a wrong sum", True))
    speeds = (
        ("tflops", card.tflops, "bfloat16 products", "TFLOP/s", SLOW),
        ("copy_gbps", card.copy_gbps, "copies", "GB/s", SLOW),
        ("reduce_gbps", card.reduce_gbps, "the all-reduce", "GB/s", SLOW_LINK),
    )
    for key, got, what, unit, share in speeds:
        wanted = fact.get(key) if fact else None
        if got is not None and wanted and got < share * wanted:
            found.append(Lemon(rank, f"{what} at {got:.0f} {unit}; healthy is {wanted:.0f}", False))
            continue
        others = [v for c in reading.cards if c is not card and (v := getattr(c, key)) is not None]
        if got is not None and key != "reduce_gbps" and others and got < SLOWER_THAN_NEIGHBOURS * median(others):
            found.append(Lemon(rank, f"{what} at {got:.0f} {unit}; its neighbours do {median(others):.0f}", False))
    heat = _number(card.loaded.get("temperature.gpu", ""))
    if heat is not None and heat >= HOT_C:
        found.append(Lemon(rank, f"{heat:.0f} °C after {card.tflops:.0f} TFLOP/s for a moment", False))
    held = _reasons(card.loaded.get("clocks_throttle_reasons.active", ""))
    if held:
        found.append(Lemon(rank, f"its clocks are held back: {', '.join(held)}", False))
    return found


def _number(text: str) -> float | None:
    found = NUMBER.match(text)
    return float(found[0]) if found else None


def _reasons(text: str) -> list[str]:
    try:
        mask = int(text, 16) & ~BY_DESIGN
    except ValueError:
        return []
    return [said for bit, said in REASONS.items() if mask & bit]


def health_json(reading: Reading) -> list[dict[str, Json]]:
    """One row a GPU: what was measured, what the table says, what is wrong."""
    wrong = lemons(reading)
    rows: list[dict[str, Json]] = []
    for number, card in enumerate(reading.cards):
        fact = fact_of(card.name)
        rows.append(
            {
                "index": number,
                "name": card.name,
                "tflops": card.tflops,
                "copy_gbps": card.copy_gbps,
                "reduce_gbps": card.reduce_gbps,
                "sum_is_right": card.sum_is_right,
                "healthy": {k: fact.get(k) for k in ("tflops", "copy_gbps", "reduce_gbps")} if fact else None,
                "loaded": dict(card.loaded),
                "findings": [x.said for x in wrong if x.rank == number],
                "is_certain": any(x.is_certain for x in wrong if x.rank == number),
            }
        )
    return rows
