"""What the user's own model launched, against what its blocks should, and the code that chose otherwise."""

from __future__ import annotations

from preflight.model import Where
from preflight.probe import causes
from preflight.probe.expected import Expected, Table
from preflight.probe.reading import ModelRun, Outcome, Reading
from preflight.probe.ruling import Cause, Explain, Ruling, Verdict

LIBRARIES = ("mamba_ssm", "causal_conv1d", "triton")


def judge_model(reading: Reading, table: Table, explain: Explain) -> Ruling:
    assert reading.model is not None
    what, step, run = f"the model {reading.model.name}", reading.model.step, reading.model.run
    if run is None:
        if step.outcome is Outcome.NOT_REACHED:
            return causes.not_ready(reading, explain) or causes.not_reached(what, step, reading)
        return causes.run_ruling(what, step, reading, explain)
    if run.error is not None:
        return _raised(what, run, reading, explain)
    if not run.trace.device_events:
        return Ruling(
            Verdict.COULD_NOT_RUN,
            Cause.NO_EVENTS,
            f"the profiler saw no event of the GPU while {what} ran",
            "let the container use CUPTI (nothing else may profile at the same time), then run it again",
        )
    if not run.finite:
        said = f"{what} gives values that are not finite within {run.steps} steps"
        remedy = "look at its inputs first, then at its numerics in bfloat16"
        return Ruling(Verdict.BROKEN, Cause.NAN_OUTPUT, said, remedy)
    return _launches(what, run, reading, table)


def _launches(what: str, run: ModelRun, reading: Reading, table: Table) -> Ruling:
    names = run.trace.names
    version = reading.packages.get("mamba-ssm", "") or reading.mamba_version
    own = _blocks_of(run)
    rows = [row for b in own or reading.asked_blocks if (row := table.row(b, version)[0]) is not None]
    scanning = [r for r in rows if any(k.is_in(names) for k in r.scan_forward)]
    idle = [r for r in rows if r not in scanning]
    if not scanning or (own and idle):
        return _hidden(what, run, reading, idle)
    missing = [str(k) for r in scanning for k in r.kernels if not k.is_in(names)]
    scans = {str(k) for r in scanning for k in r.scan_forward + r.scan_backward}
    if any(name in scans for name in missing):
        lost = ", ".join(name for name in missing if name in scans)
        return Ruling(
            Verdict.PARTIAL,
            Cause.NO_LAUNCH,
            f"{what} did not launch {lost} in {run.steps} forward and backward passes",
            "check that the loss reaches these blocks, and that none of them is frozen",
            names[:6],
            _chosen(run, reading),
        )
    if missing:
        cause, why, remedy = causes.conv1d_cause(reading)
        said = f"{what} ran another convolution in place of causal-conv1d: {why}"
        return Ruling(Verdict.PARTIAL, cause, said, remedy, names[:6], _chosen(run, reading))
    shown = ", ".join(r.block for r in scanning)
    said = f"{what} launched the kernels of {shown} in {run.steps} steps"
    return Ruling(Verdict.KERNELS, Cause.LAUNCHED, said, "", names[:6])


def _blocks_of(run: ModelRun) -> tuple[str, ...]:
    """The blocks that the model is built of, by the names of the table; transformers calls them mixers."""
    found = []
    for label in run.modules:
        package, _, name = label.rpartition(".")
        if package.startswith("mamba_ssm") and name in ("Mamba", "Mamba2", "Mamba3"):
            found.append(name)
        elif package.startswith("transformers") and name.endswith("Mixer"):
            found.append("Mamba2" if "2" in name or name.startswith("Bamba") else "Mamba")
    return tuple(dict.fromkeys(found))


def _hidden(what: str, run: ModelRun, reading: Reading, idle: list[Expected]) -> Ruling:
    chosen = _chosen(run, reading)
    blocks = ", ".join(r.block for r in idle) or "Mamba"
    conv = run.modules.get("depthwise Conv1d", 0)
    took = f"; it holds {conv} depthwise Conv1d" if conv else ""
    why = _why(run)
    return Ruling(
        Verdict.FALLBACK,
        Cause.HIDDEN,
        f"{what} launched no kernel of {blocks} in {run.steps} steps{took}{why}",
        f"let {chosen[0]} raise, then cure what it caught"
        if chosen
        else "look for the code that replaces its Mamba blocks",
        tuple(f"{h.path}:{h.line} caught {h.caught}: {h.message}" for h in run.handlers if h.about_mamba)
        or run.trace.names[:6],
        chosen,
    )


def _why(run: ModelRun) -> str:
    handler = next((h for h in run.handlers if h.about_mamba), None)
    if handler is not None:
        caught = f"{handler.caught}: {handler.message}" if handler.caught else "an exception"
        return f"; {handler.path}:{handler.line} caught {caught}"
    read = next((r for r in run.reads if r.value), None)
    if read is not None:
        return f"; {read.path}:{read.line} reads {read.name}={read.value}"
    if run.slow_paths:
        slow = run.slow_paths[0]
        return f"; {slow.path}:{slow.line} calls {slow.called}"
    return ""


def _chosen(run: ModelRun, reading: Reading) -> tuple[Where, ...]:
    handlers = [Where(h.path, h.line) for h in run.handlers if h.about_mamba]
    reads = [Where(r.path, r.line) for r in run.reads if r.value]
    slow = [Where(s.path, s.line) for s in run.slow_paths]
    library = [Where(a.path, a.line) for a in (*run.absent, *reading.absent)]
    return tuple(dict.fromkeys([*handlers, *reads, *slow, *library]))


def _raised(what: str, run: ModelRun, reading: Reading, explain: Explain) -> Ruling:
    assert run.error is not None
    error, place = run.error, causes.place(run.error)
    at = f" at {place[0]}" if place else ""
    if any(name in frame.path for frame in error.frames for name in LIBRARIES):
        meaning, cure = explain(str(error))
        said = f"{what} raises in step {run.steps + 1}{at}: {error}" + (f" ({meaning})" if meaning else "")
        remedy = cure or causes.REINSTALL.format(causes.package_of(error.message))
        return Ruling(Verdict.BROKEN, Cause.ERROR, said, remedy, (str(error),), place)
    return Ruling(
        Verdict.COULD_NOT_RUN,
        Cause.MODEL_ERROR,
        f"{what} could not be run{at}: {error}",
        "make MODULE:CALLABLE give (module, inputs), a module with example_input_array, or a one-step function",
        (str(error),),
        place,
    )
