"""The README holds: its picture, its numbers, its commands, its settings."""

from __future__ import annotations

import asyncio
import html
import io
import os
import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from preflight.cli.main import COMMANDS, EXAMPLES
from preflight.cli.running.audience import all_checks
from preflight.engine.files import judge, recipe_of, static_rules
from preflight.engine.folder import ToLint
from preflight.engine.index import listed
from preflight.model import Report, Stage, Status, Target
from preflight.report.console import MARKS, ConsoleReporter
from preflight.sandbox import worlds
from preflight.settings import Settings, parse

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PICTURE = ROOT / ".github" / "screen.svg"
APP = ROOT / "tests" / "data" / "readme" / "app.py"
COLUMNS = 100


def red_screen() -> Console:
    """`preflight lint` of an app with four mistakes, on a terminal that keeps what it shows; no time is in it."""
    rules = static_rules(all_checks({Stage.STATIC}))
    settings = Settings(project=APP.parent, app=APP.name)
    results = asyncio.run(judge(rules, recipe_of(ToLint(APP, settings)), settings))
    results = tuple(replace(r, seconds=0.0) for r in results)
    started = datetime(2026, 1, 1, tzinfo=UTC)
    whole = Report(target=Target(app=APP.name), started=started, seconds=1.0, results=results)
    reporter = ConsoleReporter(io.StringIO(), width=COLUMNS)
    reporter.to = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    screen = Console(
        file=io.StringIO(), record=True, width=COLUMNS, force_terminal=True, color_system="truecolor", highlight=False
    )
    reporter.console = screen  # type: ignore[assignment]
    screen.print(f"$ preflight lint {APP.name}", style="bold")
    reporter.begin(whole.target, [r.check for r in whole.results])
    for result in whole.results:
        reporter.observe(result)
    reporter.finish(whole)
    return screen


def words_of(svg: str) -> str:
    shown = "\n".join(re.findall(r"<text[^>]*terminal[^>]*>(.*?)</text>", svg, re.S))
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", shown)).replace("\xa0", " ").split())


def test_the_picture_is_what_the_tool_shows() -> None:
    """PREFLIGHT_KEEP_SNAPSHOTS=1 draws it anew."""
    screen = red_screen()
    svg = re.sub(r"@font-face \{.*?\}\s*", "", screen.export_svg(title="preflight", clear=False), flags=re.S)
    if os.environ.get("PREFLIGHT_KEEP_SNAPSHOTS"):
        PICTURE.write_text(svg, "utf-8")
    assert words_of(PICTURE.read_text("utf-8")) == words_of(svg)
    assert "NOT READY" in words_of(svg)
    assert "screen.svg" in README


def test_every_mark_of_the_screen_is_in_the_table() -> None:
    for status in Status:
        assert f"| {MARKS[status][0]} | {MARKS[status][2]} |" in README


def test_the_numbers_are_those_of_the_tool() -> None:
    found = re.search(r"come (\d+) checks in all", README)
    assert found and abs(int(found[1]) - len(listed())) <= 10, f"{len(listed())} checks"  # a round number ages slower
    assert f"names {len(worlds.names())} worlds" in README


def test_every_command_of_the_readme_is_there_and_every_command_is_in_it() -> None:
    named = set(re.findall(r"preflight ([a-z][a-z-]+)\b", "\n".join(re.findall(r"```\w*\n(.*?)```", README, re.S))))
    assert named <= set(COMMANDS)
    assert set(COMMANDS) <= named
    assert set(COMMANDS) <= set(EXAMPLES)


def test_the_checklist_is_that_of_the_tool() -> None:
    for check in listed():
        if check.step is not None:
            assert f"| {check.step} | {check.name} |" in README


def test_the_settings_of_the_readme_can_be_loaded() -> None:
    text = re.search(r"```toml\n(.*?)```", README, re.S)
    assert text is not None
    parse(tomllib.loads(text[1])["tool"]["preflight"], file=Path("README.md"), project=ROOT)


def test_the_second_command_is_what_ci_runs() -> None:
    make = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]'"
    command = f"{make} && .venv/bin/python -m pytest -q -n 3 --dist loadfile"
    assert f"```\n{command}\n```" in README
    assert command in (ROOT / ".ci" / "run").read_text("utf-8")
