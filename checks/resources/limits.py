"""Numbers that Modal's client or service refuses."""

import ast
import re

from preflight.api import Call, Findings, Function, Recipe, advice, app, error, facts, rule, warning
from preflight.app.syntax import Def
from preflight.rules.subjects import FUNCTIONS, RESOURCE_CALLS, with_keyword

KEYWORDS = ("scaledown_window", "min_containers", "max_containers")
REFUSED_AT_IMPORT = "the client raises InvalidError when the file is imported"
SCALED = RESOURCE_CALLS.only(with_keyword(*KEYWORDS), "autoscaler setting")
LEAST_MIB = 128
SIZE = re.compile(r"\s*(\d+)\s*([gm]?)i?b?\s*", re.I)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
ASKED = FUNCTIONS.only(
    lambda f: f.kind == "function" and ("retries" in f.call.kwargs or f.schedule is not None),
    "function with retries or a schedule",
)
SHORT_S = 10
REFUSED = "the deploy is refused after the image was built"
TIMEOUTS = RESOURCE_CALLS.only(with_keyword("timeout"), "timeout")


@rule("RES610", SCALED.only(lambda c: c.name != "modal.Sandbox.create"))
def res_autoscaler_range(recipe: Recipe, call: Call) -> Findings:
    """The autoscaler's numbers are within what the client accepts.

    Looks at: `scaledown_window` (2 to 3600 s) and `min_containers` against `max_containers`.
    Why it matters: Both are refused when the file is imported: nothing of the app runs.
    Example:
        before   @app.function(scaledown_window=7200)
        after    @app.function(scaledown_window=3600)
    How to fix: Write a window within the limits, and a `max_containers` that is not below `min_containers`.
    Source: modal 1.6.4 _functions.py: InvalidError for both.
    """
    allowed = facts.limit("scaledown_window_s")
    window_s = app.number(call.kwargs.get("scaledown_window"))
    if window_s is not None and not allowed.least <= window_s <= allowed.most:
        wanted = f"{allowed.least if window_s < allowed.least else allowed.most:g}"
        yield error(
            f"scaledown_window is {window_s:g} s; it must be {allowed.least:g} to {allowed.most:g} s",
            f"write scaledown_window={wanted}",
            app.keyword_where(recipe, call, "scaledown_window"),
            why=REFUSED_AT_IMPORT,
            fix=app.keyword_value(recipe.source, call, "scaledown_window", wanted, is_safe=False),
        )
    least, most = app.number(call.kwargs.get("min_containers")), app.number(call.kwargs.get("max_containers"))
    if least is not None and most is not None and most < least:
        yield error(
            f"min_containers ({least:g}) is above max_containers ({most:g})",
            f"raise max_containers to {least:g}, or lower min_containers",
            app.keyword_where(recipe, call, "min_containers"),
            why=REFUSED_AT_IMPORT,
        )


@rule("RES620", RESOURCE_CALLS.only(with_keyword("ephemeral_disk"), "request for disk"))
def res_ephemeral_disk(recipe: Recipe, call: Call) -> Findings:
    """Ephemeral disk is within what a host has.

    Looks at: `ephemeral_disk=`, in MiB.
    Why it matters: More than 3,145,728 MiB is refused at deploy. Less than the default of 524,288 MiB asks for what is
        there anyway.
    Example:
        before   @app.function(ephemeral_disk=4 * 1024 * 1024)
        after    @app.function(ephemeral_disk=3 * 1024 * 1024)
    How to fix: Ask for 3145728 MiB or less, and keep larger data on a Volume. The unit is MiB.
    Source: modal.com/docs/guide/resources, read 2026-08-22.
    """
    mib, allowed = app.number(call.kwargs["ephemeral_disk"]), facts.limit("ephemeral_disk_mib")
    where = app.keyword_where(recipe, call, "ephemeral_disk")
    if mib is not None and mib > allowed.most:
        yield error(
            f"ephemeral_disk is {mib:.15g} MiB; the most is {allowed.most:.15g} MiB ({allowed.most / 1024**2:g} TiB)",
            f"set ephemeral_disk={allowed.most:.15g} or less, and keep large data on a Volume",
            where,
            why="the deploy is refused after the image was built",
        )
    elif mib is not None and mib < allowed.least:
        least = f"{allowed.least:.15g} MiB ({allowed.least / 1024:g} GiB)"
        yield advice(
            f"ephemeral_disk is {mib:g} MiB; every container has {least} without asking",
            "leave it out; the unit is MiB",
            where,
        )


@rule("RES600", RESOURCE_CALLS.only(with_keyword("memory", "cpu"), "request of memory or CPU"))
def res_memory_unit(recipe: Recipe, call: Call) -> Findings:
    """Memory is a number of MiB, and CPU a number of cores.

    Looks at: `memory=` and `cpu=` of functions, classes, sandboxes and `run_function`: a string, or so few MiB that GiB
        must have been meant.
    Why it matters: The client does not check them. A string fails when the request is put together, and `memory=32`
        asks for 32 MiB, in which Python does not start.
    Example:
        before   @app.function(memory="32GB", cpu="8")
        after    @app.function(memory=32768, cpu=8)
    How to fix: Write memory in MiB (32 GiB are 32768) and CPU as a number of cores.
    Source: modal.com/docs/guide/resources: memory in MiB, cores as a number; modal 1.6.4 _resources.py.
    """
    memory = call.kwargs.get("memory")
    for name, unit, number_in in (("memory", "MiB", _mib), ("cpu", "cores", _cores)):
        text = call.kwargs.get(name)
        if isinstance(text, str):
            right = number_in(text)
            yield error(
                f"{name} is the text {text!r}; Modal takes a number of {unit}",
                f"write {name}={right}" if right else f"give {unit} as a number",
                app.keyword_where(recipe, call, name),
                why="the deploy stops with a TypeError",
                fix=app.keyword_value(recipe.source, call, name, right, is_safe=False) if right else None,
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


def _mib(text: str) -> str:
    found = SIZE.fullmatch(text)
    return "" if found is None else str(int(found[1]) * (1024 if found[2].lower() == "g" else 1))


def _cores(text: str) -> str:
    return text.strip() if NUMBER.fullmatch(text.strip()) else ""


@rule("RES631", ASKED)
def res_retries_web(recipe: Recipe, function: Function) -> Findings:
    """Retries and schedules stand only on functions that can have them.

    Looks at: `retries=` on web functions and generators, and `schedule=` on functions with arguments that have no
        default.
    Why it matters: The client refuses each of them when the file is imported: nothing of the app runs.
    Example:
        before   @app.function(retries=3)
                 @modal.fastapi_endpoint()
                 def predict(): ...
        after    @app.function()
                 @modal.fastapi_endpoint()
                 def predict(): ...
    How to fix: Leave `retries=` out of web functions and generators, and give each argument of a scheduled function a
        default.
    Source: modal 1.6.4 _functions.py: "Web Functions do not support retries", "Generator Functions do not support
        retries", "so it needs to support being called with no arguments".
    """
    call, body = function.call, function.body
    if not isinstance(body, Def):
        return
    retries = call.kwargs.get("retries")
    kind = "a web function" if app.is_web(function) else "a generator" if _yields(body) else ""
    if retries is not None and not isinstance(retries, app.Unresolved) and kind:
        yield error(
            f"{function.name} is {kind} and has retries=; Modal retries neither",
            "leave retries= out",
            app.keyword_where(recipe, call, "retries"),
            why=REFUSED_AT_IMPORT,
            fix=app.keyword_dropped(recipe.source, call, "retries", is_safe=True),
        )
    needed = _required(body)
    if function.schedule is not None and needed:
        yield error(
            f"{function.name} runs on a schedule and needs {', '.join(needed)}; a schedule gives no arguments",
            "give each argument a default",
            app.keyword_where(recipe, call, "schedule"),
            why=REFUSED_AT_IMPORT,
        )


def _yields(body: Def) -> bool:
    """Whether it is a generator: a yield of its own, not of a function inside."""
    pending: list[ast.AST] = list(body.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Def | ast.ClassDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return False


def _required(body: Def) -> list[str]:
    spec = body.args
    positional = [*spec.posonlyargs, *spec.args]
    needed = positional[: len(positional) - len(spec.defaults)]
    keyword = [a for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if d is None]
    return [a.arg for a in (*needed, *keyword)]


@rule("RES540", TIMEOUTS.resolved(lambda call: call.kwargs["timeout"]))
def res_timeout_over_max(recipe: Recipe, call: Call) -> Findings:
    """Every timeout is between 1 s and 24 h.

    Looks at: `timeout=` of functions, classes, `with_options`, `Sandbox.create` and `run_function`, as the text gives
        it (`30 * 60 * 60`, a constant above, a `**dict`).
    Why it matters: The client sends any number; the service refuses it when the app is deployed, after the image was
        built. `timeout=None` is refused by the client at import.
    Example:
        before   @app.function(gpu="A100-80GB", timeout=30 * 60 * 60)
        after    @app.function(gpu="A100-80GB", timeout=86400)   # and resume from a checkpoint
    How to fix: Give seconds within the limit. Resume a longer run from a checkpoint.
    Source: modal.com/docs/guide/timeouts (1 s to 24 h); modal 1.6.4 _functions.py refuses None only.
    """
    value, where, allowed = call.kwargs["timeout"], app.keyword_where(recipe, call, "timeout"), facts.limit("timeout_s")
    least, most = f"{allowed.least:g}", f"{allowed.most:g}"
    at_most = app.keyword_value(recipe.source, call, "timeout", most, is_safe=True)
    seconds = app.number(value)
    if value is None and call.name in ("modal.App.function", "modal.App.cls"):
        yield error(
            "timeout=None is refused when the file is imported",
            f"give seconds up to {most}, or leave it out for 300",
            where,
            why="nothing of the app can run or be deployed",
            fix=at_most,
        )
    elif seconds is None:
        return
    elif seconds > allowed.most:
        yield error(
            f"timeout is {seconds:.15g} s ({seconds / 3600:g} h); Modal's limit is {most} s (24 h)",
            f"set timeout={most}, and resume a longer run from a checkpoint",
            where,
            why=f"the client does not check it: {REFUSED}",
            fix=at_most,
        )
    elif seconds < allowed.least:
        message = f"timeout is {seconds:g} s; the least is {least} s"
        yield error(message, f"give seconds from {least} to {most}", where, why=REFUSED)
    elif seconds < SHORT_S:
        yield advice(
            f"timeout is {seconds:g} s: the function is ended after that long",
            "the unit is seconds; multiply by 60 if minutes were meant",
            where,
        )
