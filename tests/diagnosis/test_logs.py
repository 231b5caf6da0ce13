"""Real logs: the first cause is the labelled one, and a log without a known cause has none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from preflight.diagnosis import diagnose
from preflight.diagnosis.model import Verdict

FILE = Path(__file__).parent.parent / "data" / "logs" / "reproduced.jsonl"
LOGS = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
FAILED = [log for log in LOGS if log["cause"] != "none"]
CLEAN = [log for log in LOGS if log["cause"] == "none"]


def case(log: dict[str, Any]) -> str:
    return str(log["id"])


@pytest.mark.parametrize("log", FAILED, ids=case)
def test_first_cause_of_a_real_log(log: dict[str, Any]) -> None:
    assert diagnose(log["log"]).causes[0].rule in {log["cause"], *log["alt_causes"]}


@pytest.mark.parametrize("log", CLEAN, ids=case)
def test_no_cause_is_reported_where_none_is_known(log: dict[str, Any]) -> None:
    assert diagnose(log["log"]).causes == ()


@pytest.mark.parametrize("log", FAILED[::4], ids=case)
def test_colour_prefixes_and_carriage_returns_change_nothing(log: dict[str, Any]) -> None:
    plain = diagnose(log["log"]).causes[0]
    dressed = "".join(f" 10%|#  | 1/10\r\x1b[31m{line}\x1b[0m\r\n" for line in log["log"].split("\n"))
    found = diagnose(dressed).causes[0]
    assert (found.rule, found.line) == (plain.rule, plain.line)
    assert "\x1b" not in found.excerpt


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_the_size_of_the_chunks_changes_nothing(size: int) -> None:
    data = FAILED[0]["log"].encode()
    chunks = (data[at : at + size] for at in range(0, len(data), size))
    assert diagnose(chunks) == diagnose(data)


def test_a_users_own_exception_is_unknown_and_shown() -> None:
    found = diagnose('Traceback (most recent call last):\n  File "a.py", line 1\nZeroDivisionError: division by zero\n')
    assert found.verdict is Verdict.UNKNOWN
    assert found.failure is not None
    assert (found.failure.line, found.failure.excerpt) == (3, "ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    "line",
    [
        "Using legacy Image Builder version 2023.12",
        "UserWarning: Attempted to use ninja as the BuildExtension backend. Falling back to distutils",
        "No CUDA runtime is found, using CUDA_HOME='/usr/local/cuda'",
        "FutureWarning: `torch.cuda.amp.autocast(args...)` is deprecated",
        "Successfully installed torch-2.5.1",
        "epoch 3 step 900 loss 0.31",
    ],
)
def test_a_benign_line_is_clean(line: str) -> None:
    assert diagnose(line + "\n").verdict is Verdict.CLEAN
