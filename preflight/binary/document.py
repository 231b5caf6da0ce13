"""`preflight.link/1`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from preflight.binary.link import Linked, Target, whole
from preflight.model import Json

SCHEMA = "preflight.link/1"


def document(linked: Mapping[Path, Sequence[Linked]], target: Target) -> dict[str, Json]:
    return {
        "schema": SCHEMA,
        "target": msgspec.to_builtins(target),
        "wheels": [
            {"path": str(path), "verdict": whole(libraries).value, "libraries": len(libraries)}
            for path, libraries in linked.items()
        ],
        "files": msgspec.to_builtins([one for libraries in linked.values() for one in libraries]),
    }
