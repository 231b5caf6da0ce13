"""Files of a project: its Modal apps are found without running any of them, and each is read in bounds."""

from __future__ import annotations

import ast
import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from preflight.app.model import Source
from preflight.app.syntax import Syntax

SKIPPED = frozenset({"node_modules", "venv", "site-packages", "build", "dist", "__pycache__"})
MAY_MAKE_APP = re.compile(rb"^[ \t]*(?:from|import)\b[^\n]*\bmodal\b[\s\S]*\b(?:App|Stub)\b[\s\S]*\(", re.MULTILINE)
MAKES_APP = re.compile(r"modal(?:\.\w+)*\.(?:App|Stub)")
MOST_FILES = 5000
MOST_BYTES = 1_000_000


LONGEST_BYTES = 5_000_000  # of an app's file


def content_of(file: Path, most: int) -> bytes:
    """At most ``most`` + 1 bytes of a regular file.  Raises OSError, for anything else too."""
    handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(file))
        return opened.read(most + 1)


def find_apps(project: Path) -> tuple[Path, ...]:
    """Python files below ``project`` that make a ``modal.App``; at most 5,000 files are looked at."""
    return tuple(path for path in python_files(project) if _makes_app(path))


def python_files(project: Path) -> Iterator[Path]:
    """The Python files below ``project`` that are its own; at most 5,000."""
    seen = 0
    for folder, folders, files in os.walk(project):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("."))
        for name in sorted(files):
            if name.endswith(".py"):
                seen += 1
                if seen > MOST_FILES:
                    return
                yield Path(folder, name)


def _makes_app(path: Path) -> bool:
    """Whether a call in it makes one: text and docstrings that show such a call do not."""
    try:
        content = content_of(path, MOST_BYTES)
    except OSError:
        return False
    if MAY_MAKE_APP.search(content) is None:
        return False
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True  # what is wrong with it is for the rule on syntax to say
    syntax = Syntax(Source(str(path), "", tree), tree)
    return any(MAKES_APP.fullmatch(syntax.imported(call.func)) for call in syntax.every(ast.Call))
