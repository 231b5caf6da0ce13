"""project-lint really runs the command: its exit code is the verdict, its last lines the evidence."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from checks.project import lint
from preflight.model import Result, Status
from preflight.settings import LintSettings, Settings
from preflight.testing import run_check


def lint_of(command: str | None, project: Path, timeout_s: float = 20.0) -> Result:
    settings = Settings(
        project=project, environ=dict(os.environ), lint=LintSettings(command=command, timeout_s=timeout_s)
    )
    return run_check(lint.CHECK, {}, settings=settings)


def test_exit_code_0_passes_whatever_was_printed(tmp_path: Path) -> None:
    result = lint_of("echo 'error: just a word'; exit 0", tmp_path)
    assert result.status is Status.PASS
    assert not result.findings


def test_another_exit_code_fails_with_the_last_lines(tmp_path: Path) -> None:
    result = lint_of("echo src/a.py:3: E501; exit 3", tmp_path)
    assert result.status is Status.FAIL
    assert "exit code 3" in result.findings[0].message
    assert "src/a.py:3: E501" in result.findings[0].evidence


def test_a_known_cause_is_named_with_its_cure(tmp_path: Path) -> None:
    result = lint_of("echo \"ModuleNotFoundError: No module named 'causal_conv1d'\"; exit 1", tmp_path)
    assert "causal" in result.findings[0].message
    assert result.findings[0].remedy


def test_a_command_that_does_not_exist_fails_and_is_not_a_crash(tmp_path: Path) -> None:
    result = lint_of("no-such-program-here", tmp_path)
    assert result.status is Status.FAIL
    assert "no such program" in result.findings[0].message


def test_a_command_that_goes_on_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    command = f"{sys.executable} -c \"import time; time.sleep(8); open('{mark}', 'w')\""
    result = lint_of(command, tmp_path, timeout_s=0.5)
    assert result.status is Status.FAIL
    assert result.seconds < 7
    assert not mark.exists()


def test_without_a_command_it_is_skipped_and_names_the_makefiles_target(tmp_path: Path) -> None:
    assert lint_of(None, tmp_path).status is Status.SKIP
    (tmp_path / "Makefile").write_text("q:\n\truff check .\n")
    assert 'command = "make q"' in lint_of(None, tmp_path).reason
