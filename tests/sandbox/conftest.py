from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from preflight.sandbox import serve, state, worlds
from tests.conftest import python
from tests.forked import REPOSITORY

Run = Callable[..., subprocess.CompletedProcess[str]]
LONGEST_S = 90


@pytest.fixture(scope="module")
def healthy() -> Iterator[serve.Sandbox]:
    """One healthy world for the tests of a file, as those before left it."""
    with serve.start("healthy") as sandbox:
        yield sandbox


def without_s3(name: str) -> state.Scenario:
    """A shipped world that starts faster, for those who ask nothing of S3."""
    return replace(worlds.load(name), storage=state.Storage())


@pytest.fixture
def run() -> Run:
    """Run Python with a sandbox's environment in its project; a test can't hang longer than LONGEST_S."""

    def go(sandbox: serve.Sandbox, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        done = python(
            [*arguments],
            env=sandbox.applied(os.environ) | {"COLUMNS": "200", "TERM": "dumb", "PYTHONPATH": str(REPOSITORY)},
            cwd=cwd or sandbox.project,
            limit_s=LONGEST_S,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return go


@pytest.fixture
def modal(run: Run) -> Run:
    """The real CLI."""

    def go(sandbox: serve.Sandbox, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(sandbox, "-m", "modal", *arguments)

    return go


@pytest.fixture
def world(tmp_path: Path) -> Callable[[str], Path]:
    """A scenario file from the TOML of what differs from the healthy world; without S3, to start faster."""

    def write(toml: str) -> Path:
        path = tmp_path / "world.toml"
        words = 'title = "a test"\nwrong = "what the test says"\nstorage = {buckets = []}'
        path.write_text(f"{words}\n{toml}", encoding="utf-8")
        return path

    return write
