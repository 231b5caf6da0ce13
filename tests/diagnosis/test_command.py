"""`preflight diagnose`: what it prints, what it leaves with, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import click
import jsonschema  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner, Result

import preflight.report
from preflight.cli.diagnose import diagnose_command
from tests.conftest import Preflight

SCHEMA = json.loads(
    (Path(preflight.report.__file__).parent / "schemas" / "preflight.diagnosis-1.json").read_text("utf-8")
)
ABI = (
    'epoch 0\nTraceback (most recent call last):\n  File "/root/train.py", line 3, in <module>\n'
    "ImportError: /usr/lib/python3/dist-packages/selective_scan_cuda.cpython-311-x86_64-linux-gnu.so: "
    "undefined symbol: _ZN3c104cuda9SetDeviceEab\nStopping app - uncaught exception raised locally\n"
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
    (tmp_path / "sub").mkdir()
    wanted = {
        str(tmp_path / "absent"): "No such file",
        str(tmp_path / "sub"): "is a folder without a log",
        str(tmp_path / "a.so"): "binary data",
        str(tmp_path / "empty"): "is empty",
        "-": "standard input is empty",
    }
    for log, message in wanted.items():
        ran = run(log)
        assert isinstance(ran.exception, click.UsageError), log
        assert message in ran.exception.message


APT = "E: Unable to locate package libgl1-mesa-glx\n"
APP = """import modal

app = modal.App("t")
image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-runtime-ubuntu22.04", add_python="3.11")
    .apt_install("libgl1-mesa-glx")
    .pip_install("torch==2.2.2", "mamba-ssm")
)


@app.function(
    image=image,
    gpu="T4",
)
def train(): ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"a": APT, "b": APT, "c": "epoch 1\n", "d": OWN}.items():
        (tmp_path / f"{name}.log").write_text(text)
    (tmp_path / "model.so").write_bytes(b"\x7fELF")
    return tmp_path


def test_each_cause_of_a_folder_is_shown_once_with_its_logs(folder: Path) -> None:
    ran = run(str(folder))
    assert ran.return_value == 1
    assert ran.output.count("CAUSE") == 1
    assert f"in{folder / 'a.log'},{folder / 'b.log'}" in "".join(ran.output.split())
    assert "CLEAN" in ran.output
    assert "UNKNOWN" in ran.output
    assert "model.so" not in ran.output


def test_the_document_of_several_logs_holds_one_of_each_and_groups_them(folder: Path) -> None:
    said = json.loads(run(str(folder / "a.log"), str(folder / "b.log"), str(folder / "c.log"), "--json").output)
    assert said["schema"] == "preflight.diagnoses/1"
    assert said["groups"] == [{"rule": "apt-package-missing", "logs": [str(folder / "a.log"), str(folder / "b.log")]}]
    for log in said["logs"]:
        jsonschema.validate(log["diagnosis"], SCHEMA)


@pytest.mark.parametrize(("logs", "code"), [("cd", 3), ("cc", 0), ("ad", 1)])
def test_a_known_cause_outranks_an_unknown_and_that_a_clean_log(folder: Path, logs: str, code: int) -> None:
    assert run(*(str(folder / f"{name}.log") for name in logs)).return_value == code


def test_markdown_holds_the_proof_and_the_redacted_lines_of_what_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text(f"loading API_KEY=0123456789abcdef\n{OWN}")
    ran = run(str(tmp_path / "x.log"), "--markdown")
    assert ran.return_value == 3
    assert "ValueError: [bold]no[/bold] EDF files" in ran.output
    assert "loading API_KEY=" in ran.output
    assert "0123456789abcdef" not in ran.output


@pytest.mark.parametrize(
    ("log", "place"),
    [
        (APT, "image step 2, `apt_install` (app.py:6)"),
        ("/usr/bin/ld: cannot find -lcudart\n", "the base of the image, `from_registry` (app.py:5)"),
        ("RuntimeError: FlashAttention only supports Ampere GPUs or newer.\n", "the function `train` (app.py:13)"),
        ("Collecting mamba-ssm\n  Getting requirements to build wheel ... error\n"
         "  ModuleNotFoundError: No module named 'torch'\n", "which installs `mamba-ssm` (app.py:7)"),
    ],
)  # fmt: skip
def test_with_an_app_the_fix_names_the_step_and_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: str, place: str
) -> None:
    (tmp_path / "app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    fix = json.loads(run("-", "app.py", "--json", given=log).output)["causes"][0]["remedy"]
    assert place in fix


def test_without_a_step_of_that_package_no_place_is_invented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    log = "ERROR: No matching distribution found for detectron9==1.0\n"
    assert "app.py" not in json.loads(run("-", "app.py", "--json", given=log).output)["causes"][0]["remedy"]


def test_a_rule_explains_itself_and_an_unknown_one_is_refused_with_its_neighbours() -> None:
    ran = run("--explain-rule", "apt-package-missing")
    assert ran.return_value == 0
    assert "E: Unable to locate package libgl1-mesa-glx" in ran.output
    assert "{" not in ran.output
    refused = run("--explain-rule", "apt-packge-missing")
    assert isinstance(refused.exception, click.UsageError)
    assert "apt-package-missing" in refused.exception.message


def test_a_fifo_is_read_as_a_file_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(ABI,), daemon=True)
    writer.start()
    assert run(str(tmp_path / "pipe")).return_value == 1
    writer.join(timeout=10)


def test_a_read_that_fails_midway_is_said() -> None:
    ran = run("/proc/self/mem")
    assert isinstance(ran.exception, click.UsageError)
    assert "can't be read to its end" in ran.exception.message


def test_a_name_that_a_terminal_would_obey_is_shown_as_text(tmp_path: Path) -> None:
    ran = run(str(tmp_path / "\x1b[31mred"))
    assert isinstance(ran.exception, click.UsageError)
    assert "\\x1b[31mred" in ran.exception.message


def test_more_lines_than_are_counted_are_said_to_be_at_least_so_many() -> None:
    assert "explains at least 98 other lines" in run("-", given="RuntimeError: CUDA out of memory.\n" * 5000).output


@pytest.mark.parametrize("asked", [[], ["-"]])
def test_a_closed_standard_input_is_a_usage_error(asked: list[str], preflight: Preflight) -> None:
    """Closed before the program starts; a wrapper of python in bash would open something in its place."""
    code = f"import runpy, sys; sys.stdin = None; sys.argv = ['preflight', 'diagnose', *{asked}]"
    command = [sys.executable, "-c", f"{code}; runpy.run_module('preflight', run_name='__main__')"]
    done = subprocess.run(
        command, env=preflight.environ(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "standard input is empty" in done.stderr


def test_a_closed_standard_output_keeps_the_exit_code(tmp_path: Path, preflight: Preflight) -> None:
    (tmp_path / "build.log").write_text(ABI)
    command = f"{sys.executable} -m preflight diagnose {tmp_path / 'build.log'} >&-"
    done = subprocess.run(["sh", "-c", command], env=preflight.environ(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")


def test_an_interrupt_while_it_waits_for_the_log_leaves_with_130(preflight: Preflight) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "preflight", "diagnose", "-"],
        env=preflight.environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    child.stdin.write("epoch 1\n" * 10_000)  # more than a pipe holds: when all is written, it is being read
    child.stdin.flush()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    assert "Traceback" not in err


def test_no_colour_reaches_a_pipe() -> None:
    assert "\x1b" not in run("-", given=ABI).output
