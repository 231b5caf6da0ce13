"""Memory is a number of MiB, and CPU a number of cores.

Looks at
    `memory=` and `cpu=` of functions, classes, sandboxes and `run_function`: a string, or so few MiB that GiB must
    have been meant.
Why it matters
    The client does not check them. A string fails when the request is put together, and `memory=32` asks for 32
    MiB, in which Python does not start.
Example
    before   @app.function(memory="32GB", cpu="8")
    after    @app.function(memory=32768, cpu=8)
How to fix
    Write memory in MiB (32 GiB are 32768) and CPU as a number of cores.
Source
    modal.com/docs/guide/resources: memory in MiB, cores as a number; modal 1.6.4 _resources.py.
"""

import re

from preflight.api import Call, Findings, Recipe, app, error, rule, warning
from preflight.rules.subjects import RESOURCE_CALLS, with_keyword

LEAST_MIB = 128
SIZE = re.compile(r"\s*(\d+)\s*([gm]?)i?b?\s*", re.I)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
WHY = "the deploy stops with a TypeError"


@rule("RES600", RESOURCE_CALLS.only(with_keyword("memory", "cpu"), "request of memory or CPU"))
def find(recipe: Recipe, call: Call) -> Findings:
    memory, cpu = call.kwargs.get("memory"), call.kwargs.get("cpu")
    if isinstance(memory, str):
        mib = _mib(memory)
        yield error(
            f"memory is the text {memory!r}; Modal takes a number of MiB",
            f"write memory={mib}" if mib else "give MiB as a number",
            app.keyword_where(recipe, call, "memory"),
            why=WHY,
            fix=app.keyword_value(recipe.source, call, "memory", str(mib), is_safe=False) if mib else None,
        )
    values = memory if isinstance(memory, list | tuple) else (memory,)
    small = next((n for v in values if (n := app.number(v)) is not None and 0 < n < LEAST_MIB), None)
    if small is not None:
        meant = f"{small * 1024:g}"
        is_alone = values == (memory,)
        yield warning(
            f"memory is {small:g} MiB; Python alone needs more",
            f"the unit is MiB: {small:g} GiB are {meant}",
            app.keyword_where(recipe, call, "memory"),
            why="Modal gives what is asked for, and the container runs out of memory",
            fix=app.keyword_value(recipe.source, call, "memory", meant, is_safe=False) if is_alone else None,
        )
    if isinstance(cpu, str):
        cores = cpu.strip()
        is_number = NUMBER.fullmatch(cores) is not None
        yield error(
            f"cpu is the text {cpu!r}; Modal takes a number of cores",
            f"write cpu={cores}" if is_number else "give cores as a number",
            app.keyword_where(recipe, call, "cpu"),
            why=WHY,
            fix=app.keyword_value(recipe.source, call, "cpu", cores, is_safe=False) if is_number else None,
        )


def _mib(text: str) -> int | None:
    found = SIZE.fullmatch(text)
    return None if found is None else int(found[1]) * (1024 if found[2].lower() == "g" else 1)
