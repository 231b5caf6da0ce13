"""Why something did not load or run: a step that went wrong, as a ruling."""

from __future__ import annotations

import re
from functools import partial

from preflight.binary import symbols
from preflight.probe.expected import table
from preflight.probe.reading import Failure, ModelRun, Outcome, Reading, Replaced, Step
from preflight.probe.ruling import Cause, Explain, Ruling, Verdict, broken, could_not_run
from preflight.wording import counted

NO_MODULE = re.compile(r"No module named '([\w.]+)'")
NO_MEMORY = re.compile("out of memory", re.I)
NO_BLOCK = re.compile(r"module 'mamba_ssm' has no attribute '(\w+)'")
NO_CODE = re.compile("no kernel image is available|named symbol not found|device kernel image is invalid", re.I)
PROFILER = re.compile(r"profiler is already|kineto|can't disable .{0,20}profiler|CUPTI", re.I)
LIBRARY = re.compile(r"[/\\](?:mamba_ssm|causal_conv1d|triton)[/\\]|(?:selective_scan_cuda|causal_conv1d_cuda)\W")
UNDEFINED = re.compile(r"(?:(?P<library>\S{1,400}\.so)\S{0,20}: )?undefined symbol: (?P<symbol>\w{1,8192})")
GIB = 2**30
EVIDENCE_LINES = 6

INSTALL_CONV1D = "install causal-conv1d for this torch: pip install --no-build-isolation causal-conv1d"
REINSTALL = (
    "build {0} against the torch that runs it: "
    "pip install --no-build-isolation --no-cache-dir --force-reinstall --no-deps {0}"
)
REINSTALL_MAMBA = REINSTALL.format("mamba-ssm")
BUILD_FOR_GPU = (
    "build the package where nvcc knows this GPU, or take a GPU that its wheel was built for "
    "(preflight link FILE.whl names them)"
)

# A module that the import of mamba_ssm does not find: the cause and the remedy.
MISSING = {
    "selective_scan_cuda": (
        Cause.SCAN_ABSENT,
        "install a mamba-ssm with its CUDA extension: it was not built, or a wheel without it was taken "
        "(MAMBA_SKIP_CUDA_BUILD)",
    ),
    "causal_conv1d_cuda": (Cause.CONV1D_ABSENT, INSTALL_CONV1D),
    "causal_conv1d": (Cause.CONV1D_ABSENT, INSTALL_CONV1D),
    "mamba_ssm": (Cause.MAMBA_ABSENT, "install mamba-ssm: pip install --no-build-isolation mamba-ssm"),
}


# The user's model raised in its own code: the type and a pattern of its text, "" for any, and the remedy.
MODEL_REMEDIES = (
    (
        "TypeError",
        r"missing \d+ required .{0,20}argument",
        "give what it wants: --model-args 'd_model=64, config=@config.json'",
    ),
    ("", "the callable gave", "give its input: --model-input 2x960x64, or let MODULE:CALLABLE give (module, inputs)"),
    ("FileNotFoundError", "", "put that file into the image beside the code, or name another with --model-args"),
    ("", NO_MODULE.pattern, "add {0} to the image, or to the folders that it is imported from"),
)


def tail(step: Step) -> tuple[str, ...]:
    """The lines that tell most: faulthandler's stack of the thread that died, innermost first, else the last."""
    lines = [line for line in step.output_tail.splitlines() if line.strip()]
    died = next((n for n, line in enumerate(lines) if line.startswith("Current thread")), None)
    return tuple(lines[-EVIDENCE_LINES:] if died is None else lines[died : died + EVIDENCE_LINES])


def _package_of(text: str) -> str:
    return "causal-conv1d" if "causal_conv1d" in text else "mamba-ssm"


def not_ready(reading: Reading, explain: Explain) -> Ruling | None:
    """What stopped every case before its first line: torch, the GPU, or the import of mamba_ssm."""
    torch = reading.imports.get("import torch")
    if torch is not None and torch.outcome is not Outcome.OK:
        remedy = "install torch in the image that the function uses, for its Python"
        return could_not_run(Cause.NO_TORCH, f"import torch: {_what_happened(torch)}", remedy, tail(torch))
    for step in (reading.imports.get("gpu ready"), reading.gpu):
        if step is not None and step.outcome in (Outcome.ERROR, Outcome.CRASH, Outcome.TIME_OUT):
            return _no_gpu(step, reading)
    mamba = reading.imports.get("import mamba_ssm")
    return _import_ruling(mamba, reading, explain) if mamba is not None and mamba.outcome is not Outcome.OK else None


def _no_gpu(step: Step, reading: Reading) -> Ruling:
    driver, visible = reading.driver.get("driver", ""), reading.visible_devices
    seen = f"driver {driver} is there" if driver else "nvidia-smi finds no driver"
    remedy = "run it where a GPU is: preflight probe APP --gpu A100-80GB"
    if visible is not None and driver and reading.torch.cuda:
        shown, cards = visible or '""', counted(len(reading.at_rest), "GPU") or "the GPUs"
        seen += f", and CUDA_VISIBLE_DEVICES={shown} shows torch none of {cards}"
        remedy = "unset CUDA_VISIBLE_DEVICES, or name a GPU that is there"
    elif driver and reading.torch.version and not reading.torch.cuda:
        seen += ", and this torch is a CPU build"
        remedy = "install a CUDA build of torch in this interpreter"
    reason = f"torch {reading.torch.version} reaches no GPU: {_what_happened(step)} ({seen})"
    return could_not_run(Cause.NO_GPU, reason, remedy, tail(step))


def no_events(what: str) -> Ruling:
    return could_not_run(
        Cause.NO_EVENTS,
        f"the profiler saw no event of the GPU while {what} ran, not even the product launched along with it",
        "let the container use CUPTI (nothing else may profile at the same time), then run it again",
    )


def _import_ruling(step: Step, reading: Reading, explain: Explain) -> Ruling:
    """The import of mamba_ssm went wrong.  Training code catches ImportError, and only that: a fallback."""
    if step.outcome is Outcome.TIME_OUT:
        remedy = "look at what the import waits for: run python -X faulthandler -X importtime -c 'import mamba_ssm'"
        reason = f"import mamba_ssm did not end within {step.seconds:.0f} s"
        return could_not_run(Cause.IMPORT_HANG, reason, f"{remedy} in the image", tail(step))
    if step.outcome is Outcome.CRASH or step.error is None:
        reason = f"import mamba_ssm killed the process: {_how_it_died(step)}"
        return broken(Cause.IMPORT_CRASH, reason, REINSTALL_MAMBA, tail(step))
    error = step.error
    text, cure = _explained(error, explain)
    verdict, cause, reason = Verdict.FALLBACK, Cause.IMPORT_ERROR, f"import mamba_ssm: {text}"
    package = _package_of(error.message)
    if "undefined symbol" in error.message:
        more, remedy = _of_symbol(error.message, package, reading)
        cause, reason = Cause.UNDEFINED_SYMBOL, f"{package} was built for another torch than {reading.torch.version}"
        reason += f": {text}{more}"
    elif missing := NO_MODULE.search(error.message):
        name = missing[1].partition(".")[0]
        other = (Cause.IMPORT_ERROR, f"install what {name} comes from; mamba_ssm imports it")
        cause, remedy = MISSING.get(name, other)
    else:
        verdict = verdict if error.kind in ("ImportError", "ModuleNotFoundError") else Verdict.BROKEN
        remedy = cure or REINSTALL.format(package)
    return Ruling(verdict, cause, reason, remedy, (str(error),), error.origin)


def unfinished(what: str, step: Step, reading: Reading, stopped: Ruling | None, explain: Explain) -> Ruling:
    """A block or a model that was not reached, hung, died or raised."""
    if step.outcome is Outcome.NOT_REACHED:
        return stopped or _not_reached(what, step, reading)
    at = f" at its {step.at}" if step.at else ""
    if step.outcome is Outcome.TIME_OUT:
        reason = f"{what} did not end within {step.seconds:.0f} s{at}"
        return could_not_run(Cause.TIME_OUT, reason, _more_time(step, reading), tail(step))
    if step.outcome is Outcome.CRASH or step.error is None:
        reason = f"{what} killed the process{at}: {_how_it_died(step)}"
        return broken(Cause.CRASH, reason, REINSTALL_MAMBA, tail(step))
    return _raised(what, step, step.error, reading, explain)


def _raised(what: str, step: Step, error: Failure, reading: Reading, explain: Explain) -> Ruling:
    text, cure = _explained(error, explain)
    cure = cure or REINSTALL.format(_package_of(error.message))
    raised = partial(Ruling, evidence=(str(error),), where=error.origin)
    absent = NO_BLOCK.search(error.message)
    if NO_CODE.search(error.message):
        gpu = reading.gpu.value
        card = f"{gpu.name}, sm_{gpu.capability.replace('.', '')}" if gpu else "this GPU"
        reason = f"{what} holds no code for {card}: {text}"
        return raised(Verdict.BROKEN, Cause.WRONG_ARCHITECTURE, reason, BUILD_FOR_GPU)
    if absent and step.at == "construction":
        rows = table().rows_of(absent[1])
        since = f": {absent[1]} is there from {rows[0].since}" if rows else ""
        reason = f"mamba-ssm {reading.mamba_version or 'of unknown version'} has no {absent[1]}"
        return raised(Verdict.FALLBACK, Cause.BLOCK_ABSENT, reason, f"install a mamba-ssm that has it{since}")
    if NO_MEMORY.search(error.message):
        row = table().block(what.partition(" ")[0])
        need = f"{row.name} takes {row.memory_gib:g} GiB here" if row else "this block's need is not known"
        remedy = f"run it on a GPU with free memory: {need}"
        return raised(Verdict.COULD_NOT_RUN, Cause.OUT_OF_MEMORY, f"{what}: {text}", remedy)
    if step.at == "backward":
        reason = f"{what} runs forward, and its backward raises {text}"
        return raised(Verdict.BROKEN, Cause.MISSING_BACKWARD, reason, cure)
    at = f" at its {step.at}" if step.at else ""
    return raised(Verdict.BROKEN, Cause.ERROR, f"{what} raises{at}: {text}", cure)


def _not_reached(what: str, step: Step, reading: Reading) -> Ruling:
    """Nothing of ``what`` was begun: the time was up, or its process ended on the way there."""
    for name, stray in reading.strays.items():
        if stray.outcome in (Outcome.CRASH, Outcome.ERROR):
            reason = f"{what} was not reached: {_what_happened(stray)} ({name})"
            remedy = "look at its last lines; python -X faulthandler shows more"
            return could_not_run(Cause.CRASH, reason, remedy, tail(stray))
    reason = f"{what} was not reached; the time went to {step.at or 'the steps before it'}"
    return could_not_run(Cause.TIME_OUT, reason, "run it again with a larger [tool.preflight.probe] timeout-s")


def _more_time(step: Step, reading: Reading) -> str:
    if step.at.startswith(("import", "construction")):
        return "make what MODULE:CALLABLE does before its first step shorter, or give it a larger timeout-s"
    if reading.request.full_autotune:
        return "leave out --full-autotune, or give it a larger [tool.preflight.probe] timeout-s"
    return "look at where it hangs: python -X faulthandler; nothing that was seen healthy takes a tenth of this"


def model_raised(what: str, run: ModelRun, reading: Reading, explain: Explain, error: Failure) -> Ruling:
    """The user's model raised.  The kernels' fault only where their code is on the way and memory was enough."""
    where, evidence = error.origin, (str(error),)
    at = f" at {where[0]}" if where else ""
    when = f" in step {len(run.steps) + 1}" if run.blocks or run.steps else ""
    reason = f"{what} raises{when}{at}: {error}"
    if NO_MEMORY.search(error.message):
        total = reading.gpu.value.memory_bytes if reading.gpu.value else 0
        others = max(0, total - run.free_bytes)
        remedy = "make its batch smaller in MODULE:CALLABLE, or probe it on a GPU with more memory"
        if others > 2 * GIB:
            remedy = f"free the GPU: {others / GIB:.1f} of its {total / GIB:.0f} GiB were taken before the model began"
        peak = f" (it reached {run.peak_bytes / GIB:.1f} GiB)" if run.peak_bytes else ""
        return could_not_run(Cause.OUT_OF_MEMORY, reason + peak, remedy, evidence, where)
    if PROFILER.search(error.message):
        remedy = "leave out the model's own profiler in MODULE:CALLABLE: two can't watch one GPU at a time"
        return could_not_run(Cause.OTHER_PROFILER, reason, remedy, evidence, where)
    if any(LIBRARY.search(frame.path) for frame in error.frames):
        meaning, cure = explain(str(error))
        remedy, cause = cure or REINSTALL.format(_package_of(error.message)), Cause.ERROR
        if "'NoneType' object is not callable" in error.message and (run.library.absent or reading.library.absent):
            cause, meaning, remedy = conv1d_cause(reading, run.library.replaced)
        return broken(cause, reason + (f" ({meaning})" if meaning else ""), remedy, evidence, where)
    return could_not_run(Cause.MODEL_ERROR, reason, _model_remedy(error, run), evidence, where)


def _model_remedy(error: Failure, run: ModelRun) -> str:
    for kind, pattern, remedy in MODEL_REMEDIES:
        found = re.search(pattern, error.message)
        if found and kind in ("", error.kind):
            return remedy.format(*found.groups())
    if run.steps:
        return "run MODULE:CALLABLE by itself on this GPU: it raises there too"
    return "make MODULE:CALLABLE give (module, inputs), a module with example_input_array, or a one-step function"


def conv1d_cause(reading: Reading, replaced: tuple[Replaced, ...] = ()) -> tuple[Cause, str, str]:
    """Why causal-conv1d is not in use: cause, what was seen, remedy."""
    other = next((r for r in (*replaced, *reading.library.replaced) if r.name == "causal_conv1d_fn"), None)
    if other is not None:
        seen = f"causal_conv1d_fn is {other.by} ({other.where}), not causal-conv1d's"
        return Cause.CONV1D_UNUSABLE, seen, "take out the assignment that replaces causal_conv1d_fn"
    for name in ("causal_conv1d", "causal_conv1d_cuda"):
        step = reading.loads.get(name)
        if step is None or step.outcome in (Outcome.OK, Outcome.NOT_REACHED):
            continue
        message = step.error.message if step.error is not None else ""
        if NO_MODULE.search(message):
            return Cause.CONV1D_ABSENT, f"causal-conv1d is not installed ({step.error})", INSTALL_CONV1D
        if "undefined symbol" in message:
            more, remedy = _of_symbol(message, "causal-conv1d", reading)
            seen = f"causal-conv1d was built for another torch than {reading.torch.version} ({step.error}){more}"
            return Cause.UNDEFINED_SYMBOL, seen, remedy
        return Cause.CONV1D_UNUSABLE, f"import {name}: {_what_happened(step)}", REINSTALL.format("causal-conv1d")
    if reading.library.absent:
        names = ", ".join(sorted({a.name for a in reading.library.absent}))
        version = reading.installed.get("causal-conv1d", "of unknown version")
        seen = f"causal-conv1d {version} loads, but mamba_ssm set {names} to None"
        remedy = "take a causal-conv1d that this mamba-ssm knows: 1.5.1 or newer for mamba-ssm 2.2.5 and newer"
        return Cause.CONV1D_UNUSABLE, seen, remedy
    remedy = "look for what calls another convolution: causal-conv1d itself is installed and loads"
    return Cause.CONV1D_UNUSABLE, "causal-conv1d loads and was not called", remedy


def _of_symbol(message: str, package: str, reading: Reading) -> tuple[str, str]:
    """What the symbol tells beyond the loader's words, "" where it tells nothing, and the remedy."""
    found, torch = UNDEFINED.search(message), reading.torch.version or None
    remedy = symbols.fix([found["symbol"]], found["library"] or "", torch) if found else None
    if found is None or remedy is None:
        return "", REINSTALL.format(package)
    return f"; {symbols.why([found['symbol']], torch)}", remedy


def _explained(error: Failure, explain: Explain) -> tuple[str, str]:
    """The error with what it means, where that is known, and its cure."""
    meaning, cure = explain(str(error))
    return f"{error} ({meaning})" if meaning else str(error), cure


def _how_it_died(step: Step) -> str:
    return step.signal or f"exit code {step.exit}"


def _what_happened(step: Step) -> str:
    if step.outcome is Outcome.TIME_OUT:
        return f"no end within {step.seconds:.0f} s"
    return str(step.error) if step.error is not None else f"the process died ({_how_it_died(step)})"
