"""The JSON document ``preflight.probe/1``.  Keys are only ever added; a changed meaning is a new number."""

from __future__ import annotations

from collections import Counter
from typing import TypedDict

from msgspec import to_builtins

from preflight.model import Json
from preflight.probe.health_verdict import GpuHealth, health
from preflight.probe.reading import Case, ModelRun, Numerics, Reading, Step
from preflight.probe.ruling import Cause, Ruling, could_not_run
from preflight.probe.verdict import NOT_RUN, BlockRuling, Judged

SCHEMA = "preflight.probe/1"
GIB = 1024**3


class Place(TypedDict):
    path: str
    line: int


class Gpu(TypedDict, total=False):
    name: str
    capability: str
    memory_gib: float
    count: int
    torch_archs: list[str]
    driver: str


class Ruled(TypedDict):
    verdict: str
    cause: str
    reason: str
    remedy: str
    evidence: list[str]
    where: list[Place]


class Block(Ruled):
    block: str
    launched: list[str]
    missing: list[str]
    numerics: dict[str, dict[str, Json]]
    first_call_s: float | None
    steady_s: dict[str, float]
    peak_bytes: int | None
    autotuner_held: list[str]
    cases: list[dict[str, Json]]


class OwnModel(TypedDict):
    """Whether the model that will train was looked at; ``candidates`` are what the command found of it."""

    run: bool
    said: str
    candidates: list[dict[str, str]]


class Document(Ruled):
    schema: str
    exit: int
    gpu: Gpu
    versions: dict[str, Json]
    loads: dict[str, dict[str, Json]]
    blocks: list[Block]
    fallback: dict[str, Json]
    forced: dict[str, str]
    model: dict[str, Json]  # empty unless one was asked for
    own_model: OwnModel
    health: list[GpuHealth]
    seconds: float
    own_s: float  # what is left without importing torch and mamba_ssm, which any use of the GPU pays
    simulated: bool
    sandbox: bool


class OnModal(Document):
    gpu_asked: str


class Paid(OnModal):
    spent_usd: float


def not_run(reason: str, remedy: str, *, is_sandbox: bool = False) -> Document:
    """The document of a probe that was never started."""
    return _empty(could_not_run(Cause.NOT_STARTED, reason, remedy), is_sandbox)


def _empty(ruling: Ruling, is_sandbox: bool) -> Document:
    return {
        "schema": SCHEMA,
        "exit": int(ruling.verdict.exit),
        **_ruled(ruling),
        "gpu": {},
        "versions": {},
        "loads": {},
        "blocks": [],
        "fallback": {},
        "forced": {},
        "model": {},
        "own_model": {"run": False, "said": NOT_RUN, "candidates": []},
        "health": [],
        "seconds": 0.0,
        "own_s": 0.0,
        "simulated": False,
        "sandbox": is_sandbox,
    }


def document(reading: Reading, judged: Judged, *, is_sandbox: bool = False) -> Document:
    imports = [reading.imports.get(f"import {name}") for name in ("torch", "mamba_ssm")]
    whole = _empty(judged.ruling, is_sandbox)
    whole["gpu"] = _gpu(reading)
    whole["versions"] = _versions(reading)
    whole["loads"] = {name: _step(step) for name, step in {**reading.imports, **reading.loads}.items()}
    whole["blocks"] = [_block(b) for b in judged.blocks]
    whole["fallback"] = _fallback(reading)
    whole["forced"] = dict(reading.forced)
    whole["health"] = health(reading)
    whole["seconds"] = reading.seconds
    whole["own_s"] = round(max(0.0, reading.seconds - sum(step.seconds for step in imports if step)), 3)
    whole["simulated"] = reading.simulated
    if reading.model is not None and judged.model is not None:
        whole["own_model"] = {"run": True, "said": "", "candidates": []}
        whole["model"] = {"name": reading.model.name, **_ruled(judged.model), **_step(reading.model)}
        if reading.model.value is not None:
            whole["model"] |= _run(reading.model.value)
    return whole


def _ruled(ruling: Ruling) -> Ruled:
    return {
        "verdict": ruling.verdict.value,
        "cause": ruling.cause.value,
        "reason": ruling.reason,
        "remedy": ruling.remedy,
        "evidence": list(ruling.evidence),
        "where": [{"path": w.path, "line": w.line} for w in ruling.where],
    }


def _gpu(reading: Reading) -> Gpu:
    gpu, about = reading.gpu.value, Gpu()
    if gpu is not None:
        about |= {"name": gpu.name, "capability": gpu.capability, "torch_archs": list(gpu.torch_archs)}
        about |= {"count": gpu.count, "memory_gib": round(gpu.memory_bytes / GIB, 1)}
    elif "name" in reading.driver:
        about["name"] = reading.driver["name"]
    if "driver" in reading.driver:
        about["driver"] = reading.driver["driver"]
    return about


def _versions(reading: Reading) -> dict[str, Json]:
    files = dict(reading.packages.value.files) if reading.packages.value else {}
    about: dict[str, Json] = {**reading.installed, "python": reading.python.version, "files": files}
    if reading.torch:
        about["torch"], about["cuda"] = reading.torch, reading.cuda
    if reading.mamba_version:
        about.setdefault("mamba-ssm", reading.mamba_version)
    return about


def _step(step: Step) -> dict[str, Json]:
    error = str(step.error) if step.error else ""
    more = {"error": error, "signal": step.signal, "at": step.at, "output_tail": step.output_tail}
    return {"outcome": step.outcome.value, "seconds": step.seconds, **{k: v for k, v in more.items() if v}}


def _block(block: BlockRuling) -> Block:
    done = {c.dtype: c.value for c in block.cases if c.value}
    return {
        "block": block.block,
        **_ruled(block.ruling),
        "launched": list(block.launched),
        "missing": list(block.missing),
        "numerics": {dtype: _numerics(d.numerics) for dtype, d in done.items()},
        "first_call_s": max((d.first_call_s for d in done.values()), default=None),
        "steady_s": {dtype: d.steady_s for dtype, d in done.items()},
        "peak_bytes": max((d.peak_bytes for d in done.values()), default=None),
        "autotuner_held": sorted({name for d in done.values() for name in d.held}),
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
    about, done = {"dtype": case.dtype, **_step(case)}, case.value
    if done is not None:
        about |= {"shape": list(done.shape), "first_call_s": done.first_call_s, "operators": dict(done.operators)}
        about["kernels"] = [to_builtins(launch) for launch in done.launched]
        about["default_path_error"] = str(done.default_path_error) if done.default_path_error else ""
    return about


def _fallback(reading: Reading) -> dict[str, Json]:
    about, done = _step(reading.fallback), reading.fallback.value
    if done is not None:
        about |= {"finite": done.finite, "steady_s": done.steady_s}
        about |= {"kernels": list(done.names), "operators": dict(done.operators)}
    return about


def _run(run: ModelRun) -> dict[str, Json]:
    operators: Counter[str] = Counter()
    for step in run.steps:
        operators.update(step.operators)
    return {
        "steps": len(run.steps),
        "modules": {m.label: m.count for m in run.modules},
        "launched": list(run.names),
        "operators": dict(operators),
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
