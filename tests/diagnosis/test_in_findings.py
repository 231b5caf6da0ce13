"""Every check that runs something says why it failed: the smoke test, the lint command, the image build, the load."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from preflight.diagnosis import first_cause, meaning
from preflight.probe.reading import parsed
from preflight.probe.verdict import judge
from tests.conftest import Preflight

READINGS = Path(__file__).parent.parent / "data" / "probes"


def result_of(preflight: Preflight, *words: str | Path, cwd: Path | None = None) -> dict[str, Any]:
    done = preflight("check", *words, "--json", cwd=cwd)
    assert "Traceback" not in done.err
    results: list[dict[str, Any]] = json.loads(done.out)["results"]
    return results[0]


def test_what_needs_an_image_that_does_not_build_names_the_cause_in_the_build_log(preflight: Preflight) -> None:
    """The smoke test and the probe alike."""
    only = ("run", "--only", "smoke-test,gpu-probe", "--sandbox", "--scenario", "smoke-fails", "--json")
    smoke, probe = json.loads(preflight(*only).out)["results"]
    finding = smoke["findings"][0]
    assert (smoke["name"], smoke["status"]) == ("smoke-test", "fail")
    assert "a server could not be reached" in finding["message"]
    assert "Guessing wheel URL" in finding["remedy"]
    assert "urlopen error" in finding["evidence"][0]
    assert smoke["seen"]["cause"] == "network-unreachable"
    assert (probe["name"], probe["status"]) == ("gpu-probe", "error")
    assert "a server could not be reached" in probe["reason"]
    assert "Guessing wheel URL" in probe["reason"]


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    def write(script: str) -> Path:
        (tmp_path / "quality.py").write_text(script, encoding="utf-8")
        (tmp_path / "pyproject.toml").write_text(
            '[tool.preflight.lint]\ncommand = "python3 quality.py"\n', encoding="utf-8"
        )
        return tmp_path

    return write


def test_a_quality_command_that_fails_for_a_known_cause_names_it(
    preflight: Preflight, project: Callable[[str], Path]
) -> None:
    noise = "print('ok\\n' * 50)\n"
    where = project("import sys\nprint('OSError: [Errno 28] No space left on device')\n" + noise + "sys.exit(1)\n")
    said = result_of(preflight, "project-lint", cwd=where)
    finding = said["findings"][0]
    assert "the disk is full" in finding["message"]
    assert finding["evidence"] == ["OSError: [Errno 28] No space left on device"]


def test_a_quality_command_that_fails_for_its_own_reason_is_given_no_cause(
    preflight: Preflight, project: Callable[[str], Path]
) -> None:
    where = project("import sys\nprint('src/a.py:1:1: F401 `os` imported but unused')\nsys.exit(1)\n")
    said = result_of(preflight, "project-lint", cwd=where)
    assert said["findings"][0]["message"].endswith("exit code 1") or ":" not in said["findings"][0]["message"]
    assert "what it names" in said["findings"][0]["remedy"]


def test_the_raw_load_error_of_the_probe_is_put_in_words() -> None:
    kept = json.loads((READINGS / "h200-undefined-symbol.json").read_text("utf-8"))
    reading = parsed(kept["reading"])
    reason = judge(reading, meaning).ruling.reason
    assert "undefined symbol" in reason
    assert "(the compiled extension belongs to another torch)" in reason


def test_a_raw_error_means_what_the_rules_say_and_carries_its_cure() -> None:
    title, cure = meaning("ImportError: /lib/libc.so.6: version `GLIBC_2.32' not found (required by /x/s.so)")
    assert "newer libc" in title
    assert "GLIBC_2.32" in cure


def test_an_error_of_the_users_own_is_left_as_it_is() -> None:
    assert meaning("KeyError: 'd_state'") == ("", "")
    assert first_cause(["Traceback (most recent call last):", "ZeroDivisionError: division by zero"]) is None


def test_the_lines_are_read_where_the_log_file_has_gone(tmp_path: Path) -> None:
    cause = first_cause(["fatal error: Python.h: No such file or directory"], tmp_path / "gone.log")
    assert cause is not None
    assert cause.rule == "python-headers-missing"
