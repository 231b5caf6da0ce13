"""A function's request as its decorator has it: what Modal will reserve, and for how long at most."""

from __future__ import annotations

from decimal import Decimal

from preflight.app.bodies import options_given_later
from preflight.app.interpreter.functions import GPU
from preflight.app.model import Function, Known, Recipe, Unresolved
from preflight.cost.estimate import DEFAULT_CORES, DEFAULT_MIB, DEFAULT_TIMEOUT_S, Resources
from preflight.facts.images import limit

DISK_SHARE = 20  # MiB of disk that are billed as 1 MiB of memory: modal.com/docs/guide/resources
MULTIPLIED = ("region", "nonpreemptible")
KEPT_WARM = ("min_containers", "keep_warm", "buffer_containers")
RESOURCES = frozenset({"gpu", "cpu", "memory", "timeout", "retries", "ephemeral_disk", "region", "nonpreemptible"})


class NotSaid(ValueError):
    """The app's text does not decide something the price hangs on; the text names it and its line."""


def resources_of(function: Function, *, gpu: str | None = None, recipe: Recipe | None = None) -> Resources:
    """What the decorator asks for; ``gpu`` is asked for instead of its own.

    Raises NotSaid for an unresolved GPU, core or memory.  ``recipe`` shows what is changed at a call
    (``with_options``).
    """
    assumptions: list[str] = []
    gpus = (gpu_named(gpu),) if gpu is not None else _gpus(function, assumptions)
    cores, most_cores = _request(function, "cpu", function.cpu, DEFAULT_CORES)
    memory, most_memory = _request(function, "memory", function.memory_mib, DEFAULT_MIB)
    memory = max(memory, _disk(function, assumptions))
    timeout, is_known = _timeout(function, assumptions)
    attempts = 1
    if isinstance(function.retries, Known):
        attempts += max(0, function.retries.value)
    elif isinstance(function.retries, Unresolved):
        assumptions.append(f"retries= is not in the text ({function.retries.where}): one attempt is taken")
    assumptions.append("cores and memory are billed as requested; more use costs more")
    if most_cores is not None or most_memory is not None:
        assumptions.append("the upper bound takes the limits of cpu= and memory= as used")
    assumptions += _unpriced(function, recipe)
    return Resources(
        function=function.name,
        gpus=gpus,
        cores=max(cores, DEFAULT_CORES),
        memory_mib=memory,
        most_cores=most_cores,
        most_memory_mib=most_memory,
        containers=_containers(function, assumptions),
        timeout_s=timeout,
        is_timeout_known=is_known,
        attempts=attempts,
        assumptions=tuple(assumptions),
    )


def gpu_named(written: str) -> tuple[str, int]:
    """(type, count) of "A100-80GB", "H100:8".  Raises NotSaid."""
    found = GPU.fullmatch(written)
    if found is None or (found[3] is not None and not 1 <= int(found[3][:4]) <= 64):
        raise NotSaid(f"{written!r} names no GPU; wanted like A100-80GB or H100:8")
    return found[1].upper(), int(found[3] or 1)


def _gpus(function: Function, assumptions: list[str]) -> tuple[tuple[str, int], ...]:
    if isinstance(function.gpu, Unresolved):
        raise NotSaid(f"the GPU of {function.name} is not in the text ({function.gpu.where}: {function.gpu.why})")
    for each in function.gpu:
        if each.count < 1:
            raise NotSaid(f"{each.written!r} asks for {each.count} GPUs ({each.where})")
        if each.default_of:
            assumptions.append(f"the GPU is {each.written}, the default of {each.default_of} ({each.where})")
    return tuple((g.type, g.count) for g in function.gpu)


def _request(
    function: Function, keyword: str, given: tuple[float, float | None] | Unresolved | None, default: Decimal
) -> tuple[Decimal, Decimal | None]:
    """(request, limit)."""
    if isinstance(given, Unresolved):
        raise NotSaid(f"{keyword}= of {function.name} is not in the text ({given.where}: {given.why})")
    if given is None:
        return default, None
    request, most = given
    return Decimal(str(request)), None if most is None else Decimal(str(most))


def _disk(function: Function, assumptions: list[str]) -> Decimal:
    """MiB of memory that the disk is billed as."""
    given = function.call.kwargs.get("ephemeral_disk")
    if given is None:
        return Decimal(0)
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise NotSaid(f"ephemeral_disk= of {function.name} is not in the text ({function.call.where})")
    assumptions.append(
        f"{given / 1024:g} GiB of disk are billed as {given / DISK_SHARE / 1024:g} GiB of memory at least"
    )
    return Decimal(str(given)) / DISK_SHARE


def _timeout(function: Function, assumptions: list[str]) -> tuple[Decimal, bool]:
    most = Decimal(str(limit("timeout_s").most))
    if isinstance(function.timeout_s, Unresolved):
        where = function.timeout_s.where
        assumptions.append(
            f"the timeout is not in the text ({where}): Modal's most, 24 h, is taken for the upper bound"
        )
        return most, False
    if function.timeout_s is None:
        assumptions.append("no timeout= is set: Modal's default of 5 min is taken")
        return DEFAULT_TIMEOUT_S, True
    given = Decimal(str(function.timeout_s.value))
    if function.timeout_s.default_of:
        assumptions.append(f"the timeout is the default of {function.timeout_s.default_of}")
    if given > most:
        assumptions.append(f"Modal refuses a timeout of {given / 3600:.1f} h; its most, 24 h, is taken")
    return min(given, most), True


def _containers(function: Function, assumptions: list[str]) -> int:
    """How many run together: the size of a cluster, else 1."""
    clustered = next((d for d in function.decorators if d.name.rsplit(".", 1)[-1] == "clustered"), None)
    if clustered is None:
        return 1
    size = clustered.kwargs.get("size", clustered.args[0] if clustered.args else None)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise NotSaid(f"the size of the cluster of {function.name} is not in the text ({clustered.where})")
    assumptions.append(f"{size} containers of the cluster are priced together")
    return size


def _unpriced(function: Function, recipe: Recipe | None) -> list[str]:
    """What changes the price and is in no rate."""
    given = function.call.kwargs
    notes = []
    multiplied = [k for k in MULTIPLIED if given.get(k) not in (None, False)]
    if multiplied:
        names = " and ".join(f"{k}=" for k in multiplied)
        notes.append(
            f"{names} may multiply the price ({function.call.where}); Modal's rates don't hold that, nor does this"
        )
    warm = [k for k in KEPT_WARM if given.get(k)]
    if warm:
        notes.append(f"one container is priced; {warm[0]}= keeps more, or keeps them longer ({function.call.where})")
    later = options_given_later(recipe, function.name) if recipe is not None else frozenset()
    changed = sorted(later & RESOURCES) or (["**"] if "**" in later else [])
    if changed:
        notes.append(
            f"{function.name}.with_options({', '.join(changed)}) changes the request at a call; it is not priced"
        )
    return notes
