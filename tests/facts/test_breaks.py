"""What a wheel of the Modal client says: what its deprecation warnings announce, and what its builders hold."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from preflight.facts.refresh.modal_client import announced
from preflight.facts.refresh.renew import Renewed, renew
from preflight.facts.refresh.source import Sources
from preflight.facts.types import BUILDERS, Builder
from preflight.remote.index.packages import PackageIndex
from tests.facts.index_server import serving

TODAY = date(2027, 1, 5)


def rows(text: str) -> list[tuple[str, date, str]]:
    return [(r.name, r.announced, r.gone_in) for r in announced(text, "modal", TODAY)]


@pytest.mark.parametrize(
    ("text", "name", "gone_in"),
    [
        ('deprecation_warning((2026, 9, 16), "`modal.NetworkFileSystem` is deprecated.")', "NetworkFileSystem", ""),
        (
            'with_deprecation_warning((2026, 9, 16), "`App.f()` will be removed in `modal` version 1.7.0")',
            "App.f",
            "1.7.0",
        ),
        ("deprecation_error((2026, 9, 16), f\"The 'old' parameter is renamed to '{new}'.\")", "old", ""),
        ('deprecation_warning((2026, 9, 16), "Use `modal.new(x=...)` instead of `modal.a.old`.")', "a.old", ""),
    ],
)
def test_a_warning_says_what_ends_and_when_it_was_announced(text: str, name: str, gone_in: str) -> None:
    assert rows(text) == [(name, date(2026, 9, 16), gone_in)]


@pytest.mark.parametrize(
    "text",
    [
        "deprecation_warning(day, message)",  # the helper itself
        'deprecation_warning((2026, 9, 16), "`.url` on tunnels; use `forward(port)`")',  # nobody's
        'deprecation_warning((2026, 9, 16), "something will change")',
        "def (",
    ],
)
def test_what_names_nothing_is_no_announcement(text: str) -> None:
    assert rows(text) == []


IMAGE_PY = """
SUPPORTED_PYTHON_SERIES: dict[str, list[str]] = {
    "PREVIEW": ["3.15", "3.15t"],
    "2031.01": ["3.14", "3.15", "3.15t"],
    "2025.06": ["3.10", "3.11", "3.12", "3.13", "3.14", "3.14t", "3.15", "3.15t"],
}
"""
BASE_IMAGES = """{"debian": {"PREVIEW": "sid", "2031.01": "forky", "2025.06": "bookworm"},
"package_tools": {"PREVIEW": "pip", "2031.01": "pip uv", "2025.06": "pip wheel uv"}}"""


def builders(name: str, members: dict[str, str], kept: Path) -> Renewed:
    pages = {"modal": [{"filename": name}]}
    with serving(pages, {name: members}) as server, PackageIndex([server.url], kept) as asked:
        (one,) = renew(Sources(asked, None, TODAY), (BUILDERS,))
    return one


def test_builders_come_from_the_newest_wheel_of_the_client(tmp_path: Path) -> None:
    name = "modal-1.9.0-py3-none-any.whl"
    members = {"modal/_image.py": IMAGE_PY, "modal/builder/base-images.json": BASE_IMAGES}
    one = builders(name, members, tmp_path)
    assert one.unread == ()
    assert one.changes == ("builder 2031.01 is new",)
    new = one.rows[-1]
    assert isinstance(new, Builder)
    assert (new.pythons, new.debian, new.slim, new.how) == (("3.14", "3.15"), "forky", ("pip", "uv"), "inferred")


def test_a_client_that_says_it_otherwise_leaves_the_rows(tmp_path: Path) -> None:
    name = "modal-1.9.0-py3-none-any.whl"
    members = {"modal/_image.py": "x = 1", "modal/builder/base-images.json": BASE_IMAGES}
    one = builders(name, members, tmp_path)
    assert one.rows == () and "does not say what its builders hold" in one.unread[0]
