"""From a reading to a verdict: pure, so that every verdict of a GPU can be tested without one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from preflight.model import Where
from preflight.probe import causes
from preflight.probe.expected import Expected, Table
from preflight.probe.model_verdict import judge_model
from preflight.probe.numbers_verdict import percent, tolerance, wrong_numbers
from preflight.probe.reading import Case, Exercise, Outcome, Reading
from preflight.probe.ruling import Cause, Explain, Ruling, Verdict, unexplained, worst

NOT_RUN = "your own model was not run"


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


def judge(reading: Reading, table: Table, explain: Explain = unexplained) -> Judged:
    """Forced first, then the worst of the blocks and the model.  Never ``kernels`` without launches."""
    stopped = causes.not_ready(reading, explain)
    blocks = tuple(_judge_block(name, reading, table, stopped, explain) for name in reading.asked_blocks)
    model = judge_model(reading, table, explain) if reading.model else None
    ruling = _overall(reading, stopped, blocks, model, table)
    if reading.simulated:
        ruling = replace(ruling, reason=f"simulated: {ruling.reason}")
    return Judged(ruling, blocks, model)


def _overall(
    reading: Reading, stopped: Ruling | None, blocks: tuple[BlockRuling, ...], model: Ruling | None, table: Table
) -> Ruling:
    if stopped is not None and stopped.verdict is Verdict.COULD_NOT_RUN:
        return stopped
    if reading.forced and (model is None or model.verdict is not Verdict.KERNELS):
        return _forced(reading, blocks, model)
    # the cases import their block alone: what stops the whole package stops the app
    ruling = worst([*(b.ruling for b in blocks), *([model] if model else []), *([stopped] if stopped else [])])
    if ruling is None:
        return Ruling(
            Verdict.COULD_NOT_RUN,
            Cause.NOTHING_ASKED,
            "no block and no model was asked for",
            "name the blocks in [tool.preflight], or a model with --model MODULE:CALLABLE",
        )
    if ruling.verdict is not Verdict.KERNELS:
        return ruling
    said = []
    if blocks:
        count = sum(len(b.launched) for b in blocks)
        said.append(f"{', '.join(b.block for b in blocks)}: {count} kernels launched, forward and backward")
        has_numbers = any(c.exercise and c.exercise.numerics.compared for c in reading.cases)
        said.append(f"numbers {_held(reading, table)}" if has_numbers else "no numbers were compared")
        if not reading.full_autotune and any(c.exercise and c.exercise.held for c in reading.cases):
            said.append("one Triton configuration of each kernel was tried")
    if model is None:
        said.append(NOT_RUN)
    elif reading.forced:
        said.append(f"{model.reason}, whatever {_forced_as(reading)} says")
    else:
        said.append(model.reason)
    return replace(ruling, reason="; ".join(said))


def _held(reading: Reading, table: Table) -> str:
    """The widest tolerance of each dtype: "right within 0.01 % in float32 and 2 % in bfloat16"."""
    widest: dict[str, float] = {}
    for case in reading.cases:
        for d in case.exercise.numerics.compared if case.exercise else ():
            limit = table.limit(case.block, case.dtype, d.what)
            if limit is not None and d.what == "output":
                widest[case.dtype] = max(widest.get(case.dtype, 0.0), limit.relative)
    return "right within " + " and ".join(f"{percent(off)} in {dtype}" for dtype, off in widest.items())


def _forced_as(reading: Reading) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(reading.forced.items()))


def _forced(reading: Reading, blocks: tuple[BlockRuling, ...], model: Ruling | None) -> Ruling:
    kernels = worst([b.ruling for b in blocks])
    also = "; the kernels themselves launch"
    if kernels is None or kernels.verdict is not Verdict.KERNELS:
        also = f"; and the kernels: {kernels.reason}" if kernels else ""
    reads = reading.model.run.reads if reading.model and reading.model.run else ()
    means = f"with it {model.reason}" if model else f"a model that reads it takes its Conv1d; {NOT_RUN}"
    return Ruling(
        Verdict.FALLBACK,
        Cause.FORCED,
        f"{_forced_as(reading)} is set: {means}{also}",
        "unset " + ", ".join(sorted(reading.forced)) + " in the image, the secret or the function's environment",
        tuple(f"{name}={value}" for name, value in sorted(reading.forced.items())),
        tuple(Where(r.path, r.line) for r in reads if r.name in reading.forced),
    )


def _judge_block(name: str, reading: Reading, table: Table, stopped: Ruling | None, explain: Explain) -> BlockRuling:
    cases = tuple(c for c in reading.cases if c.block == name)
    expected, caveat = table.row(name, reading.packages.get("mamba-ssm", "") or reading.mamba_version)
    names = tuple(n for c in cases if c.exercise for n in c.exercise.trace.names)
    kernels = expected.kernels if expected else ()
    seen = tuple(str(k) for k in kernels if k.is_in(names))
    missing = tuple(str(k) for k in kernels if not k.is_in(names))
    rulings = [_judge_case(c, reading, table, expected, stopped, explain) for c in cases]
    ruling = worst(rulings) or Ruling(
        Verdict.COULD_NOT_RUN,
        Cause.NOTHING_ASKED,
        f"{name} was run in no dtype",
        "ask for at least one dtype",
    )
    if caveat and names:
        ruling = replace(ruling, reason=f"{ruling.reason} ({caveat})")
    return BlockRuling(name, ruling, cases, seen, missing)


def _judge_case(
    case: Case,
    reading: Reading,
    table: Table,
    expected: Expected | None,
    stopped: Ruling | None,
    explain: Explain,
) -> Ruling:
    what = f"{case.block} in {case.dtype}"
    if case.exercise is not None:
        return _judge_exercise(what, case, case.exercise, reading, table, expected)
    if case.step.outcome is not Outcome.NOT_REACHED:
        return causes.run_ruling(what, case.step, reading, explain)
    return stopped or causes.not_reached(what, case.step, reading)


def _judge_exercise(
    what: str, case: Case, done: Exercise, reading: Reading, table: Table, expected: Expected | None
) -> Ruling:
    """Numbers before names: a kernel that launches and computes zeros is worse than one that is missing."""
    if not done.trace.device_events:
        return causes.no_events(what)
    wrong = _wrong_numbers(what, case, done, reading, table)
    if wrong is not None:
        return wrong
    if expected is None:
        return Ruling(
            Verdict.COULD_NOT_RUN,
            Cause.NO_REFERENCE,
            f"which kernels {case.block} launches is not in kernels.toml",
            "probe Mamba, Mamba2 or Mamba3, or your own model with --model MODULE:CALLABLE",
        )
    names = done.trace.names
    if not any(k.is_in(names) for k in expected.scan_forward):
        cause, said, remedy = Cause.NO_LAUNCH, "", causes.REINSTALL.format("mamba-ssm")
        return Ruling(Verdict.FALLBACK, cause, f"{what} launched none of its kernels{said}", remedy, names[:6])
    behind = [str(k) for k in expected.scan_backward if not k.is_in(names)]
    if behind:
        return Ruling(
            Verdict.BROKEN,
            Cause.MISSING_BACKWARD,
            f"{what} runs forward, and its backward did not launch {', '.join(behind)}",
            causes.REINSTALL.format("mamba-ssm"),
            names[:6],
        )
    ahead = [str(k) for k in expected.scan_forward if not k.is_in(names)]
    if ahead:
        return Ruling(
            Verdict.PARTIAL,
            Cause.NO_LAUNCH,
            f"{what} did not launch {', '.join(ahead)}",
            causes.REINSTALL.format("mamba-ssm"),
            names[:6],
        )
    conv = [str(k) for k in expected.conv_forward + expected.conv_backward if not k.is_in(names)]
    if conv:
        return _partial_conv(what, done, reading)
    if done.default_path_error is not None:
        said = f"{what} raises {done.default_path_error}; its kernels launch with use_mem_eff_path=False only"
        remedy = "make its widths multiples of 8, or give it use_mem_eff_path=False"
        return Ruling(Verdict.PARTIAL, Cause.ERROR, said, remedy, (str(done.default_path_error),))
    said = f"{what}: {len(expected.kernels)} kernels"
    if done.numerics.compared:
        said += f", numbers {tolerance(case.block, case.dtype, done.numerics, table)}"
    return Ruling(Verdict.KERNELS, Cause.LAUNCHED, said, "", tuple(map(str, expected.kernels)))


def _partial_conv(what: str, done: Exercise, reading: Reading) -> Ruling:
    cause, why, remedy = causes.conv1d_cause(reading)
    operators = ", ".join(sorted(done.trace.operators))
    stood_in = f"nn.Conv1d ({operators})" if operators else "another convolution"
    said = f"{what} ran {stood_in} in place of causal-conv1d: {why}"
    if done.default_path_error is not None:
        said = (
            f"{what} raises {done.default_path_error}; with use_mem_eff_path=False it runs {stood_in} "
            f"in place of causal-conv1d: {why}"
        )
    where = tuple(Where(a.path, a.line) for a in reading.absent)
    return Ruling(Verdict.PARTIAL, cause, said, remedy, done.trace.names[:6], where)


def _wrong_numbers(what: str, case: Case, done: Exercise, reading: Reading, table: Table) -> Ruling | None:
    numbers = done.numerics
    wrong = wrong_numbers(what, case.block, case.dtype, numbers, table)
    if wrong is not None and wrong.cause in (Cause.NAN_OUTPUT, Cause.ZERO_OUTPUT):
        return wrong
    if done.without_gradient:
        names = ", ".join(done.without_gradient[:4])
        said = f"{what}: no gradient reached {names} ({len(done.without_gradient)} in all)"
        return Ruling(Verdict.BROKEN, Cause.MISSING_BACKWARD, said, causes.REINSTALL.format("mamba-ssm"))
    if not numbers.compared and not reading.simulated:
        said = f"{what} has nothing to be compared with: {numbers.without_reference}"
        return Ruling(Verdict.COULD_NOT_RUN, Cause.NO_REFERENCE, said, "probe Mamba or Mamba2, which have one")
    return wrong
