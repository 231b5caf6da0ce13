"""The JSON document ``preflight.probe/1``.  Keys are only ever added; a changed meaning is a new number."""

from __future__ import annotations

from preflight.model import Json
from preflight.probe.health_verdict import health_json
from preflight.probe.reading import Case, ModelRun, Numerics, Reading, Step
from preflight.probe.ruling import Cause, Ruling, Verdict
from preflight.probe.verdict import NOT_RUN, BlockRuling, Judged

SCHEMA = "preflight.probe/1"
GIB = 1024**3


def document(reading: Reading, judged: Judged, *, is_sandbox: bool = False) -> dict[str, Json]:
    return {
        "schema": SCHEMA,
        "verdict": judged.verdict.value,
        "exit": int(judged.verdict.exit),
        **_ruling(judged.ruling),
        "gpu": _gpu(reading),
        "versions": _versions(reading),
        "loads": {name: _step(step) for name, step in {**reading.imports, **reading.loads}.items()},
        "blocks": [_block(b) for b in judged.blocks],
        "fallback": _fallback(reading),
        "forced": dict(reading.forced),
        "model": _model(reading, judged),
        "own_model": _own_model(judged.model is not None),
        "health": health_json(reading),
        "seconds": reading.seconds,
        "own_s": _own_seconds(reading),
        "simulated": reading.simulated,
        "sandbox": is_sandbox,
    }


def not_run(reason: str, remedy: str, *, is_sandbox: bool = False) -> dict[str, Json]:
    """The document of a probe that was never started."""
    ruling = Ruling(Verdict.COULD_NOT_RUN, Cause.NOT_STARTED, reason, remedy)
    return {
        "schema": SCHEMA,
        "verdict": ruling.verdict.value,
        "exit": int(ruling.verdict.exit),
        **_ruling(ruling),
        "gpu": {},
        "versions": {},
        "loads": {},
        "blocks": [],
        "fallback": {},
        "forced": {},
        "model": {},
        "own_model": _own_model(False),
        "health": [],
        "seconds": 0.0,
        "own_s": 0.0,
        "simulated": False,
        "sandbox": is_sandbox,
    }


def _own_model(is_run: bool) -> dict[str, Json]:
    """Whether the model that will train was looked at; ``candidates`` are what the command found of it."""
    return {"run": is_run, "said": "" if is_run else NOT_RUN, "candidates": []}


def _own_seconds(reading: Reading) -> float:
    """What is left of the whole without importing torch and mamba_ssm, which any use of the GPU pays."""
    imports = [reading.imports.get(f"import {name}") for name in ("torch", "mamba_ssm")]
    return round(max(0.0, reading.seconds - sum(step.seconds for step in imports if step)), 3)


def _ruling(ruling: Ruling) -> dict[str, Json]:
    return {
        "cause": ruling.cause.value,
        "reason": ruling.reason,
        "remedy": ruling.remedy,
        "evidence": list(ruling.evidence),
        "where": [{"path": w.path, "line": w.line} for w in ruling.where],
    }


def _gpu(reading: Reading) -> dict[str, Json]:
    found: dict[str, Json] = {"driver": reading.driver["driver"]} if "driver" in reading.driver else {}
    if reading.gpu is None:
        return {"name": reading.driver["name"], **found} if "name" in reading.driver else found
    return {
        "name": reading.gpu.name,
        "capability": reading.gpu.capability,
        "memory_gib": round(reading.gpu.memory_bytes / GIB, 1),
        "count": reading.gpu.count,
        "torch_archs": list(reading.gpu.torch_archs),
        **found,
    }


def _versions(reading: Reading) -> dict[str, Json]:
    found: dict[str, Json] = {**reading.packages, "python": reading.python, "files": dict(reading.files)}
    if reading.torch:
        found["torch"], found["cuda"] = reading.torch, reading.cuda
    if reading.mamba_version:
        found.setdefault("mamba-ssm", reading.mamba_version)
    return found


def _step(step: Step) -> dict[str, Json]:
    said: dict[str, Json] = {"outcome": step.outcome.value, "seconds": step.seconds}
    if step.error is not None:
        said["error"] = str(step.error)
    if step.signal:
        said["signal"] = step.signal
    if step.at:
        said["at"] = step.at
    if step.output_tail:
        said["output_tail"] = step.output_tail
    return said


def _block(block: BlockRuling) -> dict[str, Json]:
    done = [c.exercise for c in block.cases if c.exercise]
    return {
        "block": block.block,
        "verdict": block.ruling.verdict.value,
        **_ruling(block.ruling),
        "launched": list(block.launched),
        "missing": list(block.missing),
        "numerics": {c.dtype: _numerics(c.exercise.numerics) for c in block.cases if c.exercise},
        "first_call_s": max((d.first_call_s for d in done), default=None),
        "steady_s": {c.dtype: c.exercise.steady_s for c in block.cases if c.exercise},
        "peak_bytes": max((d.peak_bytes for d in done), default=None),
        "autotuner_held": sorted({name for d in done for name in d.held}),
        "cases": [_case(c) for c in block.cases],
    }


def _numerics(numbers: Numerics) -> dict[str, Json]:
    return {
        "finite": numbers.finite,
        "zero": numbers.zero,
        "relative": {d.what: d.relative for d in numbers.compared},
        "scale": {d.what: d.scale for d in numbers.compared},
        "without_reference": numbers.without_reference,
    }


def _case(case: Case) -> dict[str, Json]:
    said: dict[str, Json] = {"dtype": case.dtype, **_step(case.step)}
    if case.exercise is not None:
        said["shape"] = list(case.exercise.shape)
        said["first_call_s"] = case.exercise.first_call_s
        said["kernels"] = [{"name": x.name, "count": x.count, "us": x.us} for x in case.exercise.trace.launched]
        said["operators"] = dict(case.exercise.trace.operators)
        error = case.exercise.default_path_error
        said["default_path_error"] = str(error) if error else ""
    return said


def _fallback(reading: Reading) -> dict[str, Json]:
    if reading.fallback is None:
        return _step(reading.fallback_step)
    return {
        **_step(reading.fallback_step),
        "finite": reading.fallback.finite,
        "steady_s": reading.fallback.steady_s,
        "kernels": list(reading.fallback.trace.names),
        "operators": dict(reading.fallback.trace.operators),
    }


def _model(reading: Reading, judged: Judged) -> dict[str, Json]:
    if reading.model is None or judged.model is None:
        return {}
    said: dict[str, Json] = {
        "name": reading.model.name,
        "verdict": judged.model.verdict.value,
        **_ruling(judged.model),
        **_step(reading.model.step),
    }
    return {**said, **_run(reading.model.run)} if reading.model.run is not None else said


def _run(run: ModelRun) -> dict[str, Json]:
    operators: dict[str, int] = {}
    for step in run.steps:
        for name, count in step.trace.operators.items():
            operators[name] = operators.get(name, 0) + count
    return {
        "steps": len(run.steps),
        "modules": dict(run.modules),
        "launched": list(run.names),
        "operators": operators,
        "blocks": [
            {
                "name": b.name,
                "block": b.block,
                "calls": [p.calls for p in b.steps],
                "raised": [p.raised for p in b.steps],
            }
            for b in run.blocks
        ],
        "numbers": [
            {
                **{"module": n.module, "weights": n.weights, "shape": list(n.shape), "dtype": n.dtype},
                **{"positions": n.positions, "error": str(n.error) if n.error else ""},
                **(_numerics(n.numerics) if n.numerics else {}),
            }
            for n in run.numbers
        ],
        "compiled": run.is_compiled,
        "peak_bytes": run.peak_bytes,
    }
