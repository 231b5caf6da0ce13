"""What a run of a function will cost: Modal bills the request or the use, whichever is more, by the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from preflight.cost.rates import CPU, MEMORY, Rates, gpu_key
from preflight.recipe.model import Function, Known, Unresolved

CENT = Decimal("0.01")
HOUR_S = Decimal(3600)
GIB_MIB = Decimal(1024)
DEFAULT_TIMEOUT_S = Decimal(300)
DEFAULT_CORES = Decimal("0.125")
DEFAULT_MIB = Decimal(128)


class NotSaid(ValueError):
    """The app's text does not decide something the price hangs on; the text names it and its line."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What one container asks for.  ``gpus`` are alternatives (type, count); () is none.  Memory in MiB."""

    function: str
    gpus: tuple[tuple[str, int], ...] = ()
    cores: Decimal = DEFAULT_CORES
    memory_mib: Decimal = DEFAULT_MIB
    timeout_s: Decimal = DEFAULT_TIMEOUT_S
    attempts: int = 1
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.cores, self.memory_mib, self.timeout_s) < 0 or self.attempts < 1:
            raise ValueError(f"{self.function}: cores, memory, timeout of 0 or more, and at least 1 attempt")


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


def resources_of(function: Function) -> Resources:
    """A function's request as its decorator has it.  Raises NotSaid for an unresolved GPU, core or memory."""
    assumptions = []
    if isinstance(function.gpu, Unresolved):
        raise NotSaid(f"the GPU of {function.name} is not in the text ({function.gpu.where}: {function.gpu.why})")
    cores, memory = DEFAULT_CORES, DEFAULT_MIB
    if isinstance(function.cpu, Unresolved):
        raise NotSaid(f"cpu= of {function.name} is not in the text ({function.cpu.where})")
    if function.cpu is not None:
        cores = Decimal(str(function.cpu[0]))
    if isinstance(function.memory_mib, Unresolved):
        raise NotSaid(f"memory= of {function.name} is not in the text ({function.memory_mib.where})")
    if function.memory_mib is not None:
        memory = Decimal(str(function.memory_mib[0]))
    timeout = DEFAULT_TIMEOUT_S
    if isinstance(function.timeout_s, Known):
        timeout = Decimal(str(function.timeout_s.value))
    elif isinstance(function.timeout_s, Unresolved):
        timeout = Decimal(86_400)
        assumptions.append("the timeout is not in the text: Modal's most, 24 h, is taken for the upper bound")
    attempts = 1
    if isinstance(function.retries, Known):
        attempts += max(0, function.retries.value)
    elif isinstance(function.retries, Unresolved):
        assumptions.append("retries= is not in the text: one attempt is taken")
    assumptions.append("cores and memory are billed as requested; more use costs more")
    return Resources(
        function=function.name,
        gpus=tuple((g.type, g.count) for g in function.gpu),
        cores=cores,
        memory_mib=memory,
        timeout_s=timeout,
        attempts=attempts,
        assumptions=tuple(assumptions),
    )


def estimate(resources: Resources, rates: Rates, hours: Decimal) -> Estimate:
    """The plan and its upper bound, at the dearest GPU of a list.  Raises RateRefused, and ValueError for hours < 0."""
    if hours < 0:
        raise ValueError(f"{hours} hours; wanted 0 or more")
    used = {CPU: rates.of(CPU), MEMORY: rates.of(MEMORY)}
    gpu, gpu_usd = None, Decimal(0)
    for kind, count in resources.gpus:
        rate = rates.of(gpu_key(kind))
        used[gpu_key(kind)] = rate
        if gpu is None or rate * count > gpu_usd:
            gpu, gpu_usd = f"{kind}:{count}" if count > 1 else kind, rate * count
    assumptions = list(resources.assumptions)
    if len(resources.gpus) > 1:
        assumptions.append(f"the dearest of {len(resources.gpus)} GPU types, {gpu}, is taken")
    hourly = gpu_usd + resources.cores * used[CPU] + resources.memory_mib / GIB_MIB * used[MEMORY]
    most_hours = resources.timeout_s / HOUR_S * resources.attempts
    return Estimate(
        function=resources.function,
        gpu=gpu,
        hours=hours,
        usd_per_hour=hourly,
        usd=cents(hourly * hours),
        upper_bound_usd=cents(hourly * most_hours),
        rates=used,
        rates_source=rates.source,
        assumptions=tuple(assumptions),
    )


def cents(usd: Decimal) -> Decimal:
    return usd.quantize(CENT, ROUND_HALF_UP)
