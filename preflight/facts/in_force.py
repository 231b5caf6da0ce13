"""Which tables hold: those shipped, and over them the overlay that a refresh has written.

The overlay is a folder with files of the same names and form.  Nothing here reads a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

T = TypeVar("T")
P = ParamSpec("P")

FOLDER = Path(__file__).parent
SYMBOLS = "torch_symbols.bin"
ignored: dict[str, str] = {}  # files of the overlay that can't be used, and why
_overlay: Path | None = None
_kept: list[Callable[[], None]] = []


def kept(answer: Callable[P, T]) -> Callable[P, T]:
    """``functools.cache`` for what follows from the tables: forgotten when the overlay changes."""
    cached = cache(answer)
    _kept.append(cached.cache_clear)
    return cast("Callable[P, T]", cached)


def put_in_force(overlay: Path | None) -> None:
    """The folder that lies over the shipped tables from now on, or None.  It need not exist."""
    global _overlay  # noqa: PLW0603 - one process judges by one set of facts
    _overlay = overlay
    ignored.clear()
    for forget in _kept:
        forget()


def overlay_file(name: str) -> Path | None:
    """The overlay's file of that name; None where it has none."""
    file = _overlay / name if _overlay is not None else None
    return file if file is not None and file.is_file() else None


@kept
def digest() -> str:
    """SHA-256 over all tables in force: two reports with the same digest were judged by the same facts."""
    whole = hashlib.sha256()
    for folder in (FOLDER, _overlay):
        files = (*folder.glob("*.toml"), *folder.glob("*.bin")) if folder is not None else ()
        for table in sorted(files):
            whole.update(table.name.encode() + b"\0" + table.read_bytes() + b"\0")
    return whole.hexdigest()[:16]
