"""What the payload saw, typed and held to its form as it comes in; nothing judged.

A field that is missing or of another kind refuses the whole reading, by its place; one that a later payload adds does
not disturb.  No number is NaN or infinite: a comparison with one is never true, and would judge it healthy.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeVar

from msgspec import Meta, Struct

from preflight.toml_rows import typed

T = TypeVar("T")
Number = Annotated[float, Meta(ge=-1e300, le=1e300)]
Positive = Annotated[float, Meta(ge=0, le=1e300)]
Count = Annotated[int, Meta(ge=0, le=2**62)]


class Outcome(StrEnum):
    OK = "ok"
    ERROR = "error"  # it raised
    CRASH = "crash"  # the process died
    TIME_OUT = "time-out"
    NOT_REACHED = "not-reached"


class Place(Struct, frozen=True, kw_only=True):
    path: str
    line: Count

    @property
    def where(self) -> Place:
        """The place alone, of what stands there."""
        return Place(path=self.path, line=self.line)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class Failure(Struct, frozen=True, kw_only=True, rename={"kind": "type"}):
    """An exception as it was raised; ``frames`` are the innermost ones, the last is where it came from."""

    kind: str
    message: str
    frames: tuple[Place, ...]

    @property
    def origin(self) -> tuple[Place, ...]:
        return self.frames[-1:]

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


class Step(Struct, frozen=True, kw_only=True):
    """How one question went.  ``at`` is the part of it that was under way when it did not go well."""

    outcome: Outcome
    seconds: Positive
    at: str = ""
    error: Failure | None = None
    signal: str = ""
    exit: Count | None = None
    output_tail: str = ""


class Answered(Step, Generic[T], frozen=True, kw_only=True):
    value: T | None = None  # None where it did not go well


class Launch(Struct, frozen=True, kw_only=True):
    name: str
    count: Count
    us: Positive


class Trace(Struct, frozen=True, kw_only=True):
    """What the profiler saw.  No device event at all means that it saw nothing, not that nothing ran."""

    launched: tuple[Launch, ...]
    operators: dict[str, Count]
    device_events: Count

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(launch.name for launch in self.launched)


class Distance(Struct, frozen=True, kw_only=True):
    """``relative`` is |got - reference| / |reference| (L2), ``scale`` the reference's share in what came (1 is right).

    None where a value is missing or not finite.
    """

    what: str
    reference_norm: float  # NaN where the model's own weights made it so
    relative: Number | None = None
    scale: Number | None = None
    norm: Number | None = None


class Numerics(Struct, frozen=True, kw_only=True):
    finite: bool
    zero: bool
    compared: tuple[Distance, ...]
    without_reference: str


class Exercise(Trace, frozen=True, kw_only=True, rename={"untuned": "held"}):
    """Forward and backward pass of a block.  ``first_call_s`` includes compiling; ``steady_s`` is not tuned.

    ``untuned`` are the kernels of which one Triton configuration was tried.
    """

    shape: tuple[Count, ...]
    first_call_s: Positive
    steady_s: Positive
    peak_bytes: Count
    without_gradient: tuple[str, ...]
    numerics: Numerics
    untuned: tuple[str, ...]
    default_path_error: Failure | None = None


class Case(Answered[Exercise], frozen=True, kw_only=True):
    block: str
    dtype: str


class Gpu(Struct, frozen=True, kw_only=True):
    name: str
    capability: str
    memory_bytes: Count
    count: Count
    torch_archs: tuple[str, ...]


class Fallback(Trace, frozen=True, kw_only=True):
    """The depthwise Conv1d that a model without kernels runs instead."""

    finite: bool
    steady_s: Positive


class Handler(Place, frozen=True, kw_only=True, rename={"caught": "type"}):
    """An except-branch of the user's code that ran, with what it caught; ``kind`` is what raised: import or call."""

    caught: str
    message: str
    about_mamba: bool
    kind: str


class Decision(Place, frozen=True, kw_only=True):
    """A test of the user's code that took the branch without Mamba, and the variables it looked at.

    It is not sure where both branches stand on one line.
    """

    test: str
    variables: tuple[str, ...]
    is_sure: bool


class Read(Place, frozen=True, kw_only=True):
    name: str  # of the environment variable
    value: str


class SlowPath(Place, frozen=True, kw_only=True):
    called: str


class Choices(Struct, frozen=True, kw_only=True):
    handlers: tuple[Handler, ...]
    decisions: tuple[Decision, ...]
    reads: tuple[Read, ...]
    slow_paths: tuple[SlowPath, ...]


class Absent(Place, frozen=True, kw_only=True):
    """A name that mamba_ssm set to None because an import failed, and the line that did it."""

    name: str


class Replaced(Place, frozen=True, kw_only=True):
    name: str
    by: str  # the function of that name in mamba_ssm now; the place is where it is written


class Library(Struct, frozen=True, kw_only=True):
    absent: tuple[Absent, ...] = ()
    replaced: tuple[Replaced, ...] = ()
    version: str = ""


class OwnStep(Trace, frozen=True, kw_only=True):
    finite: bool
    bad_gradients: tuple[str, ...]
    gradients: Count  # parameters that one reached


class Pass(Struct, frozen=True, kw_only=True):
    """What one block did in one step.  ``launched`` counts the watched kernels and convolutions in its forwards."""

    calls: Count
    raised: Count
    launched: dict[str, Count]
    arrived: tuple[str, ...]
    bad: tuple[str, ...]
    zero: tuple[str, ...]


class OwnBlock(Struct, frozen=True, kw_only=True, rename={"label": "class"}):
    name: str
    block: str
    label: str
    trains: tuple[str, ...]
    steps: tuple[Pass, ...]

    @property
    def is_used(self) -> bool:
        return any(s.calls + s.raised for s in self.steps)


class OwnNumbers(Struct, frozen=True, kw_only=True):
    """A block of the model held against the reference, over ``positions`` of its length."""

    module: str
    block: str
    weights: str  # "own", or "weighed" so that the state weighs
    shape: tuple[Count, ...]
    dtype: str
    positions: Count
    numerics: Numerics | None = None
    error: Failure | None = None


class OfClass(Struct, frozen=True, kw_only=True, rename={"label": "class"}):
    label: str
    count: Count


class ModelRun(Struct, frozen=True, kw_only=True, rename={"is_compiled": "compiled", "is_scaled": "scaled"}):
    steps: tuple[OwnStep, ...]
    blocks: tuple[OwnBlock, ...]
    numbers: tuple[OwnNumbers, ...]
    modules: tuple[OfClass, ...]
    is_compiled: bool
    is_scaled: bool
    free_bytes: Count
    peak_bytes: Count
    choices: Choices
    library: Library
    error: Failure | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n for s in self.steps for n in s.names))


class Model(Answered[ModelRun], frozen=True, kw_only=True):
    name: str


class Card(Struct, frozen=True, kw_only=True):
    """One GPU as measured: bfloat16 products, copies (read and written bytes), the bus bandwidth of an all-reduce.

    ``loaded`` are nvidia-smi's own words in the work.
    """

    rank: Count
    name: str
    tflops: Positive
    copy_gbps: Positive
    loaded: dict[str, str]
    reduce_gbps: Positive | None = None
    sum_is_right: bool | None = None


class Packages(Struct, frozen=True, kw_only=True):
    versions: dict[str, str]
    files: dict[str, str]


class Torch(Struct, frozen=True, kw_only=True, rename={"version": "torch"}):
    version: str
    cuda: str  # "" for a CPU build


class AskedBlock(Struct, frozen=True, kw_only=True):
    block: str


class Asked(Struct, frozen=True, kw_only=True):
    blocks: tuple[AskedBlock, ...]
    full_autotune: bool


class Reading(
    Struct, frozen=True, kw_only=True, rename={"at_rest": "cards", "cards": "gpus", "library_step": "library"}
):
    """``at_rest`` are nvidia-smi's own words on each GPU before the work; ``strays`` children that died outside of
    their steps; ``visible_devices`` is CUDA_VISIBLE_DEVICES."""

    schema: Literal["preflight.probe-reading/2"]
    request: Asked
    seconds: Positive
    python: dict[str, str]
    simulated: bool
    forced: dict[str, str]
    driver: dict[str, str]
    at_rest: tuple[dict[str, str], ...]
    cards: tuple[Answered[Card], ...]
    packages: Answered[Packages]
    versions: Answered[Torch]
    gpu: Answered[Gpu]
    loads: dict[str, Step]
    imports: dict[str, Step]
    library_step: Answered[Library]
    fallback: Answered[Fallback]
    cases: tuple[Case, ...]
    strays: dict[str, Step]
    model: Model | None = None
    visible_devices: str | None = None

    @property
    def installed(self) -> dict[str, str]:
        return self.packages.value.versions if self.packages.value else {}

    @property
    def torch(self) -> Torch:
        return self.versions.value or Torch(version="", cuda="")

    @property
    def library(self) -> Library:
        return self.library_step.value or Library()

    @property
    def mamba_version(self) -> str:
        return self.installed.get("mamba-ssm", "") or self.library.version


def parsed(document: object) -> Reading:
    """Raises WrongRow naming the first field that is not as it should be."""
    return typed(document, Reading, "reading")
