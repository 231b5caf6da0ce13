"""Where uv is installed it is asked, and gives what our own resolver gives."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from preflight.radar.resolve import Place, Taken, compiled
from tests.facts.index_server import Index
from tests.radar.test_radar import index, taken  # noqa: F401 - a fixture

UV = shutil.which("uv")
pytestmark = pytest.mark.skipif(UV is None, reason="uv is not installed")


def by_uv(server: Index, *wanted: str, day: date | None = None, **installed: str) -> dict[str, str] | None:
    held = {name: Taken(name, Version(v), None, "") for name, v in installed.items()}
    found = compiled(str(UV), [server.url], [*map(Requirement, wanted)], held, Place("3.11", day))
    return None if found is None else {name: str(version) for name, (version, _) in found.items()}


@pytest.mark.parametrize("day", [None, date(2026, 9, 1)])
def test_uv_takes_what_our_resolver_takes(index: Index, tmp_path: Path, day: date | None) -> None:  # noqa: F811
    assert by_uv(index, "torch>=2.9", day=day) == taken(index, tmp_path, "torch>=2.9", day=day)


def test_uv_keeps_what_is_installed_and_fits(index: Index) -> None:  # noqa: F811
    assert by_uv(index, "einops", einops="0.8.0") == {"einops": "0.8.0"}


def test_what_uv_cannot_answer_is_left_to_our_resolver(index: Index) -> None:  # noqa: F811
    assert by_uv(index, "nosuch") is None
