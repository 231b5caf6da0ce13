"""The command that the gate stands before: the program it starts, and what its words say of app and environment."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

VERBS = frozenset({"run", "deploy", "serve", "shell"})
NOT_EXECUTABLE, NOT_FOUND = 126, 127  # as shells end


class NotRunnable(Exception):
    """``code`` is what a shell would end with."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Said:
    """What a ``modal run FILE.py`` names; None where it names nothing, or is another command."""

    app: str | None = None
    environment: str | None = None


def find(program: str, path: str | None = None) -> str:
    """The program's path, as the project's own commands find it.  Raises NotRunnable."""
    found = shutil.which(program, path=path)
    if found is not None:
        return found
    if os.sep in program and Path(program).exists():
        raise NotRunnable(NOT_EXECUTABLE, f"{program} can't be executed")
    raise NotRunnable(NOT_FOUND, f"{program}: command not found")


def read(words: Sequence[str]) -> Said:
    """Of ``modal run``, ``python -m modal run``, ``uv run modal deploy`` …"""
    for n, word in enumerate(words[:-1]):
        if word.rsplit("/", 1)[-1] == "modal" and words[n + 1] in VERBS:
            return _read(words[n + 2 :])
    return Said()


def _read(words: Sequence[str]) -> Said:
    """The client takes options before the app's file; what follows it belongs to the app."""
    environment = None
    for n, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in ("-e", "--env"):
            environment = value if equals else next(iter(words[n + 1 :]), None)
        file = word.split("::")[0]
        if n and words[n - 1] == "-m":
            return Said(file.replace(".", "/") + ".py", environment)
        if file.endswith(".py") and not word.startswith("-"):
            return Said(file, environment)
    return Said(None, environment)


def become(
    program: str,
    words: Sequence[str],
    environ: Mapping[str, str],
    *,
    folder: Path | None = None,
    lifeline: int | None = None,
) -> NoReturn:
    """This process becomes the command: its terminal, signals and exit code are then its own.

    ``lifeline`` is a pipe that it inherits.  Raises NotRunnable.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and what is ignored stays so
        signal.signal(number, signal.SIG_DFL)
    if lifeline is not None:
        os.set_inheritable(lifeline, True)
    if folder is not None:
        os.chdir(folder)
        environ = {**environ, "PWD": str(folder)}
    try:
        os.execve(program, list(words), environ)
    except FileNotFoundError as e:  # a script whose interpreter is gone ends the same way in a shell
        raise NotRunnable(NOT_FOUND, f"{program}: {e.strerror}") from e
    except OSError as e:
        raise NotRunnable(NOT_EXECUTABLE, f"{program}: {e.strerror}") from e
