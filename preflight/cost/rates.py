"""What an hour costs: Modal's rates, live, or the dated list when they can't be had.

Keys and unit are Modal's own (``modal billing rates --json``): US dollars an hour; a core is a physical one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path

from preflight.lookups import Looked, Lookup, LookupFailed
from preflight.problems import Kind, Problem
from preflight.remote.lookups import RATES

CPU, MEMORY = "cpu_hour_cost", "mem_gib_hour_cost"
GPU_PREFIX = "gpu_hour_cost_"
LIST = Path(__file__).parent / "list_prices.toml"
NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,18})?", re.ASCII)
OTHER_UNIT = (
    20  # times the list's price, either way: by the second, minute, day or month, and in cents, are all further
)
NEW_GPU_USD = (Decimal("0.05"), Decimal(100))  # an hour of a GPU that is not in the list
SUFFIXES = {"A100": "a100_40gb", "A10": "a10g", "RTX-PRO-6000": "rtx6000"}


class RateRefused(ValueError):
    """A rate is missing, or is no amount of dollars an hour; the text names it."""


@dataclass(frozen=True)
class Rates:
    """``source`` is "live" or names the list and its date.  A row is judged when it is asked for, and not before."""

    rows: Mapping[str, object] = field(repr=False)
    source: str

    def of(self, key: str) -> Decimal:
        """Dollars an hour.  Raises RateRefused for a key that is not there, or an amount that can't be one."""
        if key not in self.rows:
            raise RateRefused(f"no rate {key} in {self._name}")
        usd = _number(self.rows[key])
        if usd is None:
            raise RateRefused(f"{key} in {self._name} is {_shown(self.rows[key])}, wanted dollars an hour")
        least, most = _plausible(key)
        if not least <= usd <= most and not (usd == 0 and not key.startswith(GPU_PREFIX)):
            raise RateRefused(
                f"{key} in {self._name} is {_shown(self.rows[key])}; dollars an hour would be {least:f} to {most:f}, "
                "so it may be in another unit"
            )
        return usd

    @property
    def _name(self) -> str:
        return "Modal's live rates" if self.source == "live" else self.source


def _number(value: object) -> Decimal | None:
    """The value as an exact amount; None for what is no plain number: a unit, a sign, NaN, true …"""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float | str):
        return None
    if isinstance(value, Decimal):
        if not value.is_finite() or value < 0 or value.adjusted() > 12 or len(value.as_tuple().digits) > 28:
            return None
        return value if value else Decimal(0)
    if isinstance(value, int) and value.bit_length() > 64:
        return None
    text = value if isinstance(value, str) else str(value)
    return Decimal(text) if NUMBER.fullmatch(text) else None


def _plausible(key: str) -> tuple[Decimal, Decimal]:
    """Between which amounts this rate can be dollars an hour."""
    known = _number(_table()["usd_per_hour"].get(key))
    if known is None:
        return NEW_GPU_USD
    return known / OTHER_UNIT, known * OTHER_UNIT


def _shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 64:
        return "a number of more than 19 digits"
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def gpu_key(gpu_type: str) -> str:
    """The key of one GPU of this type: A10/A10G → a10g, A100 → a100_40gb, H100! → h100."""
    name = gpu_type.upper().rstrip("!+")
    return GPU_PREFIX + SUFFIXES.get(name, name.lower().replace("-", "_"))


@cache
def _table() -> dict[str, dict[str, object]]:
    return tomllib.loads(LIST.read_text("utf-8"))


@cache
def listed() -> Rates:
    """The dated list shipped with this version."""
    return Rates(_table()["usd_per_hour"], f"the built-in list of {_table()['seen']}")


async def _current(looked: Looked) -> Rates:
    """The list stands in for rates that could not be had, and never for rates that were had and make no sense."""
    live = looked.tried(RATES)
    if not isinstance(live, LookupFailed):
        return Rates(live, "live")
    cause = live.__cause__
    if isinstance(cause, Problem) and cause.kind is Kind.UNEXPECTED:  # they came, and are not numbers
        raise RateRefused(cause.message)
    return listed()


CURRENT_RATES: Lookup[Rates] = Lookup("the rates", _current, tries=(RATES,))
