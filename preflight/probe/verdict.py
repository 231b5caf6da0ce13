"""From a reading to a verdict: pure, so that every verdict of a GPU can be tested without one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from preflight.probe import causes
from preflight.probe.expected import Expected, is_in, shown, table
from preflight.probe.model_verdict import judge_model
from preflight.probe.numbers_verdict import percent, tolerance, wrong_numbers
from preflight.probe.own_model import NOT_RUN
from preflight.probe.reading import Case, Exercise, Reading
from preflight.probe.ruling import Cause, Explain, Ruling, Verdict, broken, could_not_run, unexplained, worst

SHOWN_NAMES = 6


@dataclass(frozen=True)
class BlockRuling:
    """One block over all dtypes.  ``launched`` and ``missing`` are names of the table."""

    block: str
    ruling: Ruling
    cases: tuple[Case, ...]
    launched: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    ruling: Ruling
    blocks: tuple[BlockRuling, ...]
    model: Ruling | None

    @property
    def verdict(self) -> Verdict:
        return self.ruling.verdict


def judge(reading: Reading, explain: Explain = unexplained) -> Judged:
    """Forced first, then the worst of the blocks and the model.  Never ``kernels`` without launches."""
    stopped = causes.not_ready(reading, explain)
    blocks = tuple(_judge_block(b.block, reading, stopped, explain) for b in reading.request.blocks)
    model = judge_model(reading.model, reading, stopped, explain) if reading.model else None
    ruling = _overall(reading, stopped, blocks, model)
    if reading.simulated:
        ruling = replace(ruling, reason=f"simulated: {ruling.reason}")
    return Judged(ruling, blocks, model)


def _overall(reading: Reading, stopped: Ruling | None, blocks: tuple[BlockRuling, ...], model: Ruling | None) -> Ruling:
    if stopped is not None and stopped.verdict is Verdict.COULD_NOT_RUN:
        return stopped
    switches = tuple(f"{name}={value}" for name, value in sorted(reading.forced.items()))
    if switches and (model is None or model.verdict is not Verdict.KERNELS):
        return _forced(switches, reading, blocks, model)
    # the cases import their block alone: what stops the whole package stops the app
    ruling = worst([*(b.ruling for b in blocks), model, stopped])
    if ruling is None:
        remedy = "name the blocks in [tool.preflight], or a model with --model MODULE:CALLABLE"
        return could_not_run(Cause.NOTHING_ASKED, "no block and no model was asked for", remedy)
    if ruling.verdict is not Verdict.KERNELS:
        return ruling
    parts = _of_blocks(reading, blocks) if blocks else []
    whatever = f", whatever {', '.join(switches)} says" if switches else ""
    parts.append(model.reason + whatever if model else NOT_RUN)
    return replace(ruling, reason="; ".join(parts))


def _of_blocks(reading: Reading, blocks: tuple[BlockRuling, ...]) -> list[str]:
    """What is reported of blocks whose kernels all launched; numbers with the widest tolerance of each dtype."""
    count = sum(len(b.launched) for b in blocks)
    parts = [f"{', '.join(b.block for b in blocks)}: {count} kernels launched, forward and backward"]
    done = [(c, c.value) for c in reading.cases if c.value]
    widest: dict[str, float] = {}
    for case, exercise in done:
        limit = table().limit(case.block, case.dtype, "output")
        if limit is not None and any(d.what == "output" for d in exercise.numerics.compared):
            widest[case.dtype] = max(widest.get(case.dtype, 0.0), limit.relative)
    within = " and ".join(f"{percent(off)} in {dtype}" for dtype, off in widest.items())
    is_compared = any(exercise.numerics.compared for _, exercise in done)
    parts.append(f"numbers right within {within}" if is_compared else "no numbers were compared")
    if not reading.request.full_autotune and any(exercise.untuned for _, exercise in done):
        parts.append("one Triton configuration of each kernel was tried")
    return parts


def _forced(
    switches: tuple[str, ...], reading: Reading, blocks: tuple[BlockRuling, ...], model: Ruling | None
) -> Ruling:
    kernels = worst(b.ruling for b in blocks)
    also = f"; and the kernels: {kernels.reason}" if kernels else ""
    if kernels is not None and kernels.verdict is Verdict.KERNELS:
        also = "; the kernels themselves launch"
    reads = reading.model.value.choices.reads if reading.model and reading.model.value else ()
    means = f"with it {model.reason}" if model else f"a model that reads it takes its Conv1d; {NOT_RUN}"
    return Ruling(
        Verdict.FALLBACK,
        Cause.FORCED,
        f"{', '.join(switches)} is set: {means}{also}",
        f"unset {', '.join(sorted(reading.forced))} in the image, the secret or the function's environment",
        switches,
        tuple(r.where for r in reads if r.name in reading.forced),
    )


def _judge_block(name: str, reading: Reading, stopped: Ruling | None, explain: Explain) -> BlockRuling:
    cases = tuple(c for c in reading.cases if c.block == name)
    expected, caveat = table().row(name, reading.mamba_version)
    names = tuple(n for c in cases if c.value for n in c.value.names)
    kernels = expected.kernels if expected else ()
    ruling = worst(
        _judge_exercise(c, c.value, reading, expected)
        if c.value
        else causes.unfinished(f"{name} in {c.dtype}", c, reading, stopped, explain)
        for c in cases
    )
    if ruling is None:
        ruling = could_not_run(Cause.NOTHING_ASKED, f"{name} was run in no dtype", "ask for at least one dtype")
    if caveat and names:
        ruling = replace(ruling, reason=f"{ruling.reason} ({caveat})")
    launched = tuple(shown(k) for k in kernels if is_in(k, names))
    return BlockRuling(name, ruling, cases, launched, tuple(shown(k) for k in kernels if not is_in(k, names)))


def _judge_exercise(case: Case, done: Exercise, reading: Reading, expected: Expected | None) -> Ruling:
    """Numbers before names: a kernel that launches and computes zeros is worse than one that is missing."""
    what, names = f"{case.block} in {case.dtype}", done.names
    if not done.device_events:
        return causes.no_events(what)
    wrong = _wrong_numbers(what, case, done, reading)
    if wrong is not None:
        return wrong
    if expected is None:
        reason = f"which kernels {case.block} launches is not in kernels.toml"
        known = ", ".join(b.name for b in table().blocks)
        remedy = f"probe one of {known}, or your own model with --model MODULE:CALLABLE"
        return could_not_run(Cause.NO_REFERENCE, reason, remedy)
    ahead, behind, conv = (
        ", ".join(shown(k) for k in kernels if not is_in(k, names))
        for kernels in (expected.scan_forward, expected.scan_backward, expected.conv_forward + expected.conv_backward)
    )
    lost = partial(Ruling, remedy=causes.REINSTALL_MAMBA, evidence=names[:SHOWN_NAMES])
    if not any(is_in(k, names) for k in expected.scan_forward):
        return lost(Verdict.FALLBACK, Cause.NO_LAUNCH, f"{what} launched none of its kernels")
    if behind:
        reason = f"{what} runs forward, and its backward did not launch {behind}"
        return lost(Verdict.BROKEN, Cause.MISSING_BACKWARD, reason)
    if ahead:
        return lost(Verdict.PARTIAL, Cause.NO_LAUNCH, f"{what} did not launch {ahead}")
    if conv:
        return _partial_conv(what, done, reading)
    if done.default_path_error is not None:
        error = str(done.default_path_error)
        reason = f"{what} raises {error}; its kernels launch with use_mem_eff_path=False only"
        remedy = "make its widths multiples of 8, or give it use_mem_eff_path=False"
        return Ruling(Verdict.PARTIAL, Cause.ERROR, reason, remedy, (error,))
    numbers = f", numbers {tolerance(case.block, case.dtype, done.numerics)}" if done.numerics.compared else ""
    kernels = tuple(shown(k) for k in expected.kernels)
    return Ruling(Verdict.KERNELS, Cause.LAUNCHED, f"{what}: {len(kernels)} kernels{numbers}", "", kernels)


def _partial_conv(what: str, done: Exercise, reading: Reading) -> Ruling:
    cause, why, remedy = causes.conv1d_cause(reading)
    operators = ", ".join(sorted(done.operators))
    stood_in = f"nn.Conv1d ({operators})" if operators else "another convolution"
    ran = f"ran {stood_in}"
    if done.default_path_error is not None:
        ran = f"raises {done.default_path_error}; with use_mem_eff_path=False it runs {stood_in}"
    reason = f"{what} {ran} in place of causal-conv1d: {why}"
    where = tuple(a.where for a in reading.library.absent)
    return Ruling(Verdict.PARTIAL, cause, reason, remedy, done.names[:SHOWN_NAMES], where)


def _wrong_numbers(what: str, case: Case, done: Exercise, reading: Reading) -> Ruling | None:
    wrong = wrong_numbers(what, case.block, case.dtype, done.numerics)
    if wrong is not None and wrong.cause in (Cause.NAN_OUTPUT, Cause.ZERO_OUTPUT):
        return wrong
    if done.without_gradient:
        names = ", ".join(done.without_gradient[:4])
        reason = f"{what}: no gradient reached {names} ({len(done.without_gradient)} in all)"
        return broken(Cause.MISSING_BACKWARD, reason, causes.REINSTALL_MAMBA)
    if not done.numerics.compared and not reading.simulated:
        reason = f"{what} has nothing to be compared with: {done.numerics.without_reference}"
        return could_not_run(Cause.NO_REFERENCE, reason, "probe Mamba or Mamba2, which have one")
    return wrong
