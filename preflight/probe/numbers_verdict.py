"""Whether numbers are right: each tensor's distance to the reference against what healthy kernels were measured at."""

from __future__ import annotations

from preflight.probe import causes
from preflight.probe.expected import Limit, Table
from preflight.probe.reading import Distance, ModelRun, Numerics, OwnNumbers
from preflight.probe.ruling import Cause, Ruling, Verdict

# Healthy distances were measured at the probe's own shapes; others vary with width and length.
AT_ANOTHER_SHAPE = 2.0
# With a model's own weights some gradients cancel almost to nothing: only these are judged then.
WITH_OWN_WEIGHTS = ("output", "the last eighth of the output", "gradient of the input")
WITH_OWN_WEIGHTS_FACTOR = 4.0
TINY = 1e-9  # of the output's norm: a tensor that is zero but for rounding


def wrong_numbers(
    what: str, block: str, dtype: str, numbers: Numerics, rows: Table, factor: float = 1
) -> Ruling | None:
    remedy = causes.REINSTALL.format("mamba-ssm")
    if not numbers.finite:
        return Ruling(Verdict.BROKEN, Cause.NAN_OUTPUT, f"{what} gives values that are not finite", remedy)
    if numbers.zero:
        return Ruling(Verdict.BROKEN, Cause.ZERO_OUTPUT, f"{what} gives nothing but zeros", remedy)
    limits = {d.what: rows.limit(block, dtype, d.what) for d in numbers.compared}
    if any(limit is None for limit in limits.values()):
        said = f"how far {dtype} may be off is not known for {what}"
        return Ruling(Verdict.COULD_NOT_RUN, Cause.NO_REFERENCE, said, "ask for float32, bfloat16 or float16")
    known = {name: limit for name, limit in limits.items() if limit is not None}
    off = [d for d in numbers.compared if _is_off(d, known[d.what], factor)]
    if not off:
        return None
    is_gone = [d for d in off if "output" not in d.what and d.norm == 0]
    if is_gone and len(is_gone) == len(off):
        names = ", ".join(d.what for d in is_gone[:4])
        return Ruling(Verdict.BROKEN, Cause.MISSING_BACKWARD, f"{what}: the {names} is zero", remedy)
    off.sort(key=lambda d: -(d.relative or 0) / known[d.what].relative if d.what != "output" else -1e9)
    evidence = tuple(_shown(d, known[d.what], factor) for d in off[:6])
    return Ruling(Verdict.BROKEN, Cause.WRONG_NUMBERS, f"{what}: {evidence[0]}", remedy, evidence)


def _is_off(distance: Distance, limit: Limit, factor: float) -> bool:
    if distance.relative is None or distance.scale is None:
        return True
    return distance.relative > limit.relative * factor or abs(distance.scale - 1) > limit.scale * factor


def _shown(distance: Distance, limit: Limit, factor: float) -> str:
    most = percent(limit.relative * factor)
    if distance.relative is None or distance.scale is None:
        return f"{distance.what} is not finite; wanted within {most} of the reference"
    if distance.relative > limit.relative * factor:
        return f"{distance.what} is {percent(distance.relative)} off the reference; wanted at most {most}"
    return f"{distance.what} is {distance.scale:.5g} times the reference; wanted within {percent(limit.scale * factor)}"


def percent(share: float) -> str:
    return f"{share * 100:.2g} %" if share < 0.995 else f"{share * 100:.0f} %"


def tolerance(block: str, dtype: str, numbers: Numerics, rows: Table, factor: float = 1) -> str:
    """How close the numbers were held: of the output, and of the least exact gradient."""
    limits = {d.what: rows.limit(block, dtype, d.what) for d in numbers.compared}
    output = limits.get("output")
    gradients = [limit.relative for what, limit in limits.items() if limit is not None and "gradient" in what]
    if output is None:
        return ""
    said = f"right within {percent(output.relative * factor)}"
    return f"{said} (gradients {percent(max(gradients) * factor)})" if gradients else said


def judge_own_numbers(what: str, run: ModelRun, rows: Table) -> list[Ruling]:
    """The model's blocks that are wrong at its own shape."""
    wrong = []
    for n in run.numbers:
        if n.numerics is not None and n.numerics.compared:
            factor, numbers = _for_shape(n)
            wrong.append(wrong_numbers(f"{what}: {n.module} at {_shape(n)}", n.block, n.dtype, numbers, rows, factor))
    return [r for r in wrong if r is not None and r.verdict is not Verdict.COULD_NOT_RUN]


def _for_shape(n: OwnNumbers) -> tuple[float, Numerics]:
    assert n.numerics is not None
    least = TINY * max((d.reference_norm for d in n.numerics.compared), default=0.0)
    kept = [d for d in n.numerics.compared if d.reference_norm > least]
    if n.weights == "own":
        kept = [d for d in kept if d.what in WITH_OWN_WEIGHTS]
    numbers = Numerics(n.numerics.finite, n.numerics.zero, tuple(kept), n.numerics.without_reference)
    return (WITH_OWN_WEIGHTS_FACTOR if n.weights == "own" else AT_ANOTHER_SHAPE), numbers


def _shape(n: OwnNumbers) -> str:
    size = " x ".join(map(str, n.shape))
    first = f", the first {n.positions} positions" if n.shape and n.positions < n.shape[1] else ""
    return f"{size} {n.dtype}{first}"


def said_of_own_numbers(run: ModelRun, rows: Table) -> str:
    """What was held against the reference at the model's own shape, or that nothing was, and why."""
    compared = [n for n in run.numbers if n.numerics and n.numerics.compared and n.weights == "weighed"]
    if compared:
        n = compared[0]
        assert n.numerics is not None
        modules = len({c.module for c in compared})
        used = len([b for b in run.blocks if b.is_used])
        factor, numbers = _for_shape(n)
        of = f"{modules} of its {used} blocks" if modules < used else f"its {used} block" + "s" * (used > 1)
        return f"{of} at {_shape(n)} {tolerance(n.block, n.dtype, numbers, rows, factor)}"
    errors = [n.error for n in run.numbers if n.error]
    why = f": {errors[0].message}" if errors else ""
    return f"its numbers at its own shape were not compared{why}"
