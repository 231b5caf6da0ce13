"""One child after another until each step has an answer; a dead child costs the step it was at."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Callable

from .child import TAIL_CHARS, described
from .processes import descendants, end

NOT_REACHED: dict[str, Any] = {"outcome": "not-reached", "seconds": 0.0, "value": None}
POLL_S = 0.05


class Lane:
    def __init__(
        self,
        kind: str,
        steps: list[dict[str, Any]],
        asked: dict[str, Any],
        folder: str,
        deadline: float,
        say: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        self.kind, self.asked, self.folder = kind, asked, folder
        self.deadline, self.say, self.stop = deadline, say, stop
        self.wanted = steps
        self.answers: dict[str, dict[str, Any]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        os.makedirs(folder)

    def work(self) -> None:
        try:
            self._work()
        except Exception as error:  # ours: it is reported like any other, and the other lanes go on
            self.answers["supervisor"] = dict(NOT_REACHED, outcome="error", error=described(error))

    def _work(self) -> None:
        turn = 0
        while not self.stop.is_set():
            left = [s for s in self.wanted if s["step"] not in self.answers]
            if not left:
                return
            turn += 1
            ended_in = self._ask(left, os.path.join(self.folder, str(turn)))
            # Only a child that died in one of its steps is replaced: the rest of them can still be answered.
            if ended_in not in [s["step"] for s in left]:
                return

    def _ask(self, steps: list[dict[str, Any]], room: str) -> str:
        """Runs one child.  The step it died in, or an empty text when it answered all."""
        os.makedirs(room)
        with open(os.path.join(room, "question.json"), "w") as f:
            json.dump({"kind": self.kind, "steps": steps, "request": self.asked, "parent": os.getpid()}, f)
        environment = dict(os.environ, PYTHONFAULTHANDLER="1", PYTHONUNBUFFERED="1")
        output = os.path.join(room, "output.txt")
        with open(output, "wb") as sink:
            command = [sys.executable, os.path.dirname(os.path.abspath(__file__)), "--child", room]
            self._process = process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=environment,
                start_new_session=True,
            )
        # the user's own model takes what it takes: compiling it, reading its data
        step_limit = float(self.asked["limit_s" if self.kind == "model" else "step_limit_s"])
        at: dict[str, Any] = {"step": "start", "since": time.monotonic(), "at": ""}
        offset, timed_out = 0, False
        while True:
            over = process.poll() is not None
            offset = self._read(os.path.join(room, "answers.jsonl"), offset, at)
            if over:
                break
            now = time.monotonic()
            timed_out = now > self.deadline or now - at["since"] > step_limit
            if timed_out or self.stop.is_set():
                self.kill()
                process.wait()
                self._read(os.path.join(room, "answers.jsonl"), offset, at)
                break
            time.sleep(POLL_S)
        self._process = None
        if not at["step"] or at.get("dead_after"):
            return str(at.get("dead_after") or "")
        code = process.returncode
        how: dict[str, Any] = {"outcome": "time-out" if timed_out else "crash", "at": at["at"], "value": None}
        how["seconds"] = round(time.monotonic() - at["since"], 3)
        how["signal"] = signal.Signals(-code).name if code < 0 and not timed_out else ""
        how["exit"] = code if code >= 0 else None
        how["output_tail"] = _tail(output)
        self.answers[at["step"]] = how
        self.say("%s: %s %s" % (at["step"], how["outcome"], how["signal"] or how["at"]))
        return str(at["step"])

    def _read(self, path: str, offset: int, at: dict[str, Any]) -> int:
        try:
            with open(path, "rb") as f:
                f.seek(offset)
                new = f.read()
        except FileNotFoundError:
            return offset
        whole, _, rest = new.rpartition(b"\n")
        for line in whole.splitlines():
            event = json.loads(line)
            if "begin" in event:
                at.update(step=event["begin"], since=time.monotonic(), at="")
                self.say("%s: started" % event["begin"])
            elif "at" in event:
                at["at"] = event["at"]
            elif "end" in event:
                self.answers[event["end"]] = dict({k: v for k, v in event.items() if k != "end"}, at=at["at"])
                self.say("%s: %s, %.1f s" % (event["end"], event["outcome"], event["seconds"]))
                at.update(step="between steps", since=time.monotonic(), at="", dead_after="")
                if event.get("dead"):
                    at["dead_after"] = event["end"]
            elif "done" in event:
                at["step"] = ""
        return offset + len(new) - len(rest)

    def kill(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            below = descendants(process.pid)  # a model's workers may have left the group
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            end(below)


def _tail(path: str) -> str:
    try:
        with open(path, "rb") as f:
            f.seek(0, os.SEEK_END)
            f.seek(max(0, f.tell() - TAIL_CHARS))
            return f.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""
