"""Finds the Modal app files of a project without running any of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from preflight.app.regular import content_of

SKIPPED = frozenset({"node_modules", "venv", "site-packages", "build", "dist", "__pycache__"})
MAKES_APP = re.compile(rb"\bmodal\b[\s\S]*\bApp\s*\(")
MOST_FILES = 5000
MOST_BYTES = 1_000_000


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
    try:
        return MAKES_APP.search(content_of(path, MOST_BYTES)) is not None
    except OSError:
        return False
