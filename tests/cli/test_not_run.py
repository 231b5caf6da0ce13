"""What a rehearsal can't know is not held against the app, and what fails everywhere is."""

from __future__ import annotations

import pytest

from preflight.cli.running.not_run import not_run_here
from preflight.model import Answer


def told(*tail: str, code: int | None = 1) -> str:
    answer = Answer(summary="x", seen={"code": code, "seconds": 60.0, "tail": list(tail)})
    return not_run_here(answer, frozenset({"helper"}))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ModuleNotFoundError: No module named 'torch.cuda'", "needs torch"),
        ("RemoteError: Container exited with code 1 before it took an input: "
         "ModuleNotFoundError: No module named 'mamba_ssm'", "needs mamba_ssm"),
        ("AssertionError: Torch not compiled with CUDA enabled", "needs a GPU"),
        ("RuntimeError: Found no NVIDIA driver on your system.", "needs a GPU"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "needs the network"),
        ("ValueError: invalid literal for int() with base 10: 'stand-in-for-PORT'", "needs the real value of PORT"),
        ("│ RemoteError: registry.latest is made up in this rehearsal: what it returns is not known here │",
         "registry.latest is made up in this rehearsal: what it returns is not known here"),
        ("│ UnimplementedError: the sandbox does not simulate modal.Sandbox (SandboxCreateV2)   │",
         "the sandbox does not simulate modal.Sandbox (SandboxCreateV2)"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/data/train.csv'",
         "it stopped with FileNotFoundError: [Errno 2] No such file or directory: '/data/train.csv', "
         "on data that was made up"),
        ("make: *** [smoke] Error 2", "exit code 1: make: *** [smoke] Error 2"),
    ],
)  # fmt: skip
def test_what_is_not_here_is_named(line: str, why: str) -> None:
    assert told("Traceback (most recent call last):", line) == why


def test_the_box_around_the_clients_own_error_is_read_whole() -> None:
    box = ("╭─ Error ────────╮", "│ You are using  │", "│ '2025.06'.     │", "╰────────────────╯")
    assert told("✓ Initialized.", *box) == "exit code 1: You are using '2025.06'."


def test_a_variable_that_nobody_gives_is_named() -> None:
    assert told('  File "<frozen os>", line 679, in __getitem__', "os.environ", "KeyError: 'TOKEN'") == (
        "needs the variable TOKEN"
    )


def test_a_run_that_was_stopped_at_the_limit_had_nothing_wrong() -> None:
    assert told(code=None).startswith("it was stopped after 60 s")


@pytest.mark.parametrize(
    "line",
    [
        "NameError: name 'trian' is not defined",
        "ModuleNotFoundError: No module named 'helper'",
        "TypeError: f() got an unexpected keyword argument 'epochs'",
        "SyntaxError: invalid syntax",
        "modal.exception.ImageBuildError: Image build for im-1 failed",
    ],
)
def test_what_fails_everywhere_is_held_against_the_app(line: str) -> None:
    assert told("Traceback (most recent call last):", line) == ""
