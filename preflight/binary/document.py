"""`preflight.link/1`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from preflight.binary.link import Linked, Target, whole
from preflight.model import Json

SCHEMA = "preflight.link/1"


def document(linked: Mapping[Path, Sequence[Linked]], target: Target) -> dict[str, Json]:
    return {
        "schema": SCHEMA,
        "target": {
            "torch": target.torch,
            "gpus": [{"name": g.name, "sm": g.sm, "by": g.by} for g in target.gpus],
        },
        "wheels": [
            {"path": str(path), "verdict": whole(libraries).value, "libraries": len(libraries)}
            for path, libraries in linked.items()
        ],
        "files": [_library(one) for libraries in linked.values() for one in libraries],
    }


def _library(one: Linked) -> Json:
    return {
        "path": one.path,
        "verdict": one.verdict.value,
        "reasons": list(one.reasons),
        "notes": list(one.notes),
        "remedy": one.remedy,
        "torch_versions": list(one.torch_versions),
        "cxx11abi": one.cxx11abi,
        "missing_symbols": list(one.missing_symbols),
        "unknown_symbols": list(one.unknown_symbols),
        "torch_symbols": one.torch_symbols,
        "archs": [{"sm": a.sm, "kind": a.kind.value, "variant": a.variant} for a in one.archs],
        "gpus": [{"name": g.name, "sm": g.sm, "runs": runs} for g, runs in one.gpus],
        "needed": list(one.needed),
        "floors": dict(one.floors),
        "python": one.python,
        "modules": list(one.modules),
        "choice": one.choice,
    }
