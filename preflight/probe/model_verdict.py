"""The user's own model: what each of its blocks launched in each step, what it should have, and who chose otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from preflight.probe import causes
from preflight.probe.expected import Expected, is_in, shown, table
from preflight.probe.numbers_verdict import judge_own_numbers, own_numbers_in_words
from preflight.probe.payload.choices import is_on
from preflight.probe.reading import Model, ModelRun, OwnBlock, OwnStep, Place, Reading
from preflight.probe.ruling import Cause, Explain, Ruling, Verdict, broken, could_not_run, worst
from preflight.wording import counted

CANARY_LAUNCHES = 2  # the payload's own product, launched along with each step
UNKNOWN_SCAN = re.compile(r"scan|ssm|ssd|mamba|selective|chunk_state", re.I)
DEPTHWISE = "depthwise Conv1d"
SHOWN = 3
SHOWN_NAMES = 6

Rows = dict[str, Expected]


def judge_model(model: Model, reading: Reading, stopped: Ruling | None, explain: Explain) -> Ruling:
    what, run = f"the model {model.name}", model.value
    if run is None:
        return causes.unfinished(what, model, reading, stopped, explain)
    if run.error is not None:
        return causes.model_raised(what, run, reading, explain, run.error)
    if not all(s.device_events for s in run.steps):
        return causes.no_events(what)
    launches = _launches(what, run, reading)
    found = worst([_values(what, run), launches, *judge_own_numbers(what, run)]) or launches
    if found.verdict is not Verdict.KERNELS:
        return found
    numbers = [own_numbers_in_words(run)] if run.numbers else []
    return replace(found, reason="; ".join([found.reason, *numbers, *_notes(run)]))


def _values(what: str, run: ModelRun) -> Ruling | None:
    remedy = "look at its inputs first, then at its numerics in the dtype it trains in"
    for number, step in enumerate(run.steps, 1):
        if not step.finite:
            return broken(Cause.NAN_OUTPUT, f"{what} gives values that are not finite in step {number}", remedy)
        if step.bad_gradients and not run.is_scaled:
            names = _some(step.bad_gradients)
            reason = f"{what}: gradients are not finite in step {number} ({names}); its output is"
            blocks = [b.name for b in run.blocks if any(p.bad for p in b.steps)]
            evidence = (f"among them those of {_some(blocks)}",) if blocks else ()
            return broken(Cause.NAN_GRADIENT, reason, remedy, evidence)
    return None


def _some(names: Iterable[str]) -> str:
    rows = list(names)
    return ", ".join(rows[:SHOWN]) + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")


def _launches(what: str, run: ModelRun, reading: Reading) -> Ruling:
    every = {b.name: row for b in table().blocks if (row := table().row(b.name, reading.mamba_version)[0]) is not None}
    rows = {b.block: every[b.block] for b in run.blocks if b.block in every}
    used = [b for b in run.blocks if b.is_used and b.block in rows]
    if not used:
        return _without_hooks(what, run, reading, every.values())
    problems = [*_short_of_calls(used, rows), *_short_in_steps(used, rows, run)]
    lost = [reason for reason, is_conv in problems if not is_conv]
    if lost:
        is_left = any(_count(k, run.steps[-1]) for r in rows.values() for k in r.scan_forward)
        return _hidden(what, run, reading, lost, Verdict.PARTIAL if is_left else Verdict.FALLBACK)
    gradients = _gradients(what, used, run)
    if gradients is not None:
        return gradients
    if problems:
        cause, why, remedy = causes.conv1d_cause(reading, run.library.replaced)
        reason = f"{what}: {problems[0][0]}: {why}"
        return Ruling(Verdict.PARTIAL, cause, reason, remedy, run.names[:SHOWN_NAMES], _places(run, reading))
    if _is_call_caught(run):
        return _hidden(what, run, reading, ["something else runs where a block was wanted"], Verdict.PARTIAL)
    count = f"{counted(len(used), 'block')}, {counted(sum(p.calls for b in used for p in b.steps), 'call')}"
    return _launched(what, run, (b.block for b in used), f" ({count})")


def _launched(what: str, run: ModelRun, blocks: Iterable[str], how: str) -> Ruling:
    reason = f"{what} launched the kernels of {', '.join(dict.fromkeys(blocks))} in {len(run.steps)} steps{how}"
    return Ruling(Verdict.KERNELS, Cause.LAUNCHED, reason, "", run.names[:SHOWN_NAMES])


def _short_of_calls(used: list[OwnBlock], rows: Rows) -> Iterator[tuple[str, bool]]:
    """What is missing of each block's own forward passes, with whether it is only the convolution."""
    is_attributed = any(p.launched for b in used for p in b.steps)  # the trace could tell whose launch is whose
    for b in used:
        was_called = False
        for number, p in enumerate(b.steps, 1):
            if p.raised:
                yield f"{b.name} raised in step {number}, and the model went on", False
            elif was_called and not p.calls:
                yield f"{b.name} was called in step {number - 1} and is not called in step {number}", False
            was_called = was_called or p.calls > 0
            for kernels, is_conv in ((rows[b.block].scan_forward, False), (rows[b.block].conv_forward, True)):
                short = [k for k in kernels if is_attributed and p.launched.get(k, 0) < p.calls]
                if short:
                    times = f"{p.launched.get(short[0], 0)} times in {p.calls} calls of step {number}"
                    yield f"{b.name} launched {shown(short[0])} {times}", is_conv


def _short_in_steps(used: list[OwnBlock], rows: Rows, run: ModelRun) -> Iterator[tuple[str, bool]]:
    """The same of the steps as a whole: a launch for every call, and one for every backward pass."""
    for is_forward in (True, False):
        for number, step in enumerate(run.steps, 1):
            for block, row in rows.items():
                passes = [b.steps[number - 1] for b in used if b.block == block]
                if is_forward:
                    due, of = sum(p.calls for p in passes), f"calls of {block}"
                    scan, conv = row.scan_forward, row.conv_forward
                else:
                    due, of = sum(bool(p.calls and p.arrived) for p in passes), f"{block} blocks"
                    scan, conv = row.scan_backward, row.conv_backward
                for kernel in scan + conv:
                    if (got := _count(kernel, step)) < due:
                        yield f"{shown(kernel)} launched {got} times in step {number}, for {due} {of}", kernel in conv


def _count(kernel: str, step: OwnStep) -> int:
    return sum(row.count for row in step.launched if is_in(kernel, [row.name]))


def _is_call_caught(run: ModelRun) -> bool:
    return any(h.about_mamba and h.kind == "call" for h in run.choices.handlers)


def _gradients(what: str, used: list[OwnBlock], run: ModelRun) -> Ruling | None:
    """None, or the worst: no gradient at all, none for some parameter, nothing but zeros."""
    steps = f"in {len(run.steps)} steps"
    if not any(s.gradients for s in run.steps) and not any(p.arrived for b in used for p in b.steps):
        return None  # nothing could be watched: a torch without hooks, or a step without a backward pass
    for b in used:
        arrived = {n for p in b.steps for n in p.arrived}
        never = [n for n in b.trains if n not in arrived]
        if b.trains and len(never) == len(b.trains):
            reason, remedy = f"{what}: no gradient reached {b.name} {steps}", "check that the loss reaches it"
            return Ruling(Verdict.PARTIAL, Cause.NO_GRADIENT, reason, remedy, run.names[:SHOWN_NAMES])
        if never:
            reason = f"{what}: no gradient reached {_some(never)} of {b.name} {steps}"
            return broken(Cause.MISSING_BACKWARD, reason, causes.REINSTALL_MAMBA)
        zero = [n for n in b.trains if all(n in p.zero for p in b.steps if n in p.arrived)]
        if zero:
            whose = "every gradient" if len(zero) == len(b.trains) else f"the gradient of {_some(zero)}"
            reason = f"{what}: {whose} of {b.name} is zero {steps}, after an update too"
            is_compared = any(n.module == b.name and n.numerics and n.numerics.compared for n in run.numbers)
            remedy = causes.REINSTALL_MAMBA
            if is_compared and not judge_own_numbers(what, run, b.name):
                remedy = "look at what multiplies its output: the block by itself has gradients on the same input"
            return broken(Cause.ZERO_GRADIENT, reason, remedy)
    return None


def _without_hooks(what: str, run: ModelRun, reading: Reading, rows: Iterable[Expected]) -> Ruling:
    """No block of the table was seen at work: compiled away, called as functions, unknown, or not there."""
    scanning = [r for r in rows if any(_count(k, s) for k in r.scan_forward for s in run.steps)]
    if not scanning:
        return _nothing(what, run, reading)
    short = []
    for row in scanning:
        due = len([b for b in run.blocks if b.block == row.block]) if run.is_compiled else 0
        for kernel in row.scan_forward + row.scan_backward:
            counts = [_count(kernel, s) for s in run.steps]
            if min(counts) < max(1, due, counts[0]):
                times = f"{', '.join(map(str, counts))} times in {len(counts)} steps"
                short.append(f"{shown(kernel)} launched {times}" + (f", due {due}" if due else ""))
    if not short and _is_call_caught(run):
        short = ["something else runs where a scan was wanted"]
    if short:
        return _hidden(what, run, reading, short, Verdict.PARTIAL)
    how = "inside compiled code" if run.is_compiled else "without a block of mamba_ssm around them"
    return _launched(what, run, (r.block for r in scanning), f", {how}")


def _nothing(what: str, run: ModelRun, reading: Reading) -> Ruling:
    if not reading.simulated and all(sum(x.count for x in s.launched) <= CANARY_LAUNCHES for s in run.steps):
        reason = f"{what} launched nothing on the GPU in {len(run.steps)} steps: it runs on the CPU"
        remedy = "move the model and its inputs to cuda in MODULE:CALLABLE"
        return Ruling(Verdict.FALLBACK, Cause.ON_CPU, reason, remedy)
    known = {DEPTHWISE, *(b.label for b in run.blocks)}
    foreign = [n for n in run.names if UNKNOWN_SCAN.search(n) and not n.startswith(("void at::", "at::"))]
    if foreign and not any(h.about_mamba for h in run.choices.handlers):
        unknown = [m.label for m in run.modules if m.label not in known]
        origin = f", from {_some(unknown)}" if unknown else ""
        reason = f"{what} launches kernels that no row knows ({_some(foreign)}){origin}"
        remedy = "add a row for its block to preflight/probe/kernels.toml, or judge it by these names yourself"
        return could_not_run(Cause.UNKNOWN_BLOCKS, reason, remedy, run.names[:SHOWN_NAMES])
    blocks = ", ".join(dict.fromkeys(b.block for b in run.blocks)) or "Mamba"
    conv = next((m.count for m in run.modules if m.label == DEPTHWISE), 0)
    took = f"; it holds {conv} {DEPTHWISE}" if conv else ""
    lost = [f"launched no kernel of {blocks} in {len(run.steps)} steps{took}"]
    return _hidden(what, run, reading, lost, Verdict.FALLBACK)


# --- who chose another way than the kernels ---------------------------------------------------------------


def _choosers(run: ModelRun) -> Iterator[tuple[Place, str, str]]:
    """The most telling first: the place, what to report of it, and how it is undone."""
    choices = run.choices
    for h in choices.handlers:
        if h.about_mamba:
            place, caught = h.where, f"{h.caught}: {h.message}" if h.caught else "an exception"
            yield place, f"{place} caught {caught}", f"let {place} raise, then cure what it caught"
    values = {r.name: r.value for r in choices.reads}
    decisions = [d for d in choices.decisions if d.is_sure or d.variables]
    for d in sorted(decisions, key=lambda d: (not d.is_sure, not d.variables)):
        place, names = d.where, dict.fromkeys(d.variables)
        if names:
            switches = ", ".join(f"{n}={values[n]}" for n in names if n in values)
            yield place, f"{place} decides by {switches}: {d.test}", f"unset {', '.join(names)}, or set it for Mamba"
        else:
            remedy = f"give it the configuration for which {d.test} takes the branch with Mamba"
            yield place, f"{place} took the branch without Mamba: {d.test}", remedy
    for r in choices.reads if not decisions else ():
        if is_on(r.value):
            yield r.where, f"{r.where} reads {r.name}={r.value}", f"unset {r.name}"
    for other in run.library.replaced:
        yield other.where, f"{other.name} is {other.by} ({other.where})", f"leave {other.name} of mamba_ssm as it is"
    for slow in choices.slow_paths:
        remedy = "install what its fast path wants: mamba-ssm and causal-conv1d, for this torch"
        yield slow.where, f"{slow.where} calls {slow.called}", remedy


def _places(run: ModelRun, reading: Reading) -> tuple[Place, ...]:
    blanked = (a.where for a in (*run.library.absent, *reading.library.absent))
    return tuple(dict.fromkeys([*(place for place, _, _ in _choosers(run)), *blanked]))


def _hidden(what: str, run: ModelRun, reading: Reading, lost: list[str], verdict: Verdict) -> Ruling:
    chooser = next(_choosers(run), None)
    why, remedy = "", "look for the code that runs in place of its Mamba blocks"
    if chooser is not None:
        _, why, remedy = chooser
        why = f"; {why}"
    joint = " " if lost[0].startswith("launched") else ": "
    more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
    handlers = tuple(f"{h.where} caught {h.caught}: {h.message}" for h in run.choices.handlers if h.about_mamba)
    evidence = handlers or tuple(lost[1:6]) or run.names[:SHOWN_NAMES]
    return Ruling(verdict, Cause.HIDDEN, f"{what}{joint}{lost[0]}{more}{why}", remedy, evidence, _places(run, reading))


def _notes(run: ModelRun) -> list[str]:
    """What is worth a word beside a green verdict."""
    idle = [b.name for b in run.blocks if not b.is_used] if not run.is_compiled else []
    notes = [f"not called in these steps, and not judged: {_some(idle)}"] if idle else []
    imports = [h for h in run.choices.handlers if h.about_mamba]
    notes += [f"{h.where} caught {h.caught} at an import" for h in imports[:1]]
    if run.is_scaled and any(s.bad_gradients for s in run.steps):
        notes.append("gradients overflowed, which its GradScaler is for")
    return notes
