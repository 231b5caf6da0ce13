"""The payload's document, or one kept as test data, as a Reading: every field is checked on the way in."""

from __future__ import annotations

from preflight.probe.fields import Fields, ReadingError
from preflight.probe.reading import (
    Absent,
    Card,
    Case,
    Decision,
    Distance,
    Exercise,
    Failure,
    Fallback,
    Frame,
    Gpu,
    Handler,
    Launch,
    Model,
    ModelRun,
    Numerics,
    Outcome,
    OwnBlock,
    OwnNumbers,
    OwnStep,
    Pass,
    Read,
    Reading,
    Replaced,
    SlowPath,
    Step,
    Trace,
)

SCHEMA = "preflight.probe-reading/2"


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
    imports = top.object("imports")
    ready = imports.object("gpu ready").object_or_none("value") if imports.has("gpu ready") else None
    return Reading(
        seconds=top.number("seconds"),
        simulated=top.flag("simulated"),
        forced=top.words("forced"),
        driver=top.words("driver"),
        visible_devices=top.text_or_none("visible_devices"),
        at_rest=top.each("cards", lambda f: f.all_words()),
        cards=top.each("gpus", _card),
        full_autotune=top.object("request").flag("full_autotune"),
        free_bytes=ready.count("free") if ready else None,
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
        replaced=library.each("replaced", _replaced) if library else (),
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
        scale=f.number_or_none("scale"),
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
        numerics=_numerics(numbers),
        default_path_error=_failure(error) if error else None,
        held=f.texts("held"),
    )


def _numerics(f: Fields) -> Numerics:
    return Numerics(f.flag("finite"), f.flag("zero"), f.each("compared", _distance), f.text("without_reference"))


def _absent(f: Fields) -> Absent:
    return Absent(f.text("name"), f.text("path"), f.count("line"))


def _model(f: Fields) -> Model:
    value = f.object_or_none("value")
    return Model(f.text("name"), _step(f), _model_run(value) if value else None)


def _replaced(f: Fields) -> Replaced:
    return Replaced(f.text("name"), f.text("by"), f.text("path"), f.count("line"))


def _card(f: Fields) -> Card:
    value = f.object_or_none("value")
    step = _step(f)
    if value is None:
        return Card(step, -1, "", None, None, None, None, 0, 0, {})
    return Card(
        step=step,
        rank=value.count("rank"),
        name=value.text("name"),
        tflops=value.number("tflops"),
        copy_gbps=value.number("copy_gbps"),
        reduce_gbps=value.number_or_none("reduce_gbps"),
        sum_is_right=value.flag_or_none("sum_is_right"),
        free_bytes=value.count("free_bytes"),
        memory_bytes=value.count("memory_bytes"),
        loaded=value.words("loaded"),
    )


def _pass(f: Fields) -> Pass:
    return Pass(
        calls=f.count("calls"),
        raised=f.count("raised"),
        reruns=f.count("reruns"),
        launched=f.whole("launched"),
        arrived=f.texts("arrived"),
        bad=f.texts("bad"),
        zero=f.texts("zero"),
    )


def _own_block(f: Fields) -> OwnBlock:
    return OwnBlock(
        name=f.text("name"),
        block=f.text("block"),
        label=f.text("class"),
        device=f.text("device"),
        trains=f.texts("trains"),
        steps=f.each("steps", _pass),
    )


def _own_step(f: Fields) -> OwnStep:
    return OwnStep(_trace(f), f.flag("finite"), f.texts("bad_gradients"), f.count("gradients"))


def _own_numbers(f: Fields) -> OwnNumbers:
    numbers, error = f.object_or_none("numerics"), f.object_or_none("error")
    return OwnNumbers(
        module=f.text("module"),
        block=f.text("block"),
        weights=f.text("weights"),
        shape=f.counts("shape"),
        dtype=f.text("dtype"),
        positions=f.count("positions"),
        numerics=_numerics(numbers) if numbers else None,
        error=_failure(error) if error else None,
    )


def _handler(f: Fields) -> Handler:
    return Handler(
        f.text("path"), f.count("line"), f.text("type"), f.text("message"), f.flag("about_mamba"), f.text("kind")
    )


def _decision(f: Fields) -> Decision:
    return Decision(f.text("path"), f.count("line"), f.text("test"), f.texts("variables"), f.flag("is_sure"))


def _model_run(f: Fields) -> ModelRun:
    choices = f.object("choices")
    error = f.object_or_none("error")
    return ModelRun(
        steps=f.each("steps", _own_step),
        seconds=f.number("seconds"),
        blocks=f.each("blocks", _own_block),
        numbers=f.each("numbers", _own_numbers),
        modules=dict(f.each("modules", lambda r: (r.text("class"), r.count("count")))),
        is_compiled=f.flag("compiled"),
        is_scaled=f.flag("scaled"),
        free_bytes=f.count("free_bytes"),
        peak_bytes=f.count("peak_bytes"),
        handlers=choices.each("handlers", _handler),
        decisions=choices.each("decisions", _decision),
        reads=choices.each("reads", lambda r: Read(r.text("name"), r.text("path"), r.count("line"), r.text("value"))),
        slow_paths=choices.each("slow_paths", lambda r: SlowPath(r.text("path"), r.count("line"), r.text("called"))),
        absent=f.object("library").each("absent", _absent),
        replaced=f.object("library").each("replaced", _replaced),
        error=_failure(error) if error else None,
    )
