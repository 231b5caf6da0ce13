"""A Python that has imported preflight, the SDKs and the sandbox already, and forks for each command line of a test.

A forked process has ids, streams, folder, environment and signals of its own, and ends as any Python does; what a test
does not pay for is the import.  What Python or the SDK decides while it starts can't be had here (``is_early``): such
a command line gets a process that starts from nothing.

Run as ``python -m tests.forked``, it reads one JSON line a command line, and answers with its pid and, at its end,
with its exit code and what it cost.  ``python -m tests.forked light`` has imported the command line alone: what a child
of it costs is what the command costs.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import io
import json
import os
import pkgutil
import resource
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

REPOSITORY = Path(__file__).resolve().parent.parent
EARLY = ("PYTHON", "LANG", "LC_", "LD_", "MODAL_PROFILE", "MODAL_LOGLEVEL", "COVERAGE")
NOWHERE = "/nonexistent/modal.toml"
LIGHT = ("platformdirs", "rich.console", "rich.table")
HEAVY = ("modal.cli.entry_point", "boto3", "moto.moto_server.werkzeug_app", "moto.s3.models", "werkzeug.serving")
BY_PATH = ("preflight.__main__", "preflight.probe.payload", "preflight.probe.standin", "preflight.sandbox.example")
WITH_SDKS = ("preflight.remote", "preflight.sandbox")


def is_early(environ: Mapping[str, str]) -> bool:
    """Whether a variable, or a configuration file that it names, counts while Python or the SDK starts."""
    ours = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    differing = {k for k in environ.keys() | ours.keys() if environ.get(k) != ours.get(k)}
    config = environ.get("MODAL_CONFIG_PATH") or str(Path(environ.get("HOME", "/nonexistent"), ".modal.toml"))
    is_linux = sys.platform.startswith("linux")  # elsewhere what the SDKs have loaded may not survive a fork
    return not is_linux or any(k.startswith(EARLY) for k in differing) or Path(config).exists()


@dataclass(frozen=True)
class Ended:
    """``code`` is None where it had not ended in time; ``mb`` is the most memory that it held."""

    code: int | None
    out: bytes
    err: bytes
    cpu_s: float = 0.0
    mb: float = 0.0


class Forks:
    """The other end of it, in the tests' process: one command line at a time."""

    def __init__(self, *kind: str) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.forked", *kind],
            cwd=REPOSITORY,
            env={k: v for k, v in os.environ.items() if not k.startswith(("MODAL_", "AWS_", "PREFLIGHT_"))}
            | {"PYTHONPATH": str(REPOSITORY), "MODAL_CONFIG_PATH": NOWHERE},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(self._close)

    def _close(self) -> None:
        assert self._server.stdin is not None
        with contextlib.suppress(OSError):
            self._server.stdin.close()
        self._server.wait(10)

    def run(
        self, words: list[str], *, cwd: Path, env: Mapping[str, str], limit_s: float, stdin: bytes = b"",
        audit: str = "", most_bytes: int = 0,
    ) -> Ended:  # fmt: skip
        """``python WORDS...``.

        ``audit`` is a file for the arguments and the environments of what it starts, a JSON line each; ``most_bytes``
        bounds its address space, in a session of its own.
        """
        with contextlib.ExitStack() as stack:
            given, out, err = (stack.enter_context(tempfile.NamedTemporaryFile()) for _ in range(3))
            given.write(stdin)
            given.flush()
            asked = {"words": words, "cwd": str(cwd), "env": dict(env), "streams": [given.name, out.name, err.name]}
            assert self._server.stdin is not None
            self._server.stdin.write(json.dumps(asked | {"audit": audit, "most_bytes": most_bytes}).encode() + b"\n")
            self._server.stdin.flush()
            pid = self._answer(60.0)
            assert pid is not None, "the forking Python does not answer"
            ended = self._answer(limit_s)
            if is_late := ended is None:
                os.kill(pid, signal.SIGKILL)
                ended = self._answer(60.0)
            code, cpu_s, mb = ended
            streams = (Path(stream.name).read_bytes() for stream in (out, err))
            return Ended(None if is_late else code, *streams, cpu_s=cpu_s, mb=mb)

    def _answer(self, limit_s: float) -> Any:
        assert self._server.stdout is not None
        readable, _, _ = select.select([self._server.stdout], [], [], limit_s)
        return json.loads(self._server.stdout.readline()) if readable else None


@functools.cache
def forks(*kind: str) -> Forks:
    return Forks(*kind)


# ---- the process that forks ---------------------------------------------------------------------------------------


def main() -> None:
    import checks
    import preflight
    from preflight.cli.running.conduct import all_checks

    without = (*BY_PATH, *WITH_SDKS) if "light" in sys.argv else BY_PATH
    names = [*LIGHT] if "light" in sys.argv else [*LIGHT, *HEAVY]
    for package in (checks, preflight):
        found = (module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))
        names += [name for name in found if not name.startswith(without)]
    for name in names:
        importlib.import_module(name)
    all_checks()
    asks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    gc.collect()
    gc.freeze()
    for line in asks:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            asks.close()
            answers.close()
            _end(functools.partial(_become, asked), asked["words"])
        answers.write(f"{pid}\n".encode())
        _, status, used = os.wait4(pid, 0)
        cost = [used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]
        answers.write(json.dumps([os.waitstatus_to_exitcode(status), *cost]).encode() + b"\n")


def _become(asked: dict[str, Any]) -> None:
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    for number, path in enumerate(asked["streams"]):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    _open_streams()
    if "modal.config" in sys.modules:
        config = sys.modules["modal.config"]
        config.user_config_path = os.environ.get("MODAL_CONFIG_PATH") or str(Path("~/.modal.toml").expanduser())
        if not asked["audit"]:
            subprocess.Popen = _Popen  # type: ignore[misc]
    if asked["audit"]:
        _audited(asked["audit"])
    if asked["most_bytes"]:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (asked["most_bytes"],) * 2)


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


def _open_streams() -> None:
    encoding = sys.stdout.encoding
    sys.stdin = io.TextIOWrapper(_raw(0, "rb"), encoding=encoding, errors=sys.stdin.errors)
    sys.stdout = io.TextIOWrapper(_raw(1, "wb"), encoding=encoding, errors=sys.stdout.errors)
    sys.stderr = io.TextIOWrapper(_raw(2, "wb"), encoding=encoding, errors="backslashreplace", line_buffering=True)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]


def _raw(number: int, mode: str) -> BinaryIO:
    return open(number, mode, closefd=False)


def _run(words: list[str]) -> None:
    """What ``python WORDS...`` would."""
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.path[0] = str(Path.cwd())
        if not hasattr(sys.modules.get(words[1]), "__path__"):
            sys.modules.pop(words[1], None)  # or runpy warns
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        sys.path[0] = ""
        exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})  # noqa: S102
    else:
        sys.argv = words
        sys.path[0] = str(Path(words[0]).resolve().parent)
        runpy.run_path(words[0], run_name="__main__")


class _Popen(subprocess.Popen[Any]):
    """As any, but that a process of ours (``python -P -m preflight...``) is forked, since it is imported already.

    Not where this process has threads: what they hold would be held for ever in the other.
    """

    def _execute_child(self, args: Any, executable: Any, preexec: Any, close: Any, keep: Any, *rest: Any) -> None:
        is_ours = isinstance(args, list) and args[:3] == [sys.executable, "-P", "-m"]
        if not is_ours or not args[3].startswith("preflight.") or threading.active_count() > 1:
            super()._execute_child(args, executable, preexec, close, keep, *rest)  # type: ignore[misc]
            return
        cwd, env, _, _, _, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, _, *_, session, _ = rest
        self.pid = os.fork()
        if self.pid == 0:
            _as_executed(args[2:], cwd, env, {0: p2cread, 1: c2pwrite, 2: errwrite}, keep, session)
        self._child_created = True
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]


def _as_executed(
    words: list[str], cwd: Any, env: Any, streams: Mapping[int, int], keep: Any, is_session: bool
) -> NoReturn:
    def become() -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
        if is_session:
            os.setsid()
        os.environ.clear()
        os.environ.update(env)
        if cwd is not None:
            os.chdir(cwd)
        held = {number: os.dup(fd) for number, fd in streams.items() if fd != -1}
        for number, fd in held.items():
            os.dup2(fd, number)
        low = 3
        for fd in sorted(keep):
            os.closerange(low, fd)
            low = fd + 1
        os.closerange(low, 4096)
        _open_streams()

    atexit._clear()  # what the process before has registered is not ours
    _end(become, words)


def _end(become: Callable[[], None], words: list[str]) -> NoReturn:
    """As Python ends: threads are waited for, exit functions run, streams are flushed; modules are not taken apart."""
    code: Any = 70
    try:
        become()
        _run(words)
        code = 0
    except SystemExit as e:
        code = e.code
    except BaseException:  # noqa: BLE001 - the process ends here, with its traceback
        traceback.print_exc()
        code = 1
    finally:
        with contextlib.suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
        if isinstance(code, str):
            print(code, file=sys.stderr)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    main()
