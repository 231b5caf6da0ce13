"""What exactly a pass was about: one hash of the project's files, the settings and the versions.

A pass is remembered for this fingerprint and no other: one changed byte in one file that Modal could see,
another builder or another client, and the question is open again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

from preflight.settings import GIVEN_BY_US, Settings

NOT_OF_THE_APP = GIVEN_BY_US | {"record"}  # how it is looked at changes nothing of it
SKIPPED = frozenset({"node_modules", "venv", "__pycache__", "build", "dist"})
SUFFIXES = frozenset(
    ".py .toml .lock .txt .cfg .ini .yaml .yml .json .sh .cu .cuh .cpp .c .h .hpp .pyx .ipynb .env".split()
)
NAMES = frozenset({"Makefile", "Dockerfile", "Pipfile", "justfile"})
MOST_FILES = 5_000
MOST_BYTES = 100_000_000


class TooLarge(Exception):
    """The project has more than this reads: nothing is remembered about it, since a change could be missed."""


def of(settings: Settings, *, facts: Mapping[str, str | None]) -> str:
    """SHA-256 of the project's sources, its settings and ``facts`` (builder, client …).

    Raises TooLarge, and OSError when a source can't be read.
    """
    whole = hashlib.sha256()
    for name, value in sorted(facts.items()):
        _add(whole, f"fact {name}", str(value).encode())
    for key, value in _flat("", settings):
        _add(whole, f"setting {key}", value.encode())
    for name, content in _sources(settings.project):
        _add(whole, f"file {name}", content)
    return whole.hexdigest()


def _add(whole: hashlib._Hash, name: str, content: bytes) -> None:
    """Length-prefixed, so that no two different lists of entries give the same bytes."""
    for part in (name.encode(), content):
        whole.update(len(part).to_bytes(8, "big") + part)


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if prefix or field.name not in NOT_OF_THE_APP:
                yield from _flat(f"{prefix}.{field.name}", getattr(value, field.name))
    else:
        yield prefix, repr(value)


def _sources(project: Path) -> Iterator[tuple[str, bytes]]:
    count = size = 0
    for folder, folders, files in os.walk(project):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix not in SUFFIXES and name not in NAMES:
                continue
            content = path.read_bytes()
            count, size = count + 1, size + len(content)
            if count > MOST_FILES or size > MOST_BYTES:
                raise TooLarge(f"{project} has more than {MOST_FILES:,} source files or {MOST_BYTES // 10**6} MB")
            yield str(path.relative_to(project)), content
