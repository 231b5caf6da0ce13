"""The JSON document ``preflight.probe/1``.  Keys are only ever added; a changed meaning is a new number."""

from __future__ import annotations

from collections import Counter
from typing import TypedDict

from msgspec import UNSET, UnsetType, convert, field, json, structs, to_builtins

from preflight.model import Json
from preflight.probe.health_verdict import GpuHealth, health
from preflight.probe.own_model import OwnModel
from preflight.probe.reading import Case, ModelRun, Numerics, Reading, Step
from preflight.probe.ruling import Cause, Ruling, could_not_run
from preflight.probe.verdict import BlockRuling, Judged

SCHEMA = "preflight.probe/1"
GIB = 1024**3


class Gpu(TypedDict, total=False):
    name: str
    capability: str
    memory_gib: float
    count: int
    torch_archs: list[str]
    driver: str


class Block(Ruling, frozen=True, kw_only=True):
    block: str
    launched: tuple[str, ...]
    missing: tuple[str, ...]
    numerics: dict[str, dict[str, Json]]
    first_call_s: float | None
    steady_s: dict[str, float]
    peak_bytes: int | None
    autotuner_held: list[str]
    cases: list[dict[str, Json]]


class Document(Ruling, frozen=True, kw_only=True):
    """``own_s`` is what is left without importing torch and mamba_ssm, which any use of the GPU pays; ``model`` is
    empty unless one was asked for."""

    gpu: Gpu = field(default_factory=Gpu)
    versions: dict[str, Json] = field(default_factory=dict)
    loads: dict[str, dict[str, Json]] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    fallback: dict[str, Json] = field(default_factory=dict)
    forced: dict[str, str] = field(default_factory=dict)
    model: dict[str, Json] = field(default_factory=dict)
    own_model: OwnModel = OwnModel()
    health: list[GpuHealth] = field(default_factory=list)
    seconds: float = 0.0
    own_s: float = 0.0
    simulated: bool = False
    sandbox: bool = False
    gpu_asked: str | UnsetType = UNSET
    spent_usd: float | UnsetType = UNSET

    def as_json(self) -> dict[str, Json]:
        return {"schema": SCHEMA, "exit": int(self.verdict.exit), **json.decode(json.encode(self))}


def parsed(document: Json) -> Document:
    return convert(document, Document)


def not_run(reason: str, remedy: str, evidence: tuple[str, ...] = (), *, is_sandbox: bool = False) -> Document:
    """The document of a probe that was never started."""
    ruling = could_not_run(Cause.NOT_STARTED, reason, remedy, evidence)
    return Document(**structs.asdict(ruling), sandbox=is_sandbox)


def document(reading: Reading, judged: Judged, *, is_sandbox: bool = False) -> Document:
    imports = [reading.imports.get(f"import {name}") for name in ("torch", "mamba_ssm")]
    is_run = reading.model is not None
    return Document(
        **structs.asdict(judged.ruling),
        gpu=_gpu(reading),
        versions=_versions(reading),
        loads={name: _step(step) for name, step in {**reading.imports, **reading.loads}.items()},
        blocks=tuple(_block(b) for b in judged.blocks),
        fallback=_fallback(reading),
        forced=reading.forced,
        model=_model(reading, judged),
        own_model=OwnModel(run=True, message="") if is_run else OwnModel(),
        health=health(reading),
        seconds=reading.seconds,
        own_s=round(max(0.0, reading.seconds - sum(step.seconds for step in imports if step)), 3),
        simulated=reading.simulated,
        sandbox=is_sandbox,
    )


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
    files = reading.packages.value.files if reading.packages.value else {}
    about: dict[str, Json] = {**reading.installed, "python": reading.python.get("version", ""), "files": files}
    if reading.torch.version:
        about["torch"], about["cuda"] = reading.torch.version, reading.torch.cuda
    if reading.mamba_version:
        about.setdefault("mamba-ssm", reading.mamba_version)
    return about


def _step(step: Step) -> dict[str, Json]:
    error = str(step.error) if step.error else ""
    more = {"error": error, "signal": step.signal, "at": step.at, "output_tail": step.output_tail}
    return {"outcome": step.outcome.value, "seconds": step.seconds, **{k: v for k, v in more.items() if v}}


def _block(block: BlockRuling) -> Block:
    done = {c.dtype: c.value for c in block.cases if c.value}
    return Block(
        **structs.asdict(block.ruling),
        block=block.block,
        launched=block.launched,
        missing=block.missing,
        numerics={dtype: _numerics(d.numerics) for dtype, d in done.items()},
        first_call_s=max((d.first_call_s for d in done.values()), default=None),
        steady_s={dtype: d.steady_s for dtype, d in done.items()},
        peak_bytes=max((d.peak_bytes for d in done.values()), default=None),
        autotuner_held=sorted({name for d in done.values() for name in d.untuned}),
        cases=[_case(c) for c in block.cases],
    )


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
        about |= {"shape": done.shape, "first_call_s": done.first_call_s, "operators": done.operators}
        about["kernels"] = done.launched
        about["default_path_error"] = str(done.default_path_error) if done.default_path_error else ""
    return about


def _fallback(reading: Reading) -> dict[str, Json]:
    about, done = _step(reading.fallback), reading.fallback.value
    if done is not None:
        about |= {"finite": done.finite, "steady_s": done.steady_s, "kernels": done.names, "operators": done.operators}
    return about


def _model(reading: Reading, judged: Judged) -> dict[str, Json]:
    if reading.model is None or judged.model is None:
        return {}
    about = {"name": reading.model.name, **to_builtins(judged.model), **_step(reading.model)}
    return about | _run(reading.model.value) if reading.model.value else about


def _run(run: ModelRun) -> dict[str, Json]:
    operators: Counter[str] = Counter()
    for step in run.steps:
        operators.update(step.operators)
    return {
        "steps": len(run.steps),
        "modules": {m.label: m.count for m in run.modules},
        "launched": run.names,
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
                **{"module": n.module, "weights": n.weights, "shape": n.shape, "dtype": n.dtype},
                **{"positions": n.positions, "error": str(n.error) if n.error else ""},
                **(_numerics(n.numerics) if n.numerics else {}),
            }
            for n in run.numbers
        ],
        "compiled": run.is_compiled,
        "peak_bytes": run.peak_bytes,
    }
