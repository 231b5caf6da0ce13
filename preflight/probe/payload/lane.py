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
from typing import IO, Any, Callable, Optional

from .child import TAIL_CHARS, answers_in, described
from .processes import descendants, end

NOT_REACHED: dict[str, Any] = {"outcome": "not-reached", "seconds": 0.0, "value": None}
POLL_S = 0.05


class Lane(threading.Thread):
    """``step`` is what its child does now, since when and ``at`` which part of it; "" when the child has done all."""

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
        super().__init__(name=kind, daemon=True)
        self.kind, self.wanted, self.asked, self.folder = kind, steps, asked, folder
        self.deadline, self.say, self.stop = deadline, say, stop
        self.answers: dict[str, dict[str, Any]] = {}
        self.step, self.at, self.since, self.dead_after = "", "", 0.0, ""
        self._process: Optional[subprocess.Popen[bytes]] = None

    def run(self) -> None:
        try:
            left, turn = self.wanted, 0
            while left and not self.stop.is_set():
                turn += 1
                ended_in = self._ask(left, os.path.join(self.folder, str(turn)))
                # Only a child that died in one of its steps is replaced: the rest of them can still be answered.
                if ended_in not in [s["step"] for s in left]:
                    return
                left = [s for s in left if s["step"] not in self.answers]
        except Exception as error:  # ours: it is reported like any other, and the other lanes go on
            self.answers["supervisor"] = dict(NOT_REACHED, outcome="error", error=described(error))

    def _ask(self, steps: list[dict[str, Any]], room: str) -> str:
        """Runs one child.  The step it died in, or an empty text when it answered all."""
        os.makedirs(room)
        with open(os.path.join(room, "question.json"), "w") as f:
            json.dump({"kind": self.kind, "steps": steps, "request": self.asked, "parent": os.getpid()}, f)
        # the user's own model takes what it takes: compiling it, reading its data
        step_limit = float(self.asked["limit_s" if self.kind == "model" else "step_limit_s"])
        self._begin("start")
        timed_out = False
        with open(os.path.join(room, "output.txt"), "wb+") as sink, open(answers_in(room), "wb+", 0) as written:
            self._process = process = subprocess.Popen(
                [sys.executable, os.path.dirname(os.path.abspath(__file__)), "--child", room],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=dict(os.environ, PYTHONFAULTHANDLER="1", PYTHONUNBUFFERED="1"),
                start_new_session=True,
            )
            rest = b""
            while True:
                is_over = process.poll() is not None
                rest = self._read(written, rest)
                if is_over:
                    break
                now = time.monotonic()
                timed_out = now > self.deadline or now - self.since > step_limit
                if timed_out or self.stop.is_set():
                    self.kill()
                    process.wait()
                else:
                    time.sleep(POLL_S)
            size = os.fstat(sink.fileno()).st_size
            tail = os.pread(sink.fileno(), TAIL_CHARS, max(0, size - TAIL_CHARS)).decode("utf-8", "replace").strip()
        self._process = None
        if not self.step or self.dead_after:
            return self.dead_after
        code = process.returncode
        died_of = signal.Signals(-code).name if code < 0 and not timed_out else ""
        self.answers[self.step] = {
            "outcome": "time-out" if timed_out else "crash",
            "at": self.at,
            "value": None,
            "seconds": round(time.monotonic() - self.since, 3),
            "signal": died_of,
            "exit": code if code >= 0 else None,
            "output_tail": tail,
        }
        self.say("%s: %s %s" % (self.step, self.answers[self.step]["outcome"], died_of or self.at))
        return self.step

    def _begin(self, step: str, dead_after: str = "") -> None:
        self.step, self.at, self.since, self.dead_after = step, "", time.monotonic(), dead_after

    def _read(self, written: IO[bytes], rest: bytes) -> bytes:
        """Takes in what the child wrote since; the beginning of a line that is not whole yet."""
        *lines, rest = (rest + written.read()).split(b"\n")
        for line in lines:
            event = json.loads(line)
            if "begin" in event:
                self._begin(event["begin"])
                self.say("%s: started" % event["begin"])
            elif "at" in event:
                self.at = event["at"]
            elif "end" in event:
                step, is_dead = event.pop("end"), event.pop("dead")
                self.answers[step] = dict(event, at=self.at)
                self.say("%s: %s, %.1f s" % (step, event["outcome"], event["seconds"]))
                self._begin("between steps", step if is_dead else "")
            elif "done" in event:
                self.step = ""
        return rest

    def kill(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            below = descendants(process.pid)  # a model's workers may have left the group
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            end(below)
