from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from preflight.app import reader
from preflight.discover.recorder import NotRecorded, record_file
from preflight.discover.recording import Recording
from preflight.settings import Settings

HEAD = "import modal\n\napp = modal.App('x')\nimage = modal.Image.debian_slim(python_version='3.12')\n"
TAIL = "\n@app.function(image=image)\ndef f():\n    pass\n"
LIMIT_S = 60.0

Record = Callable[..., Recording | NotRecorded]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Records an app whose top level holds the given lines, with the real client."""

    def go(
        lines: str = "", *, limit_s: float = LIMIT_S, environ: Mapping[str, str] | None = None, whole: str = ""
    ) -> Recording | NotRecorded:
        project = tmp_path / "project"
        project.mkdir(exist_ok=True)
        (project / "app.py").write_text(whole or HEAD + lines + TAIL)
        settings = Settings(project=project, app="app.py", environ={**os.environ, **(environ or {})})
        return asyncio.run(record_file(reader.read(project / "app.py", project=project), settings, limit_s=limit_s))

    return go


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir(exist_ok=True)
    return folder
