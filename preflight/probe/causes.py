"""Why something did not load or run: a step that went wrong, as a ruling."""

from __future__ import annotations

import re

from preflight.binary import symbols
from preflight.model import Where
from preflight.probe.reading import Failure, Reading, Step
from preflight.probe.reading import Outcome as Went
from preflight.probe.ruling import Cause, Explain, Ruling, Verdict

NO_MODULE = re.compile(r"No module named '([\w.]+)'")
NO_IMAGE = re.compile(r"no kernel image is available|named symbol not found|device kernel image is invalid", re.I)
NO_MEMORY = re.compile(r"out of memory", re.I)
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
            driver = reading.driver.get("driver", "")
            seen = f"driver {driver} is there" if driver else "nvidia-smi finds no driver"
            return Ruling(
                Verdict.COULD_NOT_RUN,
                Cause.NO_GPU,
                f"torch {reading.torch} reaches no GPU: {_what_happened(step)} ({seen})",
                "run it where a GPU is: preflight probe APP --gpu A100-80GB, or a CUDA build of torch here",
                tail(step),
            )
    mamba = reading.imports.get("import mamba_ssm")
    if mamba is not None and not mamba.is_ok:
        return import_ruling("mamba_ssm", mamba, reading, explain)
    return None


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


def run_ruling(what: str, step: Step, reading: Reading, explain: Explain) -> Ruling:
    """A block raised, died or hung while it ran."""
    at = f" at its {step.at}" if step.at else ""
    if step.outcome is Went.TIME_OUT:
        return Ruling(
            Verdict.COULD_NOT_RUN,
            Cause.TIME_OUT,
            f"{what} did not end within {step.seconds:.0f} s{at}",
            "run it again with a larger [tool.preflight.probe] timeout-s; compiling Triton kernels takes longest",
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
            "run it on a GPU with free memory; the probe itself needs less than 2 GiB",
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


def conv1d_cause(reading: Reading) -> tuple[Cause, str, str]:
    """Why causal-conv1d is not in use: cause, what was seen, remedy."""
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
    return Cause.CONV1D_UNUSABLE, "causal-conv1d loads and was not called", INSTALL_CONV1D


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
