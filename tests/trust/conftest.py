"""What the attacks share: the count of their trials, and children that are started once and forked for each."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from preflight.cli import main
from tests import forked
from tests.trust.table import FIGURES, Tally

LARGEST_BYTES = 3 << 30  # of address space: what wants more ends, and the machine does not


@pytest.fixture
def tally(record_property: pytest.RecordProperty) -> Iterator[Tally]:
    """For a test of many trials: how many there were, and how many were bad."""
    counted = Tally()
    yield counted
    record_property(FIGURES, json.dumps(asdict(counted)))


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A folder on a file system in memory, where there is one: what is written thousands of times is quick to write."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        yield Path(folder).resolve()


@dataclass(frozen=True)
class Ended:
    """``code`` is None where it had not ended in time."""

    code: int | None
    cpu_s: float
    mb: float
    out: str
    err: str


class Forks:
    """`preflight WORDS...` in a child of a process that has loaded it already."""

    def __init__(self, *kind: str) -> None:
        self._kind = kind

    def __call__(self, cwd: Path, *words: str, limit_s: float = 60.0, audit: str = "", **environ: str) -> Ended:
        done = forked.forks(*self._kind).run(
            ["-m", "preflight", *words], cwd=cwd, env={**os.environ, **environ}, limit_s=limit_s, audit=audit,
            most_bytes=LARGEST_BYTES,
        )  # fmt: skip
        return Ended(done.code, done.cpu_s, done.mb, *(s.decode("utf-8", "replace") for s in (done.out, done.err)))


Typed = Callable[..., tuple[int | str | None, str, str]]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """`preflight WORDS...` in a folder, in this very process: its exit code and what it prints."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def go(folder: Path, *words: str) -> tuple[int | str | None, str, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["preflight", *words])
        with pytest.raises(SystemExit) as ended:
            main.main()
        return (ended.value.code, *capsys.readouterr())

    return go


@pytest.fixture(scope="session")
def forks() -> Forks:
    return Forks()


@pytest.fixture(scope="session")
def light() -> Forks:
    """With no SDK loaded: what a command costs is its own."""
    return Forks("light")
