"""What the payload saw, typed: every field checked on the way in, nothing judged.

``parsed(document)`` reads the dict that payload.run gave, or a reading kept in tests/data/probes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from preflight.probe.fields import Fields, ReadingError

SCHEMA = "preflight.probe-reading/1"


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
    """``relative`` is |got - reference| / |reference| (L2), None where a value is missing or not finite."""

    what: str
    relative: float | None
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
class ModelRun:
    steps: int
    seconds: float
    trace: Trace
    finite: bool
    modules: dict[str, int]
    handlers: tuple[Handler, ...]
    reads: tuple[Read, ...]
    slow_paths: tuple[SlowPath, ...]
    absent: tuple[Absent, ...]
    error: Failure | None


@dataclass(frozen=True)
class Model:
    name: str
    step: Step
    run: ModelRun | None


@dataclass(frozen=True)
class Reading:
    seconds: float
    simulated: bool
    forced: dict[str, str]
    driver: dict[str, str]
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
    fallback_step: Step
    fallback: Fallback | None
    cases: tuple[Case, ...]
    model: Model | None
    strays: dict[str, Step]  # a child that died outside of its steps
    asked_blocks: tuple[str, ...]


def parsed(document: object) -> Reading:
    """Raises ReadingError naming the first field that is not as it should be."""
    top = Fields(document, "reading")
    if top.text("schema") != SCHEMA:
        raise ReadingError(f"reading.schema: wanted {SCHEMA}, found {top.text('schema')}")
    packages = _value(top, "packages")
    versions = _value(top, "versions")
    gpu = top.object("gpu").object_or_none("value")
    fallback = top.object("fallback").object_or_none("value")
    model = top.object_or_none("model")
    library = _value(top, "library")
    return Reading(
        seconds=top.number("seconds"),
        simulated=top.flag("simulated"),
        forced=top.words("forced"),
        driver=top.words("driver"),
        python=top.object("python").text("version"),
        packages=packages.words("versions") if packages else {},
        files=packages.words("files") if packages else {},
        torch=versions.text("torch") if versions else "",
        cuda=versions.text("cuda") if versions else "",
        gpu=_gpu(gpu) if gpu else None,
        gpu_step=_step(top.object("gpu")),
        loads={name: _step(row) for name, row in top.entries("loads")},
        imports={name: _step(row) for name, row in top.entries("imports")},
        mamba_version=library.text("version") if library else "",
        absent=library.each("absent", _absent) if library else (),
        fallback_step=_step(top.object("fallback")),
        fallback=_fallback(fallback) if fallback else None,
        cases=top.each("cases", _case),
        model=_model(model) if model else None,
        strays={name: _step(row) for name, row in top.entries("strays")},
        asked_blocks=top.object("request").each("blocks", lambda f: f.text("block")),
    )


def _value(top: Fields, key: str) -> Fields | None:
    """The value of a step that matters for its value alone; how it went is checked all the same."""
    _step(top.object(key))
    return top.object(key).object_or_none("value")


def _step(f: Fields) -> Step:
    error = f.object_or_none("error")
    exit_code = f.number_or_none("exit")
    return Step(
        outcome=f.one_of("outcome", Outcome),
        seconds=f.number("seconds"),
        at=f.text_or("at"),
        error=_failure(error) if error else None,
        signal=f.text_or("signal"),
        exit=None if exit_code is None else int(exit_code),
        output_tail=f.text_or("output_tail"),
    )


def _failure(f: Fields) -> Failure:
    frames = f.each("frames", lambda r: Frame(r.text("path"), r.count("line"), r.text("name")))
    return Failure(f.text("type"), f.text("message"), frames)


def _trace(f: Fields) -> Trace:
    launched = f.each("launched", lambda r: Launch(r.text("name"), r.count("count"), r.number("us")))
    return Trace(launched, f.whole("operators"), f.count("device_events"))


def _gpu(f: Fields) -> Gpu:
    archs = f.texts("torch_archs")
    return Gpu(f.text("name"), f.text("capability"), f.count("memory_bytes"), f.count("count"), archs)


def _fallback(f: Fields) -> Fallback:
    return Fallback(finite=f.flag("finite"), steady_s=f.number("steady_s"), trace=_trace(f))


def _distance(f: Fields) -> Distance:
    return Distance(
        what=f.text("what"),
        relative=f.number_or_none("relative"),
        reference_norm=f.number("reference_norm"),
        norm=f.number_or_none("norm"),
    )


def _case(f: Fields) -> Case:
    value = f.object_or_none("value")
    exercise = _exercise(value) if value else None
    return Case(f.text("block"), f.text("dtype"), _step(f), exercise)


def _exercise(f: Fields) -> Exercise:
    numbers = f.object("numerics")
    error = f.object_or_none("default_path_error")
    return Exercise(
        shape=f.counts("shape"),
        first_call_s=f.number("first_call_s"),
        steady_s=f.number("steady_s"),
        peak_bytes=f.count("peak_bytes"),
        trace=_trace(f),
        without_gradient=f.texts("without_gradient"),
        numerics=Numerics(
            finite=numbers.flag("finite"),
            zero=numbers.flag("zero"),
            compared=numbers.each("compared", _distance),
            without_reference=numbers.text("without_reference"),
        ),
        default_path_error=_failure(error) if error else None,
        held=f.texts("held"),
    )


def _absent(f: Fields) -> Absent:
    return Absent(f.text("name"), f.text("path"), f.count("line"))


def _model(f: Fields) -> Model:
    value = f.object_or_none("value")
    return Model(f.text("name"), _step(f), _model_run(value) if value else None)


def _model_run(f: Fields) -> ModelRun:
    choices = f.object("choices")
    error = f.object_or_none("error")
    return ModelRun(
        steps=f.count("steps"),
        seconds=f.number("seconds"),
        trace=_trace(f),
        finite=f.flag("finite"),
        modules=dict(f.each("modules", lambda r: (r.text("class"), r.count("count")))),
        handlers=choices.each(
            "handlers",
            lambda r: Handler(
                r.text("path"), r.count("line"), r.text("type"), r.text("message"), r.flag("about_mamba")
            ),
        ),
        reads=choices.each("reads", lambda r: Read(r.text("name"), r.text("path"), r.count("line"), r.text("value"))),
        slow_paths=choices.each("slow_paths", lambda r: SlowPath(r.text("path"), r.count("line"), r.text("called"))),
        absent=f.object("library").each("absent", _absent),
        error=_failure(error) if error else None,
    )
