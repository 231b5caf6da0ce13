"""Real logs: the first cause is the labelled one, and a log without a known cause has none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from preflight.diagnosis import diagnose
from preflight.diagnosis.model import Verdict

FOLDER = Path(__file__).parent.parent / "data" / "logs"


def logs(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").split("\n") if line]


LOGS = logs("reproduced.jsonl")
THREADS = logs("threads.jsonl")  # written anew after public threads, each with its address
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


@pytest.mark.parametrize("log", THREADS, ids=case)
def test_a_log_of_a_public_thread_is_known_unknown_or_clean_as_its_thread_says(log: dict[str, Any]) -> None:
    found = diagnose(log["log"])
    if log["expect"] == "known":
        assert [c.rule for c in found.causes][:1] in [[c] for c in (log["cause"], *log["alt_causes"])]
    else:
        assert (found.verdict, found.causes) == (Verdict(log["expect"]), ())


@pytest.mark.parametrize("log", FAILED[::4], ids=case)
def test_colour_prefixes_and_carriage_returns_change_nothing(log: dict[str, Any]) -> None:
    plain = diagnose(log["log"]).causes[0]
    dressed = "".join(f" 10%|#  | 1/10\r\x1b[31m{line}\x1b[0m\r\n" for line in log["log"].split("\n"))
    found = diagnose(dressed).causes[0]
    assert (found.rule, found.line) == (plain.rule, plain.line)
    assert "\x1b" not in found.excerpt


def numbered(form: str, log: str) -> str:
    return "\n".join(form.format(i=i % 60, line=line) for i, line in enumerate(log.rstrip("\n").split("\n")))


DRESSES = {
    "docker build": lambda log: numbered("#12 34.5{i:02d} {line}", log),
    "GitHub Actions": lambda log: numbered("2026-11-02T10:11:{i:02d}.1234567Z {line}", log),
    "Modal task": lambda log: numbered("[ta-01ABCDEFGHJK] {line}", log),
    "journald": lambda log: numbered("Oct 04 13:19:{i:02d} gpu01 train[394]: {line}", log),
    "compose": lambda log: numbered("trainer-1  | {line}", log),
    "torchrun": lambda log: numbered("[rank3]: {line}", log),
    "another container between": lambda log: numbered("{line}\n[ta-02OTHER] epoch {i} loss 0.3", log),
    "a JSON record a line": lambda log: "\n".join(json.dumps({"log": f"{x}\n"}) for x in log.rstrip("\n").split("\n")),
    "one JSON record": lambda log: json.dumps({"ts": 1, "level": "error", "msg": log}),
}


@pytest.mark.parametrize("log", LOGS[::5], ids=case)
@pytest.mark.parametrize("dress", DRESSES)
def test_what_a_runner_puts_around_each_line_changes_nothing(log: dict[str, Any], dress: str) -> None:
    plain = [c.rule for c in diagnose(log["log"]).causes][:1]
    assert [c.rule for c in diagnose(DRESSES[dress](log["log"])).causes][:1] == plain


RESET = "WARNING: Retrying (Retry(total=4)) after connection broken by 'ConnectionResetError(104)': /simple/torch/\n"


def test_a_retry_that_came_to_something_is_no_cause() -> None:
    assert diagnose(f"{RESET}Successfully installed torch-2.10.0\n").verdict is Verdict.CLEAN


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
