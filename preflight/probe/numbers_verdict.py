"""Whether numbers are right: each tensor's distance to the reference against what healthy kernels were measured at."""

from __future__ import annotations

from msgspec.structs import replace

from preflight.probe.causes import REINSTALL_MAMBA
from preflight.probe.expected import Limit, table
from preflight.probe.reading import Distance, ModelRun, Numerics, OwnNumbers
from preflight.probe.ruling import Cause, Ruling, Verdict, broken, could_not_run

# Healthy distances were measured at the probe's own shapes; others vary with width and length.
AT_ANOTHER_SHAPE = 2.0
# With a model's own weights some gradients cancel almost to nothing: only these are judged then.
WITH_OWN_WEIGHTS = ("output", "the last eighth of the output", "gradient of the input")
WITH_OWN_WEIGHTS_FACTOR = 4.0
TINY = 1e-9  # of the output's norm: a tensor that is zero but for rounding


def wrong_numbers(what: str, block: str, dtype: str, numbers: Numerics, factor: float = 1) -> Ruling | None:
    if not numbers.finite:
        return broken(Cause.NAN_OUTPUT, f"{what} gives values that are not finite", REINSTALL_MAMBA)
    if numbers.zero:
        return broken(Cause.ZERO_OUTPUT, f"{what} gives nothing but zeros", REINSTALL_MAMBA)
    limits = _limits(block, dtype, numbers, factor)
    if len(limits) < len({d.what for d in numbers.compared}):
        reason = f"how far {dtype} may be off is not known for {what}"
        return could_not_run(Cause.NO_REFERENCE, reason, "ask for float32, bfloat16 or float16")
    off = [d for d in numbers.compared if _is_off(d, limits[d.what])]
    if not off:
        return None
    if all("output" not in d.what and d.norm == 0 for d in off):
        names = ", ".join(d.what for d in off[:4])
        return broken(Cause.MISSING_BACKWARD, f"{what}: the {names} is zero", REINSTALL_MAMBA)
    off.sort(key=lambda d: -(d.relative or 0) / limits[d.what].relative if d.what != "output" else -1e9)
    evidence = tuple(_shown(d, limits[d.what]) for d in off[:6])
    return broken(Cause.WRONG_NUMBERS, f"{what}: {evidence[0]}", REINSTALL_MAMBA, evidence)


def _limits(block: str, dtype: str, numbers: Numerics, factor: float) -> dict[str, Limit]:
    """By tensor; one without a limit is left out."""
    found = {d.what: table().limit(block, dtype, d.what) for d in numbers.compared}
    return {what: Limit(x.relative * factor, x.scale * factor) for what, x in found.items() if x is not None}


def _is_off(distance: Distance, limit: Limit) -> bool:
    if distance.relative is None or distance.scale is None:
        return True
    return distance.relative > limit.relative or abs(distance.scale - 1) > limit.scale


def _shown(distance: Distance, limit: Limit) -> str:
    most = percent(limit.relative)
    if distance.relative is None or distance.scale is None:
        return f"{distance.what} is not finite; wanted within {most} of the reference"
    if distance.relative > limit.relative:
        return f"{distance.what} is {percent(distance.relative)} off the reference; wanted at most {most}"
    return f"{distance.what} is {distance.scale:.5g} times the reference; wanted within {percent(limit.scale)}"


def percent(share: float) -> str:
    return f"{share * 100:.2g} %" if share < 0.995 else f"{share * 100:.0f} %"


def tolerance(block: str, dtype: str, numbers: Numerics, factor: float = 1) -> str:
    """How close the numbers were held: of the output, and of the least exact gradient."""
    limits = _limits(block, dtype, numbers, factor)
    if "output" not in limits:
        return ""
    gradients = [limit.relative for what, limit in limits.items() if "gradient" in what]
    most = f" (gradients {percent(max(gradients))})" if gradients else ""
    return f"right within {percent(limits['output'].relative)}{most}"


def judge_own_numbers(what: str, run: ModelRun, module: str = "") -> list[Ruling]:
    """The blocks of the model, or one of them, that are wrong at its own shape."""
    wrong = []
    for n in run.numbers:
        if module in ("", n.module) and n.numerics is not None and n.numerics.compared:
            numbers, factor = _for_shape(n, n.numerics)
            wrong.append(wrong_numbers(f"{what}: {n.module} at {_shape(n)}", n.block, n.dtype, numbers, factor))
    return [r for r in wrong if r is not None and r.verdict is not Verdict.COULD_NOT_RUN]


def _for_shape(n: OwnNumbers, numbers: Numerics) -> tuple[Numerics, float]:
    """What of the numbers is judged, and how much wider than at the probe's own shapes."""
    least = TINY * max((d.reference_norm for d in numbers.compared), default=0.0)
    kept = [d for d in numbers.compared if d.reference_norm > least]
    if n.weights != "own":
        return replace(numbers, compared=tuple(kept)), AT_ANOTHER_SHAPE
    return replace(numbers, compared=tuple(d for d in kept if d.what in WITH_OWN_WEIGHTS)), WITH_OWN_WEIGHTS_FACTOR


def _shape(n: OwnNumbers) -> str:
    size = " x ".join(map(str, n.shape))
    first = f", the first {n.positions} positions" if len(n.shape) > 1 and n.positions < n.shape[1] else ""
    return f"{size} {n.dtype}{first}"


def own_numbers_in_words(run: ModelRun) -> str:
    """What was held against the reference at the model's own shape, or that nothing was, and why."""
    weighed = [(n, *_for_shape(n, n.numerics)) for n in run.numbers if n.numerics and n.weights == "weighed"]
    compared = [(n, numbers, factor) for n, numbers, factor in weighed if numbers.compared]
    if compared:
        n, numbers, factor = compared[0]
        modules = len({other.module for other, _, _ in compared})
        used = len([b for b in run.blocks if b.is_used])
        of = f"{modules} of its {used} blocks" if modules < used else f"its {used} block" + "s" * (used > 1)
        return f"{of} at {_shape(n)} {tolerance(n.block, n.dtype, numbers, factor)}"
    why = next((f": {n.error.message}" for n in run.numbers if n.error), "")
    return f"its numbers at its own shape were not compared{why}"
