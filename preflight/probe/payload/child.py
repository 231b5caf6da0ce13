"""A child: it is asked steps by its supervisor and writes what it does, line by line."""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import sys
import time
import traceback
from typing import Any, Callable

from . import blocks, gpus, installed
from .processes import end_with_parent
from .trace import hold_autotuner

TAIL_CHARS = 4000
HERE = os.path.dirname(os.path.abspath(__file__))


def answers_in(room: str) -> str:
    """The file that a child writes and its supervisor reads."""
    return os.path.join(room, "answers.jsonl")


class Answers:
    def __init__(self, room: str) -> None:
        self.last = ""
        self._file = os.open(answers_in(room), os.O_WRONLY | os.O_APPEND)

    def write(self, **line: object) -> None:
        os.write(self._file, (json.dumps(line) + "\n").encode())

    def ask(self, step: str, answer: Callable[[], Any]) -> Any:
        """The value, or None after an error, which is written down; the next step can still be asked.

        An error that leaves the CUDA context dead ends this child: what follows would only repeat it.
        """
        self.write(begin=step)
        began, value, error = time.perf_counter(), None, None
        try:
            value = answer()
        except (Exception, SystemExit) as e:  # whatever user code or a kernel raised is the answer
            error = described(e)
        about = {
            "outcome": "error" if error else "ok",
            "seconds": round(time.perf_counter() - began, 4),
            "error": error,
        }
        dead = error is not None and installed.context_is_dead()
        self.write(end=step, value=value if isinstance(value, (dict, list)) else None, dead=dead, **about)
        if dead:
            os._exit(1)
        return value

    def at(self, where: str) -> None:
        self.last = where
        self.write(at=where)


def described(error: BaseException) -> dict[str, object]:
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if not f.filename.startswith((HERE, "<frozen ")) and "importlib" not in f.filename
    ]
    return {
        "type": type(error).__name__,
        "message": str(error)[:TAIL_CHARS],
        "frames": [{"path": f.filename, "line": f.lineno or 0} for f in frames[-8:]],
    }


def child(room: str) -> None:
    with open(os.path.join(room, "question.json")) as f:
        question = json.load(f)
    request = question["request"]
    # Ends that need no help from the interpreter: the kernel's alarm, and the parent's death (which may have
    # come before this line: so the parent's id is given, not asked for here).
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(request["limit_s"]) + 30)
    end_with_parent(question["parent"])
    for path in reversed(request["paths"]):
        sys.path.insert(0, path)
    answers = Answers(room)
    ask = {"load": ask_loads, "cases": ask_cases, "model": ask_model, "gpus": gpus.ask_gpu}[question["kind"]]
    ask(answers, question["steps"], request)
    answers.write(done=True)
    os._exit(0)  # a library's exit handlers are not what was asked


def ask_loads(answers: Answers, steps: list[dict[str, Any]], request: dict[str, Any]) -> None:
    left, device = [s["step"] for s in steps], request["device"]
    if "packages" in left:
        answers.ask("packages", installed.packages)
    torch = answers.ask("import torch", lambda: importlib.import_module("torch"))
    of_torch = {
        "versions": lambda: installed.versions(torch),
        "gpu": lambda: installed.gpu(torch, device),
        "fallback": lambda: blocks.depthwise_fallback(torch, device),
    }
    for step in left:
        if step in installed.EXTENSIONS:
            answers.ask(step, functools.partial(importlib.import_module, step))
        elif step in of_torch and torch is not None:
            answers.ask(step, of_torch[step])
        elif step == "library" and torch is not None:
            # the whole package, as an app imports it; the cases import their own block's module
            mamba = answers.ask("import mamba_ssm", lambda: importlib.import_module("mamba_ssm"))
            if mamba is not None:
                about = dict(installed.library_choices(), version=str(getattr(mamba, "__version__", "")))
                answers.ask(step, lambda: about)


def _ready(answers: Answers, request: dict[str, Any], untuned: list[str]) -> Any:
    """torch with a GPU, its autotuner on one configuration unless it is asked for; None where there is none."""
    torch = answers.ask("import torch", lambda: importlib.import_module("torch"))
    if torch is None:
        return None
    if answers.ask("gpu ready", lambda: installed.reach_gpu(torch, request["device"])) is None:
        return None
    if not request["full_autotune"]:
        hold_autotuner(untuned)
    return torch


def ask_cases(answers: Answers, steps: list[dict[str, Any]], request: dict[str, Any]) -> None:
    untuned: list[str] = []
    torch = _ready(answers, request, untuned)
    for wanted in steps if torch is not None else ():
        if answers.ask("import mamba_ssm", functools.partial(installed.import_block, wanted)) is None:
            return
        answers.ask(wanted["step"], functools.partial(blocks.case, answers, torch, wanted, request, untuned))


def ask_model(answers: Answers, steps: list[dict[str, Any]], request: dict[str, Any]) -> None:
    torch = _ready(answers, request, [])
    if torch is not None:
        from . import own

        answers.ask("model", lambda: own.own_model(answers, torch, request, described))
