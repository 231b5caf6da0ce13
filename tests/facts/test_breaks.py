"""What the deprecation warnings of a modal wheel announce: name, day, and the release that drops it."""

from __future__ import annotations

from datetime import date

import pytest

from preflight.facts.refresh.breaks import announced

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
