"""Why something did not load or run: a step that went wrong, as a ruling."""

from __future__ import annotations

import re

from preflight.binary import symbols
from preflight.model import Where
from preflight.probe.expected import table
from preflight.probe.reading import Failure, ModelRun, Reading, Replaced, Step
from preflight.probe.reading import Outcome as Went
from preflight.probe.ruling import Cause, Explain, Ruling, Verdict

NO_MODULE = re.compile(r"No module named '([\w.]+)'")
NO_IMAGE = re.compile(r"no kernel image is available|named symbol not found|device kernel image is invalid", re.I)
NO_MEMORY = re.compile(r"out of memory", re.I)
PROFILER = re.compile(r"profiler is already|kineto|can't disable .{0,20}profiler|CUPTI", re.I)
WANTS_ARGUMENTS = re.compile(r"missing \d+ required .{0,20}argument")
LIBRARY = re.compile(r"[/\\](?:mamba_ssm|causal_conv1d|triton)[/\\]|(?:selective_scan_cuda|causal_conv1d_cuda)\W")
OFF_WORDS = ("", "0", "false", "no", "off")
GIB = 2**30
NO_ATTRIBUTE = re.compile(r"module 'mamba_ssm' has no attribute '(\w+)'")
UNDEFINED = re.compile(r"(?:(?P<library>\S{1,400}\.so)\S{0,20}: )?undefined symbol: (?P<symbol>\w{1,8192})")
EVIDENCE_LINES = 6

INSTALL_CONV1D = "install causal-conv1d for this torch: pip install --no-build-isolation causal-conv1d"
REINSTALL = (
    "build {0} against the torch that runs it: "
    "pip install --no-build-isolation --no-cache-dir --force-reinstall --no-deps {0}"
)


def tail(step: Step) -> tuple[str, ...]:
    """The lines that tell most: faulthandler's stack of the thread that died, innermost first, else the last."""
    lines = [line for line in step.output_tail.splitlines() if line.strip()]
    died = next((n for n, line in enumerate(lines) if line.startswith("Current thread")), None)
    if died is not None:
        return tuple(lines[died : died + EVIDENCE_LINES])
    return tuple(lines[-EVIDENCE_LINES:])


def place(failure: Failure) -> tuple[Where, ...]:
    return tuple(Where(f.path, f.line) for f in failure.frames[-1:])


def package_of(text: str) -> str:
    return "causal-conv1d" if "causal_conv1d" in text else "mamba-ssm"


def not_ready(reading: Reading, explain: Explain) -> Ruling | None:
    """What stopped every case before its first line: torch, the GPU, or the import of mamba_ssm."""
    torch = reading.imports.get("import torch")
    if torch is not None and not torch.is_ok:
        said = _what_happened(torch)
        return Ruling(
            Verdict.COULD_NOT_RUN,
            Cause.NO_TORCH,
            f"import torch: {said}",
            "install torch in the image that the function uses, for its Python",
            tail(torch),
        )
    for step in (reading.imports.get("gpu ready"), reading.gpu_step):
        if step is not None and step.outcome in (Went.ERROR, Went.CRASH, Went.TIME_OUT):
            return _no_gpu(step, reading)
    mamba = reading.imports.get("import mamba_ssm")
    if mamba is not None and not mamba.is_ok:
        return import_ruling("mamba_ssm", mamba, reading, explain)
    return None


def _no_gpu(step: Step, reading: Reading) -> Ruling:
    driver, visible = reading.driver.get("driver", ""), reading.visible_devices
    seen = f"driver {driver} is there" if driver else "nvidia-smi finds no driver"
    remedy = "run it where a GPU is: preflight probe APP --gpu A100-80GB"
    if visible is not None and driver and reading.cuda:
        shown = visible or '""'
        seen += f", and CUDA_VISIBLE_DEVICES={shown} shows torch none of its {len(reading.at_rest)} GPUs"
        remedy = "unset CUDA_VISIBLE_DEVICES, or name a GPU that is there"
    elif driver and reading.torch and not reading.cuda:
        seen += ", and this torch is a CPU build"
        remedy = "install a CUDA build of torch in this interpreter"
    said = f"torch {reading.torch} reaches no GPU: {_what_happened(step)} ({seen})"
    return Ruling(Verdict.COULD_NOT_RUN, Cause.NO_GPU, said, remedy, tail(step))


def no_events(what: str) -> Ruling:
    return Ruling(
        Verdict.COULD_NOT_RUN,
        Cause.NO_EVENTS,
        f"the profiler saw no event of the GPU while {what} ran, not even the product launched along with it",
        "let the container use CUPTI (nothing else may profile at the same time), then run it again",
    )


def is_on(value: str) -> bool:
    return value.strip().lower() not in OFF_WORDS


def import_ruling(module: str, step: Step, reading: Reading, explain: Explain) -> Ruling:
    """An import of kernels went wrong.  Training code catches ImportError, and only that: a fallback."""
    if step.outcome is Went.TIME_OUT:
        return Ruling(
            Verdict.COULD_NOT_RUN,
            Cause.IMPORT_HANG,
            f"import {module} did not end within {step.seconds:.0f} s",
            "look at what the import waits for: run python -X faulthandler -X importtime "
            f"-c 'import {module}' in the image",
            tail(step),
        )
    if step.outcome is Went.CRASH or step.error is None:
        how = step.signal or f"exit code {step.exit}"
        return Ruling(
            Verdict.BROKEN,
            Cause.IMPORT_CRASH,
            f"import {module} killed the process: {how}",
            REINSTALL.format(package_of(module)),
            tail(step),
        )
    error = step.error
    meaning, cure = explain(str(error))
    said = f"{error}" + (f" ({meaning})" if meaning else "")
    places = place(error)
    missing = NO_MODULE.search(error.message)
    if "undefined symbol" in error.message:
        package = package_of(error.message)
        told, remedy = _of_symbol(error.message, package, reading)
        return Ruling(
            Verdict.FALLBACK,
            Cause.UNDEFINED_SYMBOL,
            f"{package} was built for another torch than {reading.torch}: {said}{told}",
            remedy,
            (str(error),),
            places,
        )
    if missing:
        name = missing.group(1).partition(".")[0]
        cause, remedy = {
            "selective_scan_cuda": (
                Cause.SCAN_ABSENT,
                "install a mamba-ssm with its CUDA extension: it was not built, or a wheel without it was taken "
                "(MAMBA_SKIP_CUDA_BUILD)",
            ),
            "causal_conv1d_cuda": (Cause.CONV1D_ABSENT, INSTALL_CONV1D),
            "causal_conv1d": (Cause.CONV1D_ABSENT, INSTALL_CONV1D),
            "mamba_ssm": (
                Cause.MAMBA_ABSENT,
                "install mamba-ssm: pip install --no-build-isolation mamba-ssm",
            ),
        }.get(name, (Cause.IMPORT_ERROR, f"install what {name} comes from; mamba_ssm imports it"))
        return Ruling(Verdict.FALLBACK, cause, f"import {module}: {said}", remedy, (str(error),), places)
    is_caught = error.kind in ("ImportError", "ModuleNotFoundError")
    return Ruling(
        Verdict.FALLBACK if is_caught else Verdict.BROKEN,
        Cause.IMPORT_ERROR,
        f"import {module}: {said}",
        cure or REINSTALL.format(package_of(error.message)),
        (str(error),),
        places,
    )


def _more_time(step: Step, reading: Reading) -> str:
    if step.at.startswith(("import", "construction")):
        return "make what MODULE:CALLABLE does before its first step shorter, or give it a larger timeout-s"
    if reading.full_autotune:
        return "leave out --full-autotune, or give it a larger [tool.preflight.probe] timeout-s"
    return "look at where it hangs: python -X faulthandler; nothing that was seen healthy takes a tenth of this"


def run_ruling(what: str, step: Step, reading: Reading, explain: Explain) -> Ruling:
    """A block raised, died or hung while it ran."""
    at = f" at its {step.at}" if step.at else ""
    if step.outcome is Went.TIME_OUT:
        return Ruling(
            Verdict.COULD_NOT_RUN,
            Cause.TIME_OUT,
            f"{what} did not end within {step.seconds:.0f} s{at}",
            _more_time(step, reading),
            tail(step),
        )
    if step.outcome is Went.CRASH or step.error is None:
        how = step.signal or f"exit code {step.exit}"
        return Ruling(
            Verdict.BROKEN,
            Cause.CRASH,
            f"{what} killed the process{at}: {how}",
            REINSTALL.format("mamba-ssm"),
            tail(step),
        )
    error = step.error
    meaning, cure = explain(str(error))
    said = f"{error}" + (f" ({meaning})" if meaning else "")
    evidence, places = (str(error),), place(error)
    if NO_IMAGE.search(error.message):
        gpu = reading.gpu
        card = f"{gpu.name}, sm_{gpu.capability.replace('.', '')}" if gpu else "this GPU"
        return Ruling(
            Verdict.BROKEN,
            Cause.WRONG_ARCHITECTURE,
            f"{what} holds no code for {card}: {said}",
            "build the package where nvcc knows this GPU, or take a GPU that its wheel was built for "
            "(preflight link FILE.whl names them)",
            evidence,
            places,
        )
    absent = NO_ATTRIBUTE.search(error.message)
    if absent and step.at == "construction":
        version = reading.packages.get("mamba-ssm", "") or reading.mamba_version or "of unknown version"
        return Ruling(
            Verdict.FALLBACK,
            Cause.BLOCK_ABSENT,
            f"mamba-ssm {version} has no {absent.group(1)}",
            "install a mamba-ssm that has it: Mamba2 from 2.0.0, Mamba3 from 2.3.2",
            evidence,
        )
    if NO_MEMORY.search(error.message):
        return Ruling(
            Verdict.COULD_NOT_RUN,
            Cause.OUT_OF_MEMORY,
            f"{what}: {said}",
            f"run it on a GPU with free memory: {_need(what)}",
            evidence,
            places,
        )
    if step.at == "backward":
        return Ruling(
            Verdict.BROKEN,
            Cause.MISSING_BACKWARD,
            f"{what} runs forward, and its backward raises {said}",
            REINSTALL.format(package_of(error.message)),
            evidence,
            places,
        )
    return Ruling(
        Verdict.BROKEN,
        Cause.ERROR,
        f"{what} raises{at}: {said}",
        cure or REINSTALL.format(package_of(error.message)),
        evidence,
        places,
    )


def _need(what: str) -> str:
    row = table().block(what.partition(" ")[0])
    return f"{row.name} takes {row.memory_gib:g} GiB here" if row else "this block's need is not known"


def model_raised(what: str, run: ModelRun, reading: Reading, explain: Explain, error: Failure) -> Ruling:
    """The user's model raised.  The kernels' fault only where their code is on the way and memory was enough."""
    where = place(error)
    at = f" at {where[0]}" if where else ""
    when = f" in step {len(run.steps) + 1}" if run.blocks or run.steps else ""
    said, evidence = f"{what} raises{when}{at}: {error}", (str(error),)
    if NO_MEMORY.search(error.message):
        total = reading.gpu.memory_bytes if reading.gpu else 0
        others = max(0, total - run.free_bytes)
        remedy = "make its batch smaller in MODULE:CALLABLE, or probe it on a GPU with more memory"
        if others > 2 * GIB:
            remedy = f"free the GPU: {others / GIB:.1f} of its {total / GIB:.0f} GiB were taken before the model began"
        peak = f" (it reached {run.peak_bytes / GIB:.1f} GiB)" if run.peak_bytes else ""
        return Ruling(Verdict.COULD_NOT_RUN, Cause.OUT_OF_MEMORY, said + peak, remedy, evidence, where)
    if PROFILER.search(error.message):
        remedy = "leave out the model's own profiler in MODULE:CALLABLE: two can't watch one GPU at a time"
        return Ruling(Verdict.COULD_NOT_RUN, Cause.OTHER_PROFILER, said, remedy, evidence, where)
    if any(LIBRARY.search(frame.path) for frame in error.frames):
        meaning, cure = explain(str(error))
        remedy, cause = cure or REINSTALL.format(package_of(error.message)), Cause.ERROR
        if "'NoneType' object is not callable" in error.message and (run.absent or reading.absent):
            cause, meaning, remedy = conv1d_cause(reading, run.replaced)
        said += f" ({meaning})" if meaning else ""
        return Ruling(Verdict.BROKEN, cause, said, remedy, evidence, where)
    remedy = "make MODULE:CALLABLE give (module, inputs), a module with example_input_array, or a one-step function"
    if error.kind == "TypeError" and WANTS_ARGUMENTS.search(error.message):
        remedy = "give what it wants: --model-args 'd_model=64, config=@config.json'"
    elif "the callable gave" in error.message:
        remedy = "give its input: --model-input 2x960x64, or let MODULE:CALLABLE give (module, inputs)"
    elif error.kind == "FileNotFoundError":
        remedy = "put that file into the image beside the code, or name another with --model-args"
    elif missing := NO_MODULE.search(error.message):
        remedy = f"add {missing[1]} to the image, or to the folders that it is imported from"
    elif run.steps:
        remedy = "run MODULE:CALLABLE by itself on this GPU: it raises there too"
    return Ruling(Verdict.COULD_NOT_RUN, Cause.MODEL_ERROR, said, remedy, evidence, where)


def not_reached(what: str, step: Step, reading: Reading) -> Ruling:
    """Nothing of ``what`` was begun: the time was up, or its process ended on the way there."""
    for name, stray in reading.strays.items():
        if stray.outcome in (Went.CRASH, Went.ERROR):
            return Ruling(
                Verdict.COULD_NOT_RUN,
                Cause.CRASH,
                f"{what} was not reached: {_what_happened(stray)} ({name})",
                "look at its last lines; python -X faulthandler shows more",
                tail(stray),
            )
    return Ruling(
        Verdict.COULD_NOT_RUN,
        Cause.TIME_OUT,
        f"{what} was not reached; the time went to {step.at or 'the steps before it'}",
        "run it again with a larger [tool.preflight.probe] timeout-s",
    )


def conv1d_cause(reading: Reading, replaced: tuple[Replaced, ...] = ()) -> tuple[Cause, str, str]:
    """Why causal-conv1d is not in use: cause, what was seen, remedy."""
    other = next((r for r in (*replaced, *reading.replaced) if r.name == "causal_conv1d_fn"), None)
    if other is not None:
        said = f"causal_conv1d_fn is {other.by} ({other.path}:{other.line}), not causal-conv1d's"
        return Cause.CONV1D_UNUSABLE, said, "take out the assignment that replaces causal_conv1d_fn"
    for name in ("causal_conv1d", "causal_conv1d_cuda"):
        step = reading.loads.get(name)
        if step is None or step.is_ok or step.outcome is Went.NOT_REACHED:
            continue
        if step.error is not None and NO_MODULE.search(step.error.message):
            return Cause.CONV1D_ABSENT, f"causal-conv1d is not installed ({step.error})", INSTALL_CONV1D
        if step.error is not None and "undefined symbol" in step.error.message:
            told, remedy = _of_symbol(step.error.message, "causal-conv1d", reading)
            said = f"causal-conv1d was built for another torch than {reading.torch} ({step.error}){told}"
            return Cause.UNDEFINED_SYMBOL, said, remedy
        said = f"import {name}: {_what_happened(step)}"
        return Cause.CONV1D_UNUSABLE, said, REINSTALL.format("causal-conv1d")
    if reading.absent:
        names = ", ".join(sorted({a.name for a in reading.absent}))
        version = reading.packages.get("causal-conv1d", "of unknown version")
        said = f"causal-conv1d {version} loads, but mamba_ssm set {names} to None"
        remedy = "take a causal-conv1d that this mamba-ssm knows: 1.5.1 or newer for mamba-ssm 2.2.5 and newer"
        return Cause.CONV1D_UNUSABLE, said, remedy
    remedy = "look for what calls another convolution: causal-conv1d itself is installed and loads"
    return Cause.CONV1D_UNUSABLE, "causal-conv1d loads and was not called", remedy


def _of_symbol(message: str, package: str, reading: Reading) -> tuple[str, str]:
    """What the symbol tells beyond the loader's words, "" where it tells nothing, and the remedy."""
    found = UNDEFINED.search(message)
    if found is None:
        return "", REINSTALL.format(package)
    torch = reading.torch or None
    remedy = symbols.fix([found["symbol"]], found["library"] or "", torch)
    if remedy is None:
        return "", REINSTALL.format(package)
    return f"; {symbols.why([found['symbol']], torch)}", remedy


def _what_happened(step: Step) -> str:
    if step.outcome is Went.TIME_OUT:
        return f"no end within {step.seconds:.0f} s"
    if step.error is not None:
        return str(step.error)
    return f"the process died ({step.signal or f'exit code {step.exit}'})"
