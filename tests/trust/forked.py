"""A process that has loaded the command line once, and forks for each command: what it cost is the child's alone.

Started as `python -m tests.trust.forked`: it reads one JSON object a line, and answers with one.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
LARGEST_BYTES = 3 << 30  # of address space: what wants more ends, and the machine does not


@dataclass(frozen=True)
class Ended:
    """``code`` is None where it had not ended in time."""

    code: int | None
    cpu_s: float
    mb: float
    out: str
    err: str


class Forks:
    """The caller's side."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.trust.forked"],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, cwd: Path, *words: str, limit_s: float = 60.0, audit: str = "", **environ: str) -> Ended:
        """``audit`` is a file for the arguments and the environments of what the command starts, a JSON line each."""
        assert self.process.stdin is not None and self.process.stdout is not None
        asked = {"words": words, "cwd": str(cwd), "environ": environ, "limit_s": limit_s, "to": str(self.folder)}
        asked["audit"] = audit
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        given = json.loads(self.process.stdout.readline())
        texts = [(self.folder / name).read_text("utf-8", "replace") for name in ("out", "err")]
        return Ended(given["code"], given["cpu_s"], given["mb"], *texts)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


def serve() -> None:
    import preflight.cli.discovered
    import preflight.cli.estimate
    import preflight.cli.lint
    import preflight.cli.run  # noqa: F401 - loaded, for the children
    from preflight.cli.running.conduct import all_checks

    all_checks()
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(asked)
        print(json.dumps(_waited(pid, asked["limit_s"])), flush=True)


def _waited(pid: int, limit_s: float) -> dict[str, object]:
    ends, is_late = time.monotonic() + limit_s, False
    while True:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > ends and not is_late:
            is_late = True
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    code = None if is_late else os.waitstatus_to_exitcode(status)
    return {"code": code, "cpu_s": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / 1024}


def _audited(to: str) -> None:
    """Every program that is started is written down, with what it is given."""
    file = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def hook(event: str, given: tuple[object, ...]) -> None:
        if event not in ("subprocess.Popen", "os.exec", "os.posix_spawn"):
            return
        argv, env = given[1], given[3 if event == "subprocess.Popen" else 2]
        words = [os.fsdecode(a) for a in argv] if isinstance(argv, list | tuple) else [str(argv)]
        pairs = [f"{os.fsdecode(k)}={os.fsdecode(v)}" for k, v in dict(env or os.environ).items()]  # type: ignore[call-overload]
        os.write(file, (json.dumps({"argv": words, "env": pairs}) + "\n").encode())

    sys.addaudithook(hook)


def _run(asked: dict[str, object]) -> None:
    code = 99
    try:
        os.setsid()
        os.chdir(str(asked["cwd"]))
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(Path(str(asked["to"])) / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        os.environ.update(asked["environ"])  # type: ignore[arg-type]
        if asked["audit"]:
            _audited(str(asked["audit"]))
        resource.setrlimit(resource.RLIMIT_AS, (LARGEST_BYTES, LARGEST_BYTES))
        sys.argv = ["preflight", *asked["words"]]  # type: ignore[misc]
        from preflight.cli.main import main

        main()
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 0
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
