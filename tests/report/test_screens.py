"""Whole screens and documents of runs that reach every line of them, colours included."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from preflight.events import Priced, Progress, SpentSoFar, Started
from preflight.model import Price, Target
from preflight.report import github, gitlab, json_v1, junit, markdown, sarif
from preflight.report.baseline import Baseline
from preflight.report.console import ConsoleReporter
from tests.report.reports import APPS, AUTH, BUCKET, SECRET, SMOKE, of, told
from tests.report.scenes import SCENES, Scene

KEPT = Path(__file__).with_name("snapshots")
DOCUMENTS: dict[str, Callable[..., str]] = {
    "json": json_v1.text,
    "sarif": sarif.text,
    "junit": junit.text,
    "gitlab": gitlab.text,
    "github": github.text,
    "markdown": markdown.text,
}


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


def drawn(scene: Scene, width: int, *, encoding: str = "utf-8", **options: bool) -> str:
    raw = io.BytesIO()
    to = io.TextIOWrapper(raw, encoding=encoding, newline="")
    baseline = None if scene.compared is None else Baseline(last=scene.compared)
    reporter = ConsoleReporter(to, width=width, baseline=baseline, **options)
    reporter.begin(scene.report.target, [r.check for r in scene.report.results])
    for event in scene.events:
        reporter.observe(event)
    for result in scene.report.results:
        reporter.observe(replace(result, settled_by=""))  # known at the end only
    reporter.finish(scene.report)
    to.flush()
    return raw.getvalue().decode(encoding).replace("\x1b[", "␛")


def same(name: str, given: str) -> None:
    given = re.sub(r'("facts_digest": )"[0-9a-f]+"', r'\1"0000000000000000"', given)
    file = KEPT / name
    if os.environ.get("PREFLIGHT_KEEP_SNAPSHOTS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(given, "utf-8")
    assert given == file.read_text("utf-8")


@pytest.mark.parametrize("name", SCENES)
def test_every_screen_is_as_it_was(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = SCENES[name]
    for variable in ("FORCE_COLOR", "NO_COLOR", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    plain = [drawn(scene, 60), drawn(scene, 80, is_quiet=True), drawn(scene, 80, encoding="ascii")]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = [drawn(scene, 80), drawn(scene, 120, is_verbose=True)]
    same(f"screens/{name}.txt", "=====\n".join(plain + coloured))


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_document_of_these_runs_is_as_it_was(kind: str) -> None:
    shown = [f"===== {name}\n{DOCUMENTS[kind](s.report, s.compared)}" for name, s in SCENES.items() if name != "every"]
    same(f"documents/{kind}.txt", "".join(shown))


def test_a_screen_shows_what_is_running_and_how_much_is_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    to = Terminal()
    reporter = ConsoleReporter(to, width=60)
    reporter.begin(Target(app="app.py"), [AUTH, SECRET, BUCKET, SMOKE])
    assert reporter.live is not None

    def shows() -> str:
        assert reporter.live is not None
        return str(reporter.live.get_renderable())

    try:
        assert shows() == "     4 to go"
        reporter.observe(Started(AUTH))
        reporter.observe(Progress("modal-auth", "asks\nModal"))
        reporter.observe(Started(AUTH))  # a second round keeps the line
        reporter.observe(Progress("smoke-test", "x" * 80))
        assert shows().splitlines() == [
            "   … modal-auth  asks Modal",
            "   … smoke-test  " + "x" * 42,
            "     4 to go",
        ]
        reporter.observe(told(AUTH))
        reporter.observe(told(SECRET))
        reporter.observe(told(BUCKET))
        assert shows() == "   … smoke-test  " + "x" * 42
        assert [line for line in to.getvalue().splitlines() if "s3-bucket" in line]
    finally:
        reporter.finish(of(told(AUTH), told(SECRET), told(BUCKET), told(SMOKE)))
    assert "asks Modal\n" not in to.getvalue()
    assert str(reporter.console.width) == "60"


def test_an_ascii_terminal_gets_ascii_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    to = Terminal()
    to.encoding = "ascii"  # type: ignore[misc]
    reporter = ConsoleReporter(to, width=60)
    reporter.begin(Target(), [AUTH])
    assert reporter.live is not None
    try:
        reporter.observe(Started(AUTH))
        assert str(reporter.live.get_renderable()) == "   ... modal-auth  "
    finally:
        reporter.finish(of(told(AUTH)))


@pytest.mark.parametrize(("width", "used"), [(10, 40), (99, 99), (400, 120)])
def test_a_screen_is_40_to_120_columns_wide(width: int, used: int) -> None:
    assert ConsoleReporter(io.StringIO(), width=width).width == used


def test_a_result_waits_for_those_before_it_and_for_what_explains_it() -> None:
    to = io.StringIO()
    reporter = ConsoleReporter(to, width=80)
    reporter.begin(Target(), [AUTH, SECRET, APPS])
    before = to.getvalue()
    blocked = next(r for r in SCENES["every"].report.results if r.check.id == "STO001")
    reporter.observe(told(APPS))
    reporter.observe(blocked)
    assert to.getvalue() == before
    reporter.observe(told(AUTH))
    names = [line.split()[2] for line in to.getvalue().removeprefix(before).splitlines()]
    assert names == ["modal-auth", "s3-secret", "stale-apps"]


def test_a_price_and_the_spending_so_far_are_told_in_whole_lines() -> None:
    to = io.StringIO()
    reporter = ConsoleReporter(to, width=60, is_verbose=True, says_next=lambda report: "go\non")
    reporter.begin(Target(), [SMOKE])
    reporter.observe(Priced(SMOKE, Price(Decimal("0.5"), "5 min of L4")))
    reporter.observe(SpentSoFar(Decimal("0.5"), 1, datetime(2026, 1, 2, tzinfo=UTC)))
    reporter.finish(of(told(SMOKE)))
    lines = to.getvalue().splitlines()
    assert "       smoke-test: up to $0.50 (5 min of L4)" in lines
    assert any(line.endswith("preflight has spent $0.50 here, in 1 paid step since 2026-01-02") for line in lines)
    assert lines[-1].split() == ["next", "go", "on"]
