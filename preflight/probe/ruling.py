"""The words of a probe's verdict: what it can be, and the causes it tells apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial

from msgspec import Struct

from preflight.model import Exit
from preflight.probe.reading import Place


class Verdict(StrEnum):
    """The worst first."""

    BROKEN = "broken"  # the kernels crash, or their numbers are wrong
    FALLBACK = "conv1d-fallback"  # none launched: the model would train on something else
    PARTIAL = "partial"  # some did, and PyTorch stood in for the others
    COULD_NOT_RUN = "could-not-run"  # not looked
    KERNELS = "kernels"  # the expected kernels launched, forward and backward, and their numbers are right

    @property
    def exit(self) -> Exit:
        return {Verdict.KERNELS: Exit.READY, Verdict.COULD_NOT_RUN: Exit.INCOMPLETE}.get(self, Exit.FINDINGS)


class Cause(StrEnum):
    LAUNCHED = "launched"
    CONV1D_ABSENT = "causal-conv1d-absent"
    CONV1D_UNUSABLE = "causal-conv1d-unusable"
    SCAN_ABSENT = "selective-scan-absent"
    MAMBA_ABSENT = "mamba-ssm-absent"
    BLOCK_ABSENT = "block-absent"
    UNDEFINED_SYMBOL = "undefined-symbol"
    IMPORT_ERROR = "import-error"
    IMPORT_HANG = "import-hang"
    IMPORT_CRASH = "import-crash"
    WRONG_ARCHITECTURE = "wrong-architecture"
    ZERO_OUTPUT = "zero-output"
    NAN_OUTPUT = "nan-output"
    WRONG_NUMBERS = "wrong-numbers"
    MISSING_BACKWARD = "missing-backward"
    NAN_GRADIENT = "nan-gradient"
    ZERO_GRADIENT = "zero-gradient"
    NO_GRADIENT = "no-gradient"
    CRASH = "crash"
    ERROR = "error"
    TIME_OUT = "time-out"
    OUT_OF_MEMORY = "out-of-memory"
    OTHER_PROFILER = "other-profiler"
    ON_CPU = "on-cpu"
    NO_GPU = "no-gpu"
    NO_TORCH = "no-torch"
    NO_EVENTS = "no-device-events"
    NO_REFERENCE = "no-reference"
    UNKNOWN_BLOCKS = "unknown-blocks"
    FORCED = "forced-fallback"
    HIDDEN = "hidden-fallback"
    NO_LAUNCH = "no-launch"
    MODEL_ERROR = "model-error"
    NOTHING_ASKED = "nothing-asked"
    NOT_STARTED = "not-started"


class Ruling(Struct, frozen=True):
    """``remedy`` is empty only for ``kernels``; ``where`` is the code that chose, the most telling first."""

    verdict: Verdict
    cause: Cause
    reason: str
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    where: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        if not self.reason or (not self.remedy and self.verdict is not Verdict.KERNELS):
            raise ValueError("a ruling needs a reason, and a remedy unless the kernels launched")


broken = partial(Ruling, Verdict.BROKEN)
could_not_run = partial(Ruling, Verdict.COULD_NOT_RUN)

# a raw error in; what it means in one sentence, and its cure, out; both empty where it is not known
Explain = Callable[[str], tuple[str, str]]


def unexplained(raw: str) -> tuple[str, str]:
    return "", ""


def worst(rulings: Iterable[Ruling | None]) -> Ruling | None:
    """The one that decides; among equals the first."""
    return min(filter(None, rulings), key=lambda r: list(Verdict).index(r.verdict), default=None)
