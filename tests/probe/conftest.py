"""Worlds made of the stand-in packages, and of single files laid over them: one fault a world."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from preflight.probe.local import PAYLOAD
from preflight.probe.payload import supervise
from preflight.probe.reading import parsed
from preflight.probe.request import DEFAULT_BLOCKS, Request, block_json
from preflight.probe.verdict import Judged, judge

DEFAULT = [{"block": name, "options": {}} for name in DEFAULT_BLOCKS]
STANDIN = PAYLOAD.with_name("standin")
SWITCH = {"force_variables": ["SEIZURE_MAMBA_FORCE_FALLBACK"]}


def pythonpath(has_causal_conv1d: bool = True) -> tuple[Path, ...]:
    """The stand-ins for torch and mamba-ssm, and for causal-conv1d unless it is to be missing."""
    return (STANDIN / "base", STANDIN / "conv") if has_causal_conv1d else (STANDIN / "base",)


class World:
    """Files in ``over`` are found before the stand-ins; ``environ`` is added to the payload's environment."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.over = room / "over"
        self.over.mkdir()
        self.environ: dict[str, str] = {}
        self.has_causal_conv1d = True
        self.packages: tuple[Path, ...] | None = None
        self.document: dict[str, Any] = {}

    def lay(self, name: str, text: str) -> Path:
        path = self.over / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def without(self, name: str) -> None:
        """A module that can't be found, told in the words of the import system."""
        self.lay(f"{name}.py", f"raise ModuleNotFoundError(\"No module named '{name}'\", name='{name}')\n")

    def probe(self, **request: Any) -> Judged:
        packages = self.packages
        if packages is None:
            packages = pythonpath(self.has_causal_conv1d)
        blocks = [block_json(b["block"], **b["options"]) for b in request.pop("blocks", DEFAULT)]
        limits = {"step_limit_s": 20.0, "limit_s": 40.0, "lanes": 1}
        asked = {**Request(dtypes=("float32",)).as_json(), **SWITCH, **limits, "blocks": blocks, **request}
        path = os.pathsep.join(map(str, (self.over, *packages)))
        with pytest.MonkeyPatch.context() as patch:
            for name in [n for n in os.environ if "FALLBACK" in n]:
                patch.delenv(name)
            for name, value in {"PYTHONPATH": path, **self.environ}.items():
                patch.setenv(name, value)
            self.document = json.loads(json.dumps(supervise.run(asked)))
        return judge(parsed(self.document))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> str:
    world = World(tmp_path_factory.mktemp("healthy"))
    world.probe(dtypes=["float32", "bfloat16"], lanes=2)
    return json.dumps(world.document)


@pytest.fixture
def reading(healthy: str) -> Any:
    """The document of a healthy simulated run, for tests that change one thing in it."""
    return json.loads(healthy)
