"""Memory is a number of MiB, and CPU a number of cores.

Looks at
    `memory=` and `cpu=` of functions, classes, sandboxes and `run_function`: a string, or so few MiB that GiB must
    have been meant.
Why it matters
    The client does not check them: a string fails when the request is put together, and `memory=32` asks for
    32 MiB, in which Python does not start.
Example
    before   @app.function(memory="32GB", cpu="8")
    after    @app.function(memory=32768, cpu=8)
Source
    modal.com/docs/guide/resources: memory in MiB, cores as a number; modal 1.6.4 _resources.py.
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Recipe,
    counted,
    error,
    keyword_value,
    keyword_where,
    number,
    resource_calls,
    rule,
    warning,
)

LEAST_MIB = 128
SIZE = re.compile(r"\s*(\d+)\s*([gm]?)i?b?\s*", re.I)


def applies(recipe: Recipe) -> str:
    calls = [c for c in resource_calls(recipe) if {"memory", "cpu"} & set(c.kwargs)]
    return counted(len(calls), "request of memory or CPU", "requests of memory or CPU")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in resource_calls(recipe):
        memory, cpu = call.kwargs.get("memory"), call.kwargs.get("cpu")
        if isinstance(memory, str):
            mib = _mib(memory)
            yield error(
                f"memory is the text {memory!r}; Modal takes a number of MiB",
                f"write memory={mib}" if mib else "give MiB as a number",
                keyword_where(recipe, call, "memory"),
                why="the deploy stops with a TypeError",
                fix=keyword_value(recipe.source, call, "memory", str(mib), is_safe=False) if mib else None,
            )
        for value in memory if isinstance(memory, list | tuple) else (memory,):
            mib_asked = number(value)
            if mib_asked is not None and 0 < mib_asked < LEAST_MIB:
                yield warning(
                    f"memory is {mib_asked:g} MiB; Python alone needs more",
                    f"the unit is MiB: {mib_asked:g} GiB are {mib_asked * 1024:g}",
                    keyword_where(recipe, call, "memory"),
                    why="the request is honoured as it stands, and the container is short of memory",
                    fix=keyword_value(recipe.source, call, "memory", f"{mib_asked * 1024:g}", is_safe=False)
                    if value is memory
                    else None,
                )
                break
        if isinstance(cpu, str):
            cores = cpu.strip()
            is_number = re.fullmatch(r"\d+(?:\.\d+)?", cores) is not None
            yield error(
                f"cpu is the text {cpu!r}; Modal takes a number of cores",
                f"write cpu={cores}" if is_number else "give cores as a number",
                keyword_where(recipe, call, "cpu"),
                why="the deploy stops with a TypeError",
                fix=keyword_value(recipe.source, call, "cpu", cores, is_safe=False) if is_number else None,
            )


def _mib(text: str) -> int | None:
    found = SIZE.fullmatch(text)
    if found is None:
        return None
    return int(found[1]) * (1024 if found[2].lower() == "g" else 1)


CHECK = rule(
    id="RES600",
    name="res-memory-unit",
    title="memory is a number of MiB and CPU a number of cores",
    find=find,
    applies=applies,
)
