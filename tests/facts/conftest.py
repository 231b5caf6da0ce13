"""An overlay for one test: what a refresh would have written, in force until the test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from preflight.facts.in_force import put_in_force

Lay = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def overlay(tmp_path: Path) -> Iterator[Lay]:
    def lay(files: Mapping[str, str | bytes]) -> Path:
        folder = tmp_path / "facts"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        put_in_force(folder)
        return folder

    yield lay
    put_in_force(None)
