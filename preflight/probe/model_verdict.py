"""The user's own model: what each of its blocks launched in each step, what it should have, and who chose otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from preflight.model import Where
from preflight.probe import causes
from preflight.probe.expected import Expected, Kernel, Table
from preflight.probe.numbers_verdict import judge_own_numbers, said_of_own_numbers
from preflight.probe.reading import ModelRun, Outcome, OwnBlock, OwnStep, Reading
from preflight.probe.ruling import Cause, Explain, Ruling, Verdict, worst
from preflight.wording import counted

CANARY_LAUNCHES = 2  # the payload's own product, launched along with each step
UNKNOWN_SCAN = re.compile(r"scan|ssm|ssd|mamba|selective|chunk_state", re.I)
SHOWN = 3


def judge_model(reading: Reading, table: Table, explain: Explain) -> Ruling:
    assert reading.model is not None
    what, step, run = f"the model {reading.model.name}", reading.model.step, reading.model.run
    if run is None:
        if step.outcome is Outcome.NOT_REACHED:
            return causes.not_ready(reading, explain) or causes.not_reached(what, step, reading)
        return causes.run_ruling(what, step, reading, explain)
    if run.error is not None:
        return causes.model_raised(what, run, reading, explain, run.error)
    if not all(s.trace.device_events for s in run.steps):
        return causes.no_events(what)
    rulings = [r for r in (_values(what, run), _launches(what, run, reading, table)) if r is not None]
    rulings += judge_own_numbers(what, run, table)
    found = worst(rulings)
    assert found is not None  # the launches always have a ruling
    if found.verdict is not Verdict.KERNELS:
        return found
    numbers = [said_of_own_numbers(run, table)] if run.numbers else []
    return replace(found, reason="; ".join([found.reason, *numbers, *_notes(run)]))


def _values(what: str, run: ModelRun) -> Ruling | None:
    remedy = "look at its inputs first, then at its numerics in the dtype it trains in"
    for number, step in enumerate(run.steps, 1):
        if not step.finite:
            said = f"{what} gives values that are not finite in step {number}"
            return Ruling(Verdict.BROKEN, Cause.NAN_OUTPUT, said, remedy)
        if step.bad_gradients and not run.is_scaled:
            said = f"{what}: gradients are not finite in step {number} ({_some(step.bad_gradients)}); its output is"
            blocks = [b.name for b in run.blocks if any(p.bad for p in b.steps)]
            evidence = (f"among them those of {_some(blocks)}",) if blocks else ()
            return Ruling(Verdict.BROKEN, Cause.NAN_GRADIENT, said, remedy, evidence)
    return None


def _some(names: Iterable[str]) -> str:
    rows = list(names)
    return ", ".join(rows[:SHOWN]) + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")


def _launches(what: str, run: ModelRun, reading: Reading, table: Table) -> Ruling:
    version = reading.packages.get("mamba-ssm", "") or reading.mamba_version
    rows = {b.block: row for b in run.blocks if (row := table.row(b.block, version)[0]) is not None}
    used = [b for b in run.blocks if b.is_used and b.block in rows]
    if not used:
        everything = [r for b in table.blocks if (r := table.row(b.name, version)[0]) is not None]
        return _without_hooks(what, run, reading, rows, everything)
    problems = [*_forward(used, rows, run), *_backward(used, rows, run)]
    lost = [said for said, is_conv in problems if not is_conv]
    if lost:
        kernels = [k for r in rows.values() for k in r.scan_forward]
        is_left = any(_count(k, run.steps[-1]) for k in kernels)
        return _hidden(what, run, reading, lost, Verdict.PARTIAL if is_left else Verdict.FALLBACK)
    gradients = _gradients(what, used, run, table)
    if gradients is not None:
        return gradients
    if problems:
        cause, why, remedy = causes.conv1d_cause(reading, run.replaced)
        said = f"{what}: {problems[0][0]}: {why}"
        return Ruling(Verdict.PARTIAL, cause, said, remedy, run.names[:6], _chosen(run, reading))
    replaced = [h for h in run.handlers if h.about_mamba and (h.kind == "call" or _is_import_stood_in(h.kind, run))]
    if replaced:
        return _hidden(what, run, reading, ["something else runs where a block was wanted"], Verdict.PARTIAL)
    kinds = ", ".join(dict.fromkeys(b.block for b in used))
    calls = sum(p.calls for b in used for p in b.steps)
    count = f"{counted(len(used), 'block')}, {counted(calls, 'call')}"
    said = f"{what} launched the kernels of {kinds} in {len(run.steps)} steps ({count})"
    return Ruling(Verdict.KERNELS, Cause.LAUNCHED, said, "", run.names[:6])


def _forward(used: list[OwnBlock], rows: dict[str, Expected], run: ModelRun) -> Iterable[tuple[str, bool]]:
    """What is missing of the forward passes, with whether it is only the convolution."""
    is_told = any(p.launched for b in used for p in b.steps)  # the trace could tell whose launch is whose
    for b in used:
        was_called = False
        for number, p in enumerate(b.steps, 1):
            if p.raised:
                yield f"{b.name} raised in step {number}, and the model went on", False
            elif was_called and not p.calls:
                yield f"{b.name} was called in step {number - 1} and is not called in step {number}", False
            was_called = was_called or p.calls > 0
            for kernels, is_conv in ((rows[b.block].scan_forward, False), (rows[b.block].conv_forward, True)):
                short = [k for k in kernels if is_told and p.launched.get("|".join(k.names), 0) < p.calls]
                if short:
                    got = p.launched.get("|".join(short[0].names), 0)
                    yield f"{b.name} launched {short[0]} {got} times in {p.calls} calls of step {number}", is_conv
    for number, step in enumerate(run.steps, 1):
        for block, row in rows.items():
            due = sum(b.steps[number - 1].calls for b in used if b.block == block)
            for kernel in row.scan_forward + row.conv_forward:
                if (got := _count(kernel, step)) < due:
                    said = f"{kernel} launched {got} times in step {number}, for {due} calls of {block}"
                    yield said, kernel in row.conv_forward


def _backward(used: list[OwnBlock], rows: dict[str, Expected], run: ModelRun) -> Iterable[tuple[str, bool]]:
    for number, step in enumerate(run.steps, 1):
        for block, row in rows.items():
            due = sum(bool(b.steps[number - 1].calls and b.steps[number - 1].arrived) for b in used if b.block == block)
            for kernel in row.scan_backward + row.conv_backward:
                if _count(kernel, step) < due:
                    said = f"{kernel} launched {_count(kernel, step)} times in step {number}, for {due} {block} blocks"
                    yield said, kernel in row.conv_backward


def _count(kernel: Kernel, step: OwnStep) -> int:
    return sum(row.count for row in step.trace.launched if kernel.is_in([row.name]))


def _gradients(what: str, used: list[OwnBlock], run: ModelRun, table: Table) -> Ruling | None:
    """None, or the worst: no gradient at all, none for some parameter, nothing but zeros."""
    steps = len(run.steps)
    if not any(s.gradients for s in run.steps) and not any(p.arrived for b in used for p in b.steps):
        return None  # nothing could be watched: a torch without hooks, or a step without a backward pass
    for b in used:
        if not b.trains:
            continue
        arrived = {n for p in b.steps for n in p.arrived}
        never = [n for n in b.trains if n not in arrived]
        if len(never) == len(b.trains):
            said = f"{what}: no gradient reached {b.name} in {steps} steps"
            remedy = "check that the loss reaches it"
            return Ruling(Verdict.PARTIAL, Cause.NO_GRADIENT, said, remedy, run.names[:6])
        if never:
            said = f"{what}: no gradient reached {_some(never)} of {b.name} in {steps} steps"
            return Ruling(Verdict.BROKEN, Cause.MISSING_BACKWARD, said, causes.REINSTALL.format("mamba-ssm"))
        zero = [n for n in b.trains if all(n in p.zero for p in b.steps if n in p.arrived)]
        if zero:
            whose = "every gradient" if len(zero) == len(b.trains) else f"the gradient of {_some(zero)}"
            said = f"{what}: {whose} of {b.name} is zero in {steps} steps, after an update too"
            by_itself = [n for n in run.numbers if n.module == b.name and n.numerics and n.numerics.compared]
            healthy = by_itself and not judge_own_numbers(what, replace(run, numbers=tuple(by_itself)), table)
            remedy = "look at what multiplies its output: the block by itself has gradients on the same input"
            return Ruling(
                Verdict.BROKEN, Cause.ZERO_GRADIENT, said, remedy if healthy else causes.REINSTALL.format("mamba-ssm")
            )
    return None


def _is_import_stood_in(kind: str, run: ModelRun) -> bool:
    """A block could not be imported, and the model runs convolutions outside of the blocks it has."""
    inside = sum(p.launched.get("aten::conv1d", 0) for b in run.blocks for p in b.steps)
    return kind == "import of a block" and sum(s.trace.operators.get("aten::conv1d", 0) for s in run.steps) > inside


def _without_hooks(
    what: str, run: ModelRun, reading: Reading, rows: dict[str, Expected], everything: list[Expected]
) -> Ruling:
    """No block of the table was seen at work: compiled away, called as functions, unknown, or not there."""
    scanning = [r for r in everything if any(_count(k, s) for k in r.scan_forward for s in run.steps)]
    if not scanning:
        return _nothing(what, run, reading)
    short = []
    for row in scanning:
        due = len([b for b in run.blocks if b.block == row.block]) if run.is_compiled else 0
        for kernel in row.scan_forward + row.scan_backward:
            counts = [_count(kernel, s) for s in run.steps]
            if min(counts) < max(1, due, counts[0]):
                times = ", ".join(map(str, counts))
                short.append(
                    f"{kernel} launched {times} times in {len(counts)} steps" + (f", due {due}" if due else "")
                )
    handlers = [h for h in run.handlers if h.about_mamba and h.kind == "call"]
    if short or handlers:
        return _hidden(what, run, reading, short or ["something else runs where a scan was wanted"], Verdict.PARTIAL)
    kinds = ", ".join(r.block for r in scanning)
    how = "inside compiled code" if run.is_compiled else "without a block of mamba_ssm around them"
    said = f"{what} launched the kernels of {kinds} in {len(run.steps)} steps, {how}"
    return Ruling(Verdict.KERNELS, Cause.LAUNCHED, said, "", run.names[:6])


def _nothing(what: str, run: ModelRun, reading: Reading) -> Ruling:
    if not reading.simulated and all(sum(x.count for x in s.trace.launched) <= CANARY_LAUNCHES for s in run.steps):
        said = f"{what} launched nothing on the GPU in {len(run.steps)} steps: it runs on the CPU"
        return Ruling(Verdict.FALLBACK, Cause.ON_CPU, said, "move the model and its inputs to cuda in MODULE:CALLABLE")
    known = {b.label for b in run.blocks}
    unknown = [m for m in run.modules if m not in known and m != "depthwise Conv1d"]
    foreign = [n for n in run.names if UNKNOWN_SCAN.search(n) and not n.startswith(("void at::", "at::"))]
    if foreign and not any(h.about_mamba for h in run.handlers):
        said = f"{what} launches kernels that no row knows ({_some(foreign)})"
        if unknown:
            said += f", from {_some(unknown)}"
        remedy = "add a row for its block to preflight/probe/kernels.toml, or judge it by these names yourself"
        return Ruling(Verdict.COULD_NOT_RUN, Cause.UNKNOWN_BLOCKS, said, remedy, run.names[:6])
    blocks = ", ".join(dict.fromkeys(b.block for b in run.blocks)) or "Mamba"
    conv = run.modules.get("depthwise Conv1d", 0)
    took = f"; it holds {conv} depthwise Conv1d" if conv else ""
    lost = [f"launched no kernel of {blocks} in {len(run.steps)} steps{took}"]
    return _hidden(what, run, reading, lost, Verdict.FALLBACK)


def _hidden(what: str, run: ModelRun, reading: Reading, lost: list[str], verdict: Verdict) -> Ruling:
    chosen, (why, remedy) = _chosen(run, reading), _why(run)
    joint = " " if lost[0].startswith("launched") else ": "
    handlers = tuple(f"{h.path}:{h.line} caught {h.caught}: {h.message}" for h in run.handlers if h.about_mamba)
    return Ruling(
        verdict,
        Cause.HIDDEN,
        f"{what}{joint}{lost[0]}" + (f" (and {len(lost) - 1} more)" if len(lost) > 1 else "") + why,
        remedy,
        handlers or tuple(lost[1:6]) or run.names[:6],
        chosen,
    )


def _why(run: ModelRun) -> tuple[str, str]:
    """What chose another way than the kernels, and how that is undone."""
    handler = next((h for h in run.handlers if h.about_mamba), None)
    if handler is not None:
        caught = f"{handler.caught}: {handler.message}" if handler.caught else "an exception"
        place = f"{handler.path}:{handler.line}"
        return f"; {place} caught {caught}", f"let {place} raise, then cure what it caught"
    values = {r.name: r.value for r in run.reads}
    for decision in sorted(run.decisions, key=lambda d: (not d.is_sure, not d.variables)):
        place, names = f"{decision.path}:{decision.line}", dict.fromkeys(decision.variables)
        if names:
            shown = ", ".join(f"{n}={values[n]}" for n in names if n in values)
            return f"; {place} decides by {shown}: {decision.test}", f"unset {', '.join(names)}, or set it for Mamba"
        if decision.is_sure:
            said = f"; {place} took the branch without Mamba: {decision.test}"
            return said, f"give it the configuration for which {decision.test} takes the branch with Mamba"
    read = next((r for r in run.reads if causes.is_on(r.value)), None)
    if read is not None:
        return f"; {read.path}:{read.line} reads {read.name}={read.value}", f"unset {read.name}"
    if run.replaced:
        other = run.replaced[0]
        return f"; {other.name} is {other.by} ({other.path}:{other.line})", f"leave {other.name} of mamba_ssm as it is"
    if run.slow_paths:
        slow = run.slow_paths[0]
        said = f"; {slow.path}:{slow.line} calls {slow.called}"
        return said, "install what its fast path wants: mamba-ssm and causal-conv1d, for this torch"
    return "", "look for the code that runs in place of its Mamba blocks"


def _chosen(run: ModelRun, reading: Reading) -> tuple[Where, ...]:
    rows = [Where(h.path, h.line) for h in run.handlers if h.about_mamba]
    rows += [Where(d.path, d.line) for d in run.decisions if d.is_sure or d.variables]
    if not run.decisions:
        rows += [Where(r.path, r.line) for r in run.reads if causes.is_on(r.value)]
    rows += [Where(r.path, r.line) for r in run.replaced]
    rows += [Where(s.path, s.line) for s in run.slow_paths]
    rows += [Where(a.path, a.line) for a in (*run.absent, *reading.absent)]
    return tuple(dict.fromkeys(rows))


def _notes(run: ModelRun) -> list[str]:
    """What is worth a word beside a green verdict."""
    idle = [b.name for b in run.blocks if not b.is_used] if not run.is_compiled else []
    notes = [f"not called in these steps, and not judged: {_some(idle)}"] if idle else []
    imports = [h for h in run.handlers if h.about_mamba]
    notes += [f"{h.path}:{h.line} caught {h.caught} at an import" for h in imports[:1]]
    if run.is_scaled and any(s.bad_gradients for s in run.steps):
        notes.append("gradients overflowed, which its GradScaler is for")
    return notes
