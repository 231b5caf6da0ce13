"""`preflight diagnose`: what it prints, what it leaves with, and what it refuses."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import click
import jsonschema  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner, Result

import preflight.report
from preflight.cli.diagnose import diagnose_command

SCHEMA = json.loads(
    (Path(preflight.report.__file__).parent / "schemas" / "preflight.diagnosis-1.json").read_text("utf-8")
)
ABI = (
    'epoch 0\nTraceback (most recent call last):\n  File "/root/train.py", line 3, in <module>\n'
    "ImportError: /x/selective_scan_cuda.cpython-311-x86_64-linux-gnu.so: undefined symbol: "
    "_ZN3c104cuda9SetDeviceEab\nStopping app - uncaught exception raised locally\n"
)
OWN = "Traceback (most recent call last):\nValueError: [bold]no[/bold] EDF files\x1b]0;owned\x07\n"


def run(*args: str, given: str | bytes = "") -> Result:
    return CliRunner().invoke(diagnose_command, args, input=given, standalone_mode=False)


def test_a_known_cause_leaves_with_1_and_shows_proof_why_and_fix() -> None:
    ran = run("-", given=ABI)
    assert ran.return_value == 1
    assert "CAUSE  the compiled extension belongs to another torch" in ran.output
    assert "4 | ImportError" in ran.output
    words = " ".join(ran.output.split())
    assert "why c10::cuda::SetDevice(signed char, bool) is in torch 2.8 to 2.15 as on PyPI" in words
    assert "fix build mamba-ssm against the torch that loads it: pip install" in words
    assert "rule torch-abi-mismatch (import), confidence high" in words


def test_the_screen_fits_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, run("-", given=ABI).output.splitlines())) <= 80


def test_an_unknown_failure_leaves_with_3_and_shows_it_as_data() -> None:
    ran = run("-", given=OWN)
    assert ran.return_value == 3
    assert "UNKNOWN" in ran.output
    assert "[bold]no[/bold]" in ran.output
    assert "\x1b" not in ran.output
    assert "CAUSE" not in ran.output


def test_a_clean_log_leaves_with_0_and_says_how_much_was_read() -> None:
    ran = run("-", given="epoch 1\nepoch 2\n")
    assert (ran.return_value, ran.output) == (0, "CLEAN  -: 2 lines, no sign of a failure\n")


@pytest.mark.parametrize(("log", "verdict", "code"), [(ABI, "known", 1), (OWN, "unknown", 3), ("ok\n", "clean", 0)])
def test_the_document_keeps_its_schema_and_is_all_of_stdout(log: str, verdict: str, code: int) -> None:
    ran = run("--json", "-", given=log)
    said = json.loads(ran.output)
    jsonschema.validate(said, SCHEMA)
    assert (said["verdict"], ran.return_value) == (verdict, code)


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "build.log").write_text(ABI)
    assert run(str(tmp_path / "build.log")).return_value == 1


def test_what_is_no_log_is_refused_with_what_was_seen(tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(b"\x7fELF\x02\x01\x01" + b"\0" * 64)
    (tmp_path / "empty").write_bytes(b"\n")
    wanted = {
        str(tmp_path / "absent"): "No such file",
        str(tmp_path): "is a folder",
        str(tmp_path / "a.so"): "binary data",
        str(tmp_path / "empty"): "is empty",
        "-": "standard input is empty",
    }
    for log, message in wanted.items():
        ran = run(log)
        assert isinstance(ran.exception, click.UsageError), log
        assert message in ran.exception.message


def test_two_logs_at_once_are_refused() -> None:
    ran = run("a.log", "--app", "ap-1")
    assert isinstance(ran.exception, click.UsageError)
    assert "one of them" in ran.exception.message


def test_an_apps_log_comes_from_the_remote_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def app_log(name: str) -> list[bytes]:
        asked.append(name)
        return [ABI.encode()]

    adapter = types.ModuleType("preflight.remote.logs_api")
    vars(adapter)["app_log"] = app_log
    monkeypatch.setitem(sys.modules, "preflight.remote.logs_api", adapter)
    assert run("--app", "ap-1").return_value == 1
    assert asked == ["ap-1"]


def test_no_colour_reaches_a_pipe() -> None:
    assert "\x1b" not in run("-", given=ABI).output
