"""What a run of a function will cost: Modal bills the request or the use, whichever is more, by the second.

All arithmetic is on exact fractions; the only rounding is the last one, to the cent, half up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import floor

from preflight.cost.rates import CPU, MEMORY, Rates, gpu_key

HOUR_S = 3600
GIB_MIB = 1024
DEFAULT_TIMEOUT_S = Decimal(300)
DEFAULT_CORES = Decimal("0.125")  # also the least: modal.com/docs/guide/resources
DEFAULT_MIB = Decimal(128)


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What the containers of one call ask for.  ``gpus`` are alternatives (type, count); () is none.  Memory in MiB.

    ``most_cores`` and ``most_memory_mib`` are the limits that the function sets on its use; None where it sets
    none.  ``containers`` is more than 1 for a clustered function.
    """

    function: str
    gpus: tuple[tuple[str, int], ...] = ()
    cores: Decimal = DEFAULT_CORES
    memory_mib: Decimal = DEFAULT_MIB
    most_cores: Decimal | None = None
    most_memory_mib: Decimal | None = None
    containers: int = 1
    timeout_s: Decimal = DEFAULT_TIMEOUT_S
    is_timeout_known: bool = True
    attempts: int = 1
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        limits = [v for v in (self.most_cores, self.most_memory_mib) if v is not None]
        if min(self.cores, self.memory_mib, self.timeout_s, *limits) < 0 or self.attempts < 1 or self.containers < 1:
            raise ValueError(f"{self.function}: wanted cores, memory and timeout of 0 or more, and at least 1 attempt")
        if any(count < 1 for _, count in self.gpus):
            raise ValueError(f"{self.function}: a GPU count below 1")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Dollars, to the cent.  ``upper_bound_usd`` is the timeout of every attempt, whatever was planned."""

    function: str
    gpu: str | None
    hours: Decimal
    usd_per_hour: Decimal
    usd: Decimal
    upper_bound_usd: Decimal
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    rates_source: str = ""
    assumptions: tuple[str, ...] = ()
    exact_usd_per_hour: Fraction = Fraction(0)


def estimate(resources: Resources, rates: Rates, hours: Decimal | Fraction) -> Estimate:
    """The plan and its upper bound, at the most expensive GPU.  Raises RateRefused, and ValueError for hours < 0."""
    if hours < 0:
        raise ValueError(f"{hours} hours; wanted 0 or more")
    used = {CPU: rates.of(CPU), MEMORY: rates.of(MEMORY)}
    gpu, gpu_usd = None, Fraction(0)
    for kind, count in resources.gpus:
        key = gpu_key(kind)
        used[key] = rates.of(key)
        usd = Fraction(used[key]) * count
        if gpu is None or usd > gpu_usd:
            gpu, gpu_usd = f"{kind}:{count}" if count > 1 else kind, usd
    assumptions = list(resources.assumptions)
    if len(resources.gpus) > 1:
        assumptions.append(f"the most expensive of {len(resources.gpus)} GPU types, {gpu}, is taken")

    def hourly(cores: Decimal, memory_mib: Decimal) -> Fraction:
        memory = Fraction(memory_mib) / GIB_MIB * Fraction(used[MEMORY])
        return (gpu_usd + Fraction(cores) * Fraction(used[CPU]) + memory) * resources.containers

    asked = hourly(resources.cores, resources.memory_mib)
    at_most = hourly(
        max(resources.cores, resources.most_cores or Decimal(0)),
        max(resources.memory_mib, resources.most_memory_mib or Decimal(0)),
    )
    most_hours = Fraction(resources.timeout_s) / HOUR_S * resources.attempts
    return Estimate(
        function=resources.function,
        gpu=gpu,
        hours=decimal(Fraction(hours)),
        usd_per_hour=decimal(asked),
        usd=cents(asked * Fraction(hours)),
        upper_bound_usd=cents(at_most * most_hours),
        rates=used,
        rates_source=rates.source,
        assumptions=tuple(assumptions),
        exact_usd_per_hour=asked,
    )


def cents(usd: Fraction) -> Decimal:
    """An amount of 0 or more, rounded half up."""
    return Decimal(floor(usd * 100 + Fraction(1, 2))).scaleb(-2)


def decimal(number: Fraction) -> Decimal:
    """To 28 digits: for showing, not for reckoning on."""
    return Decimal(number.numerator) / Decimal(number.denominator)
