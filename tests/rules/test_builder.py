"""The Image Builder that Modal says is in force reaches every rule that depends on it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from preflight.app import reader
from preflight.app.lookups import BUILDER, RECIPE
from preflight.cli.running.conduct import BUILDER_IN_FORCE
from preflight.engine import builtin
from preflight.engine.run import run
from preflight.engine.select import Selection
from preflight.lookups import LookupFailed, World
from preflight.model import Report, Status, Target
from preflight.remote.lookups import RESOLVED_BUILDER
from preflight.settings import Settings
from tests.conftest import Preflight

OFF = 'extra_options="--no-build-isolation"'
DEVEL = 'modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")'
APP = f"""import modal
new = modal.Image.debian_slim(python_version="3.14").pip_install("torch==2.9.1")
old = modal.Image.debian_slim(python_version="3.10").apt_install("libgl1-mesa-glx")
built = {DEVEL}.pip_install("torch==2.2.2", "packaging", "numpy<2", "transformers<5")
built = built.pip_install("mamba-ssm==2.2.2", {OFF})
app = modal.App("x")
"""
AWARE = [c for c in builtin.checks() if BUILDER in c.tries]


def asked(workspace: str | None, *, settings: str | None = None) -> Report:
    """The builder-aware rules where the workspace has this builder; None: it tells nothing."""
    recipe = reader.read(Path("app.py"), project=Path(), content=APP.encode())
    world = World(
        now=datetime(2026, 11, 28, tzinfo=UTC),
        settings=Settings(app="app.py", builder=settings),
        instead={BUILDER: BUILDER_IN_FORCE},
    )
    failed = LookupFailed(RESOLVED_BUILDER, "refused")
    given = {RECIPE: recipe, RESOLVED_BUILDER: failed if workspace is None else workspace}
    return asyncio.run(run(Selection(tuple(AWARE)), world, target=Target(), given=given))


def told(report: Report) -> dict[str, list[str]]:
    return {r.check.name: [f.message for f in r.findings] for r in report.results}


def test_the_rules_that_depend_on_it_are_these() -> None:
    assert {c.name for c in AWARE} == {
        "ver-python-unsupported",
        "iso-missing-build-deps",
        "bld-legacy",
        "bld-version-unset",
        "whl-ext-outcome",
        "ver-python-eol",
        "ver-apt-gone",
        "ver-ext-torch-floor",
        "tool-add-python-no-cc",
    }


@pytest.mark.parametrize(
    ("rule", "builder", "other"),
    [
        ("ver-python-unsupported", "2023.12", "2025.06"),  # no Python 3.14 there
        ("bld-legacy", "2024.04", "2025.06"),
        ("iso-missing-build-deps", "2025.06", "2024.10"),  # no wheel in its images
        ("whl-ext-outcome", "2025.06", "2024.10"),
        ("ver-apt-gone", "2026.10", "2023.12"),  # Debian 13 lost it
    ],
)
def test_what_modal_says_decides(rule: str, builder: str, other: str) -> None:
    assert told(asked(builder))[rule] != []
    assert told(asked(other))[rule] == []


def test_nobody_is_asked_to_say_what_modal_has_said() -> None:
    assert told(asked("2025.06"))["bld-version-unset"] == []
    assert told(asked(None))["bld-version-unset"] != []


def test_the_variable_wins_over_the_workspace() -> None:
    assert told(asked("2023.12", settings="2025.06"))["bld-legacy"] == []


def test_a_builder_that_nobody_tells_blocks_no_static_rule() -> None:
    assert not {r.check.name for r in asked(None).results if r.status in (Status.BLOCKED, Status.ERROR)}


def test_a_builder_that_does_not_exist_is_refused_by_name(preflight: Preflight, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    ran = preflight("lint", "app.py", "--builder", "2023.99", cwd=tmp_path)
    assert ran.code == 2
    assert "there is no Image Builder 2023.99" in ran.err
    assert preflight("lint", "app.py", "--builder", "2023.12", cwd=tmp_path).code == 1
