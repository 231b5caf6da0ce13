"""What every test may use: the command line in a child process, with nothing of the user's around it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.forked import REPOSITORY, forks, is_early
from tests.trust.table import pytest_collection_modifyitems as pytest_collection_modifyitems  # attacks stand in
from tests.trust.table import pytest_terminal_summary as pytest_terminal_summary  # many folders

HIDDEN = ("MODAL_", "AWS_", "GITHUB_", "PREFLIGHT_")
LIMIT_S = 120

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # with it every child compiles all of ours again: 0.4 s of CPU each

for number in (signal.SIGINT, signal.SIGHUP):  # a shell's background job ignores them, and so would all that we start
    if signal.getsignal(number) is signal.SIG_IGN:
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


def python(
    words: list[str], *, cwd: Path, env: Mapping[str, str], limit_s: float, stdin: bytes = b"", is_fresh: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """``python WORDS...`` with its output; forked where nothing is asked that counts while Python starts."""
    if is_fresh or is_early(env):
        return subprocess.run(
            [sys.executable, *words],
            cwd=cwd,
            env=dict(env),
            input=stdin,
            capture_output=True,
            timeout=limit_s,
            check=False,
        )
    ended = forks().run(words, cwd=cwd, env=env, limit_s=limit_s, stdin=stdin)
    if ended.code is None:
        raise subprocess.TimeoutExpired(words, limit_s, ended.out, ended.err)
    return subprocess.CompletedProcess(words, ended.code, ended.out, ended.err)


class Preflight:
    """Runs ``python -m preflight …`` as a user would, with their own home and state folder.

    In a process of its own, forked from one that has imported all of it; ``is_fresh`` starts from nothing.
    """

    def __init__(self, home: Path) -> None:
        self.home = home

    def environ(self, **more: str) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(HIDDEN) and k not in ("NO_COLOR", "COLUMNS")}
        return {
            **clean,
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "MODAL_CONFIG_PATH": str(self.home / "no-modal.toml"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONPATH": str(REPOSITORY),
            **more,
        }

    def __call__(
        self,
        *words: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        limit_s: float = LIMIT_S,
        stdin: str = "",
        is_fresh: bool = False,
    ) -> Ran:
        command = ["-m", "preflight", *map(str, words)]
        done = python(
            command,
            cwd=cwd or self.home,
            env=self.environ(**(env or {})),
            limit_s=limit_s,
            stdin=stdin.encode(),
            is_fresh=is_fresh,
        )
        return Ran(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


@pytest.fixture
def preflight(tmp_path: Path) -> Preflight:
    home = tmp_path / "home"
    home.mkdir()
    return Preflight(home)
