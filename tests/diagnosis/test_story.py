"""How a log ends decides: what was caught, handled, tried again or survived is no cause, and no failure is clean."""

from __future__ import annotations

import pytest

from preflight.diagnosis import diagnose
from preflight.diagnosis.model import Verdict
from preflight.diagnosis.rules import Ending, How, rulebook
from preflight.diagnosis.story import TAIL_BYTES, how

OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
NO_KEY = "botocore.errorfactory.NoSuchKey: An error occurred (NoSuchKey) when calling the GetObject operation: none"
KINDS = [pytest.param(way, id=way.what) for way in rulebook().ending]


def traceback(error: str, last: str = "run()") -> str:
    return f'Traceback (most recent call last):\n  File "/root/train.py", line 9, in main\n    {last}\n{error}\n'


def chained(first: str, joint: str, last: str) -> str:
    return (
        f"{first}\n{joint} of the following exception:\n\n{last}"
        if "cause" in joint
        else f"{first}\n{joint}:\n\n{last}"
    )


DURING = "During handling of the above exception, another exception occurred"
DIRECT = "The above exception was the direct cause"


@pytest.mark.parametrize("way", KINDS)
def test_each_way_of_ending_knows_its_lines_and_leaves_others_alone(way: Ending) -> None:
    assert [how(text) for text in way.examples] == [way.how] * len(way.examples)
    assert way.how not in [how(text) for text in way.silent_on]


def rules(log: str) -> list[str]:
    return [c.rule for c in diagnose(log).causes]


def test_what_came_while_handling_ended_the_program() -> None:
    log = chained(
        traceback(NO_KEY), DURING, traceback("ImportError: libGL.so.1: cannot open shared object file: No such file")
    )
    assert rules(log) == ["system-library-missing"]


def test_a_handled_exception_is_not_blamed_for_an_unknown_one() -> None:
    found = diagnose(chained(traceback(NO_KEY), DURING, traceback("ZeroDivisionError: division by zero")))
    assert found.verdict is Verdict.UNKNOWN
    assert found.failure is not None
    assert found.failure.excerpt == "ZeroDivisionError: division by zero"


def test_a_handler_that_only_says_it_otherwise_leaves_the_first_as_the_cause() -> None:
    said_again = traceback(
        "RuntimeError: no checkpoint could be read", "raise RuntimeError('no checkpoint could be read')"
    )
    assert rules(chained(traceback(NO_KEY), DURING, said_again)) == ["s3-no-such-key"]


def test_of_a_direct_cause_the_first_is_the_root() -> None:
    assert rules(chained(traceback(NO_KEY), DIRECT, traceback("FileNotFoundError: last.pt")))[0] == "s3-no-such-key"


@pytest.mark.parametrize(
    "after",
    [
        "step 20 loss 0.2\nstep 30 loss 0.1\n",
        "Training finished\n",
        "Successfully installed x-1\n",
        "Saved checkpoint at step 9\n",
    ],
)
def test_what_was_survived_is_clean(after: str) -> None:
    assert diagnose(f"step 1 loss 0.4\n{traceback(OOM)}{after}").verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    "after",
    [
        "Epoch 0:   0%|          | 0/300 [00:00<?, ?it/s, loss=0.3]\n",
        "[ta-02OTHER] epoch 4 loss 0.3\n",
        "wandb:  train/loss 0.31\nwandb:  epoch 4\n",
        "[notice] A new release of pip is available\n",
        "loss nan\n",
    ],
)
def test_what_follows_a_death_is_no_sign_of_life(after: str) -> None:
    assert rules(f"step 1 loss 0.4\n{traceback(OOM)}{after}") == ["cuda-oom"]


@pytest.mark.parametrize(
    "line",
    [
        "RuntimeError caught: CUDA out of memory, skipping batch 12",
        "batch 64: CUDA out of memory, falling back to 32",
        "WARNING CUDA out of memory in a worker",
    ],
)
def test_a_failure_of_another_kind_is_not_put_on_what_was_caught(line: str) -> None:
    found = diagnose(f"{line}\nstep 2 loss 0.2\nstep 3 loss 0.1\n{traceback('ZeroDivisionError: division by zero')}")
    assert (found.verdict, found.causes) == (Verdict.UNKNOWN, ())


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        (
            f"{traceback('KeyError: 7')}torch.distributed.elastic.multiprocessing.errors.ChildFailedError:\n====\n",
            "KeyError: 7",
        ),
        ("tar: data.tar: Cannot open: No such file\ntar: Error is not recoverable: exiting now\n", "not recoverable"),
        ("╭─ Error ────────╮\n│ something new │\n╰───────────────╯\n", "something new"),
        ("cd: no\n/run.sh: 20: cd: can't cd to /app\nRunner failed with exit code: 2\n", "can't cd to /app"),
        ("gcc: schwerwiegender Fehler: keine Eingabedateien\n", "schwerwiegender"),
        ("make: *** [Makefile:9: all] Fehler 2\n", "Fehler 2"),
        (
            "slurmstepd: error: *** JOB 12 ON gpu01 CANCELLED AT 2026-01-01T10:00:00 DUE TO TIME LIMIT ***\n",
            "TIME LIMIT",
        ),
    ],
)
def test_no_failure_is_called_clean_and_the_line_behind_a_wrapper_is_shown(log: str, shown: str) -> None:
    found = diagnose(log)
    assert found.verdict is Verdict.UNKNOWN
    assert found.failure is not None
    assert shown in found.failure.excerpt


def test_a_wrapper_is_no_cause_where_what_it_wraps_is_in_the_log() -> None:
    log = "ValueError: my own\nRemoteError: Image build for im-3kQ0c2 failed. See build logs for more details.\n"
    assert diagnose(log).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("gcc: fatal error: cannot execute ‘cc1plus’: execvp: No such file or directory", "compiler-missing"),
        (
            "main.c:5:10: Schwerwiegender Fehler: Python.h: Datei oder Verzeichnis nicht gefunden",
            "python-headers-missing",
        ),
        ("main.c:5:10: 致命错误：Python.h：没有那个文件或目录", "python-headers-missing"),
        ("/usr/bin/ld: -lcudart kann nicht gefunden werden", "cuda-toolkit-incomplete"),
        ("E: Impossible de trouver le paquet libgl1-mesa-glx", "apt-package-missing"),
        ("cc1plus: error: unrecognized command-line option “-std=c++20”", "gcc-too-old"),
    ],
)
def test_other_quotes_and_languages_are_read_by_what_does_not_change(line: str, rule: str) -> None:
    assert rules(f"{line}\n")[:1] == [rule]


def test_a_message_broken_over_the_lines_of_a_box_is_read_as_one() -> None:
    box = "╭─ Error ─────╮\n│ You are trying to access a gated │\n│ repo. Ask for access.            │\n╰──╯\n"
    assert rules(box) == ["hf-access-denied"]


SYMPTOM = "ERROR: No matching distribution found for torch==9.9\n"
MECHANISM = "OSError: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("log", [SYMPTOM + MECHANISM, MECHANISM + SYMPTOM])
def test_what_names_the_mechanism_goes_before_a_symptom_on_either_side_of_it(log: str) -> None:
    [cause] = diagnose(log).causes
    assert (cause.rule, cause.explains) == ("disk-full", ("pip-no-matching-version",))


def test_a_symptom_is_the_cause_where_nothing_names_a_mechanism() -> None:
    assert rules(SYMPTOM) == ["pip-no-matching-version"]


def test_how_the_last_line_of_a_huge_log_ends_decides_over_its_begin() -> None:
    begun = traceback(OOM)
    filler = "step 1 loss 0.1\n" * (TAIL_BYTES // 14)
    assert diagnose(begun + filler).verdict is Verdict.CLEAN
    assert rules(begun + filler + traceback("RuntimeError: CUDA error: an illegal memory access was encountered")) == [
        "illegal-memory-access"
    ]


def test_kinds_that_say_nothing_are_left_to_the_rules() -> None:
    assert how("Collecting torch") is None
    assert how("ValueError: x") is How.BADLY
