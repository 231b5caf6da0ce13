from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from preflight.discover.recorder import NotRecorded
from preflight.discover.recording import Recording, read
from tests.conftest import python
from tests.forked import REPOSITORY

HEAD = "import modal\n\napp = modal.App('x')\nimage = modal.Image.debian_slim(python_version='3.12')\n"
TAIL = "\n@app.function(image=image)\ndef f():\n    pass\n"
LIMIT_S = 60.0
ASK = """
import asyncio, json, sys
from pathlib import Path
from preflight.app import reader
from preflight.discover.recorder import record_file
from preflight.discover.recording import Recording, line
from preflight.settings import Settings
import msgspec
given = json.loads(sys.stdin.read())
project, app = Path(given["project"]), Path(given["app"])
settings = Settings(project=project, app=app.name, environ=given["environ"])
told = asyncio.run(record_file(reader.read(app, project=project), settings, limit_s=given["limit_s"]))
sys.stdout.buffer.write(line(told) if isinstance(told, Recording) else msgspec.json.encode(told))
"""

Record = Callable[..., Recording | NotRecorded]


def recorded(
    app: Path, project: Path, *, limit_s: float = LIMIT_S, environ: Mapping[str, str] | None = None
) -> Recording | NotRecorded:
    """By the recorder, in a process that has imported it already."""
    given = {"app": str(app), "project": str(project), "limit_s": limit_s, "environ": {**os.environ, **(environ or {})}}
    env = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = python(["-c", ASK], cwd=project, env=env, limit_s=2 * limit_s, stdin=json.dumps(given).encode())
    assert done.returncode == 0, done.stderr
    if b'"obstacle"' in done.stdout[:20]:
        return msgspec.json.decode(done.stdout, type=NotRecorded)
    return read(done.stdout, Recording)


@pytest.fixture
def record(project: Path) -> Record:
    """Records an app whose top level holds the given lines, with the real client."""

    def go(
        lines: str = "", *, limit_s: float = LIMIT_S, environ: Mapping[str, str] | None = None, whole: str = ""
    ) -> Recording | NotRecorded:
        (project / "app.py").write_text(whole or HEAD + lines + TAIL)
        return recorded(project / "app.py", project, limit_s=limit_s, environ=environ)

    return go


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir(exist_ok=True)
    return folder
