"""What an hour costs: Modal's rates, live, or the dated list when they can't be had.

Keys and unit are Modal's own (``modal billing rates --json``): US dollars an hour; a core is a physical one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

CPU, MEMORY = "cpu_hour_cost", "mem_gib_hour_cost"
LIST = Path(__file__).parent / "list_prices.toml"
HIGHEST_USD = Decimal(1000)  # an hour of one unit; ten times the dearest GPU: more is another unit
SUFFIXES = {"A100": "a100_40gb", "A10": "a10g", "RTX-PRO-6000": "rtx6000"}


class RateRefused(ValueError):
    """A rate is missing, or is no amount of dollars an hour; the text names it."""


@dataclass(frozen=True)
class Rates:
    """``source`` is "live" or names the list and its date."""

    usd_per_hour: Mapping[str, Decimal]
    source: str

    def of(self, key: str) -> Decimal:
        """Raises RateRefused for a key that is not there: a rate is never guessed."""
        try:
            return self.usd_per_hour[key]
        except KeyError:
            raise RateRefused(f"no rate {key} in {self.source}") from None


def read(rows: Mapping[str, object], *, source: str) -> Rates:
    """Every row checked.  Raises RateRefused for a negative, unreadable or absurd amount."""
    return Rates({key: _amount(key, value, source) for key, value in rows.items()}, source)


def _amount(key: str, value: object, source: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float | str):
        raise RateRefused(f"{key} in {source} is {value!r}, wanted dollars an hour")
    try:
        usd = Decimal(str(value))
    except InvalidOperation:
        raise RateRefused(f"{key} in {source} is {value!r}, wanted dollars an hour") from None
    if not usd.is_finite() or not 0 <= usd <= HIGHEST_USD:
        raise RateRefused(f"{key} in {source} is {value!r}, wanted 0 to {HIGHEST_USD} dollars an hour")
    return usd


def gpu_key(gpu_type: str) -> str:
    """The key of one GPU of this type: A10/A10G → a10g, A100 → a100_40gb, H100! → h100."""
    name = gpu_type.upper().rstrip("!+")
    return "gpu_hour_cost_" + SUFFIXES.get(name, name.lower().replace("-", "_"))


@cache
def listed() -> Rates:
    """The dated list shipped with this version."""
    table = tomllib.loads(LIST.read_text("utf-8"))
    return read(table["usd_per_hour"], source=f"the built-in list of {table['seen']}")
