"""What the payload saw, typed; nothing judged.  parsing.py makes it of the payload's document."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    OK = "ok"
    ERROR = "error"  # it raised
    CRASH = "crash"  # the process died
    TIME_OUT = "time-out"
    NOT_REACHED = "not-reached"


@dataclass(frozen=True)
class Frame:
    path: str
    line: int
    name: str


@dataclass(frozen=True)
class Failure:
    """An exception as it was raised; ``frames`` are the innermost ones, the last is where it came from."""

    kind: str
    message: str
    frames: tuple[Frame, ...]

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


@dataclass(frozen=True)
class Step:
    """How one question went.  ``at`` is the part of it that was under way when it did not go well."""

    outcome: Outcome
    seconds: float
    at: str = ""
    error: Failure | None = None
    signal: str = ""
    exit: int | None = None
    output_tail: str = ""

    @property
    def is_ok(self) -> bool:
        return self.outcome is Outcome.OK


@dataclass(frozen=True)
class Launch:
    name: str
    count: int
    us: float


@dataclass(frozen=True)
class Trace:
    """What the profiler saw.  No device event at all means that it saw nothing, not that nothing ran."""

    launched: tuple[Launch, ...]
    operators: dict[str, int]
    device_events: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(launch.name for launch in self.launched)


@dataclass(frozen=True)
class Distance:
    """``relative`` is |got - reference| / |reference| (L2), ``scale`` the reference's share in what came (1 is right).

    None where a value is missing or not finite.
    """

    what: str
    relative: float | None
    scale: float | None
    reference_norm: float
    norm: float | None


@dataclass(frozen=True)
class Numerics:
    finite: bool
    zero: bool
    compared: tuple[Distance, ...]
    without_reference: str


@dataclass(frozen=True)
class Exercise:
    """Forward and backward pass of a block.  ``first_call_s`` includes compiling; ``steady_s`` is untuned."""

    shape: tuple[int, ...]
    first_call_s: float
    steady_s: float
    peak_bytes: int
    trace: Trace
    without_gradient: tuple[str, ...]
    numerics: Numerics
    default_path_error: Failure | None
    held: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    block: str
    dtype: str
    step: Step
    exercise: Exercise | None


@dataclass(frozen=True)
class Gpu:
    name: str
    capability: str
    memory_bytes: int
    count: int
    torch_archs: tuple[str, ...]


@dataclass(frozen=True)
class Fallback:
    """The depthwise Conv1d that a model without kernels runs instead."""

    finite: bool
    steady_s: float
    trace: Trace


@dataclass(frozen=True)
class Handler:
    """An except-branch of the user's code that ran, with what it caught."""

    path: str
    line: int
    caught: str
    message: str
    about_mamba: bool
    kind: str  # what raised: "import" or "call"


@dataclass(frozen=True)
class Decision:
    """A test of the user's code that took the branch without Mamba, and the variables it looked at.

    It is not sure where both branches stand on one line.
    """

    path: str
    line: int
    test: str
    variables: tuple[str, ...]
    is_sure: bool


@dataclass(frozen=True)
class Read:
    """An environment variable that the user's code read."""

    name: str
    path: str
    line: int
    value: str


@dataclass(frozen=True)
class SlowPath:
    path: str
    line: int
    called: str


@dataclass(frozen=True)
class Absent:
    """A name that mamba_ssm set to None because an import failed, and the line that did it."""

    name: str
    path: str
    line: int


@dataclass(frozen=True)
class Replaced:
    """A function of mamba_ssm that is another one now, and where that one is written."""

    name: str
    by: str
    path: str
    line: int


@dataclass(frozen=True)
class OwnStep:
    trace: Trace
    finite: bool
    bad_gradients: tuple[str, ...]
    gradients: int  # parameters that one reached


@dataclass(frozen=True)
class Pass:
    """What one block did in one step.  ``launched`` counts the watched kernels and convolutions in its forwards."""

    calls: int
    raised: int
    reruns: int
    launched: dict[str, int]
    arrived: tuple[str, ...]
    bad: tuple[str, ...]
    zero: tuple[str, ...]


@dataclass(frozen=True)
class OwnBlock:
    name: str
    block: str
    label: str
    device: str
    trains: tuple[str, ...]
    steps: tuple[Pass, ...]

    @property
    def is_used(self) -> bool:
        return any(s.calls + s.raised for s in self.steps)


@dataclass(frozen=True)
class OwnNumbers:
    """A block of the model held against the reference, over ``positions`` of its length."""

    module: str
    block: str
    weights: str  # "own", or "weighed" so that the state weighs
    shape: tuple[int, ...]
    dtype: str
    positions: int
    numerics: Numerics | None
    error: Failure | None


@dataclass(frozen=True)
class ModelRun:
    steps: tuple[OwnStep, ...]
    seconds: float
    blocks: tuple[OwnBlock, ...]
    numbers: tuple[OwnNumbers, ...]
    modules: dict[str, int]
    is_compiled: bool
    is_scaled: bool
    free_bytes: int
    peak_bytes: int
    handlers: tuple[Handler, ...]
    decisions: tuple[Decision, ...]
    reads: tuple[Read, ...]
    slow_paths: tuple[SlowPath, ...]
    absent: tuple[Absent, ...]
    replaced: tuple[Replaced, ...]
    error: Failure | None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n for s in self.steps for n in s.trace.names))


@dataclass(frozen=True)
class Model:
    name: str
    step: Step
    run: ModelRun | None


@dataclass(frozen=True)
class Card:
    """One GPU as measured: bfloat16 products, copies (read and written bytes), the bus bandwidth of an all-reduce.

    ``at_rest`` and ``loaded`` are nvidia-smi's own words, before and in the work.
    """

    step: Step
    rank: int
    name: str
    tflops: float | None
    copy_gbps: float | None
    reduce_gbps: float | None
    sum_is_right: bool | None
    free_bytes: int
    memory_bytes: int
    loaded: dict[str, str]


@dataclass(frozen=True)
class Reading:
    seconds: float
    simulated: bool
    forced: dict[str, str]
    driver: dict[str, str]
    visible_devices: str | None  # CUDA_VISIBLE_DEVICES
    at_rest: tuple[dict[str, str], ...]
    cards: tuple[Card, ...]
    full_autotune: bool
    free_bytes: int | None
    python: str
    packages: dict[str, str]
    files: dict[str, str]
    torch: str
    cuda: str
    gpu: Gpu | None
    gpu_step: Step
    loads: dict[str, Step]
    imports: dict[str, Step]
    mamba_version: str
    absent: tuple[Absent, ...]
    replaced: tuple[Replaced, ...]
    fallback_step: Step
    fallback: Fallback | None
    cases: tuple[Case, ...]
    model: Model | None
    strays: dict[str, Step]  # a child that died outside of its steps
    asked_blocks: tuple[str, ...]
