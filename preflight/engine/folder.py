"""Which files a folder holds for the static rules.  Imports no rule: a folder without Modal costs nothing more."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from preflight.app.find import SKIPPED, content_of
from preflight.settings import Settings

IMPORTS_MODAL = re.compile(rb"\b(?:import|from)\b(?:[^\n#]|\\\r?\n)*?\bmodal\b")
MOST_FILES = 50_000
MOST_BYTES = 10_000_000


@dataclass(frozen=True)
class ToLint:
    """One file to look at, with the settings of its project."""

    file: Path
    settings: Settings
    content: bytes | None = None  # given instead of the file's


class TooManyFiles(Exception):
    """A folder holds more Python files than are looked at; the text says how many that is."""


def python_files(folder: Path) -> Iterator[Path]:
    """Python files and notebooks below a folder that import modal; hidden folders, environments and build folders are
    left out.

    Raises TooManyFiles.
    """
    seen = 0
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("."))
        for name in sorted(files):
            if not name.endswith((".py", ".ipynb")):
                continue
            seen += 1
            if seen > MOST_FILES:
                raise TooManyFiles(f"more than {MOST_FILES:,} Python files are below {folder}; name smaller folders")
            path = Path(here, name)
            try:
                if not path.is_file():
                    continue  # a pipe would never end
                if IMPORTS_MODAL.search(content_of(path, MOST_BYTES)):
                    yield path
            except OSError:
                yield path  # said in the report: it could not be read
