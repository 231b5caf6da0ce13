"""The deployment notes that this tool began with: each of the five problems in them is named, and the cure is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from preflight.cli.lint import lint_command

SEED = Path(__file__).parents[1] / "data" / "apps" / "seed"


def lint(name: str, *options: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """The exit code, and rule → (severity, the line it points at)."""
    file = SEED / f"{name}.py"
    done = CliRunner().invoke(lint_command, [str(file), "--json", *options], standalone_mode=False)
    report = json.loads(done.stdout)
    lines = file.read_text("utf-8").splitlines()
    found: dict[str, list[tuple[str, str]]] = {}
    for result in report["results"]:
        for finding in result["findings"]:
            line = lines[finding["where"]["line"] - 1].strip()
            found.setdefault(result["name"], []).append((finding["severity"], line))
    return int(done.return_value), found


@pytest.mark.parametrize(
    ("problem", "file", "rule", "at"),
    [
        ("undefined symbol: _ZN3c104cuda14ExchangeDeviceEa", "first", "iso-ext-build-isolation", "mamba-ssm>=2.0.0"),
        ("No module named 'packaging'", "second", "iso-missing-build-deps", "--no-build-isolation 'mamba-ssm"),
        (
            "['which', 'clang++'] returned non-zero",
            "second",
            "tool-add-python-no-cc",
            "--no-build-isolation 'mamba-ssm",
        ),
        ("Timeout must be between 10s and 86400s", "first", "res-timeout-over-max", "timeout=30 * 60 * 60"),
    ],
)
def test_each_problem_of_the_notes_is_an_error_at_its_line(problem: str, file: str, rule: str, at: str) -> None:
    code, found = lint(file)
    assert code == 1
    assert [severity for severity, _ in found[rule]] == ["error"], problem
    assert at in found[rule][0][1]


def test_the_legacy_image_builder_is_named_where_it_is_known() -> None:
    _, found = lint("working", "--builder", "2024.04")
    assert [severity for severity, _ in found["bld-legacy"]] == ["warning"]
    _, found = lint("working", "--builder", "2025.06")
    assert "bld-legacy" not in found


def test_what_the_notes_call_working_lacks_causal_conv1d_a_pin_and_wheel() -> None:
    code, found = lint("working", "--builder", "2025.06")
    assert code == 1
    assert "tool-add-python-no-cc" not in found  # CC=gcc CXX=g++ stand in the command
    assert "iso-ext-build-isolation" not in found
    for rule, severity in (
        ("ver-mamba-no-causal-conv1d", "warning"),
        ("ver-ext-unpinned", "warning"),
        ("iso-missing-build-deps", "error"),
    ):
        assert found[rule][0][0] == severity
        assert "mamba-ssm>=2.0.0" in found[rule][0][1]


def test_under_a_builder_that_brings_wheel_only_the_advice_of_today_is_left() -> None:
    _, found = lint("working", "--builder", "2024.10")
    assert "iso-missing-build-deps" not in found


@pytest.mark.parametrize("builder", ["2024.10", "2025.06", "2026.10"])
def test_the_recipe_of_today_has_nothing_to_say_against_it(builder: str) -> None:
    code, found = lint("today", "--builder", builder)
    assert (code, found) == (0, {})
