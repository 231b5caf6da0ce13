"""Start a sandbox, and stop it without leaving anything: one child process serves Modal and S3.

The child watches its standard input: when the parent ends, however it ends, the pipe closes and the child
takes its containers and its folder with it.  This module imports nothing heavy; the child does
(``serve_child``).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from preflight.model import Exit
from preflight.process import signal_group
from preflight.sandbox import state, worlds

EXAMPLE = Path(__file__).parent / "example"
READY_S = 30.0  # about 1 s on two idle cores; the rest is for a machine under load
STOP_S = 7.0  # containers get 2 s for their kill switch, 1 s after SIGTERM
SOCKET_PATH_BYTES = 80  # of 104 on macOS, 108 on Linux; a socket's own name takes 12
UNSET = frozenset(
    "MODAL_PROFILE MODAL_ENVIRONMENT MODAL_IMAGE_BUILDER_VERSION MODAL_TOKEN_ID MODAL_TOKEN_SECRET "
    "MODAL_OAUTH_REFRESH_TOKEN MODAL_OAUTH_CLIENT_ID MODAL_OAUTH_CLIENT_SECRET MODAL_OAUTH_JWT_KEY "
    "AWS_PROFILE AWS_SESSION_TOKEN AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE".split()
)


class SandboxFailed(RuntimeError):
    """The child ended, or said nothing, before it was ready; the text holds the end of its log."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The child's first word: its URLs (``s3`` empty where there is none), and doors for who has no network."""

    modal: str
    s3: str
    doors: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox: set ``environ``, unset ``removed``, before modal or botocore is imported."""

    name: str
    scenario: state.Scenario
    environ: Mapping[str, str]
    removed: frozenset[str]
    project: Path  # a fresh copy of the example, as this scenario has it; in a rehearsal the user's own
    folder: Path
    log: Path
    s3_url: str  # empty where the scenario has no bucket
    sockets: Path
    doors: Mapping[str, str]  # a unix socket for every port: the way in for a process without our network
    pid: int
    lifeline: int  # the pipe that the sandbox lives by: who inherits it keeps the sandbox running until their end

    def applied(self, environ: Mapping[str, str]) -> dict[str, str]:
        """``environ`` as it must be for a process that talks to this sandbox."""
        return {k: v for k, v in environ.items() if k not in self.removed} | dict(self.environ)


@contextmanager
def start(
    scenario: str | Path | state.Scenario, *, project: Path | None = None, state_dir: Path | None = None
) -> Iterator[Sandbox]:
    """Yields when both servers listen; on the way out ends them and what they started.

    ``project`` is the user's, in a rehearsal; without it, the example is copied.  ``state_dir`` is kept when given.
    Raises ScenarioNotFound, WrongRow, or SandboxFailed.
    """
    given = worlds.placed(scenario) if isinstance(scenario, state.Scenario) else worlds.load(scenario)
    folder = Path(tempfile.mkdtemp(prefix="pfs-")) if state_dir is None else state_dir.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    name = "rehearsal" if isinstance(scenario, state.Scenario) else str(scenario)
    sockets = _sockets_of(folder)
    command = [sys.executable, "-P", "-m", "preflight.sandbox.serve_child", str(folder), str(sockets)]
    command += ["--keep"] if state_dir is not None else []
    child: subprocess.Popen[bytes] | None = None
    try:
        project = project or _project(given, folder)
        with (folder / "sandbox.log").open("a+b") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # a Ctrl-C of the terminal is the parent's to handle
                env=_child_environ(),
            )
            assert child.stdin is not None
            ready = _wait_until_ready(child, given, log)
        environ = _environ(given, folder, ready) | {"PREFLIGHT_SANDBOX_SCENARIO": name} | dict(given.environ)
        strange = {k for k in os.environ if k.startswith(("MODAL_", "AWS_"))}
        yield Sandbox(
            name=name,
            scenario=given,
            environ=environ,
            removed=frozenset((UNSET | strange) - environ.keys()),
            project=project,
            folder=folder,
            log=folder / "sandbox.log",
            s3_url=ready.s3,
            sockets=sockets,
            doors=ready.doors,
            pid=child.pid,
            lifeline=child.stdin.fileno(),
        )
    finally:
        if child is not None:
            _stop(child, folder)
        shutil.rmtree(sockets, ignore_errors=True)
        if state_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


def serve_forever(
    scenario: str | Path | state.Scenario, say: Callable[[str], None], *, project: Path | None = None
) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP, having said the lines a shell needs.  Returns 130."""
    came: list[int] = []  # no Event: its lock may be held by the very thread that the signal interrupts
    before = {n: signal.signal(n, lambda *_: came.append(1)) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with start(scenario, project=project) as sandbox:
            for line in exports(sandbox, moves=project is None):
                say(line)
            with sandbox.log.open("rb") as log:
                while not came:
                    time.sleep(0.2)
                    if not came and not _is_alive(sandbox.pid):
                        raise SandboxFailed(f"the sandbox ended by itself: {_tail(log)}")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return int(Exit.INTERRUPTED)


def exports(sandbox: Sandbox, *, moves: bool = True) -> list[str]:
    """Lines for a POSIX shell that make it talk to the sandbox; ``moves`` takes it to the example, too."""
    import shlex

    lines = [f"export {k}={shlex.quote(v)}" for k, v in sorted(sandbox.environ.items())]
    move = [f"cd {shlex.quote(str(sandbox.project))}"] if moves else []
    return [f"unset {' '.join(sorted(sandbox.removed))}", *lines, *move]


def _child_environ() -> dict[str, str]:
    """The child finds this very package, no account of the user, and no module of the user's under a name of ours."""
    import preflight

    env = {k: v for k, v in os.environ.items() if not k.startswith(("MODAL_", "AWS_"))}
    return env | {"PYTHONPATH": str(Path(preflight.__file__).parent.parent)}


def _project(scenario: state.Scenario, folder: Path) -> Path:
    project = folder / "project"
    if project.exists():
        shutil.rmtree(project)
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in scenario.project.files.items():
        target = project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for edit in scenario.project.edits:
        target = project / edit.path
        before = target.read_text(encoding="utf-8")
        if edit.old not in before:
            raise SandboxFailed(f"{edit.path} of the example holds no {edit.old!r} for the scenario to change")
        target.write_text(before.replace(edit.old, edit.new, 1), encoding="utf-8")
    return project


def _wait_until_ready(child: subprocess.Popen[bytes], scenario: state.Scenario, log: BinaryIO) -> Ready:
    assert child.stdin is not None and child.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(json.dumps(msgspec.to_builtins(scenario)).encode() + b"\n")
        child.stdin.flush()
    readable, _, _ = select.select([child.stdout], [], [], READY_S)
    line = child.stdout.readline() if readable else b""
    if not line:
        what = f"not ready after {READY_S:g} s" if not readable else "ended before it was ready"
        raise SandboxFailed(f"the sandbox's process {what}: {_tail(log)}")
    return msgspec.json.decode(line, type=Ready)


def _tail(log: BinaryIO) -> str:
    """Of the open file: a child that fails takes its folder, and the log's name, with it."""
    size = os.fstat(log.fileno()).st_size
    text = os.pread(log.fileno(), 2000, max(0, size - 2000)).decode("utf-8", "replace")
    return text.strip() or "its log is empty"


def _environ(scenario: state.Scenario, folder: Path, ready: Ready) -> dict[str, str]:
    """What leads modal and botocore to this sandbox, and to nothing else."""
    token, storage = scenario.token, scenario.storage
    hosts = [os.environ.get("NO_PROXY") or os.environ.get("no_proxy", ""), "127.0.0.1", "localhost"]
    no_proxy, s3_url = ",".join(filter(None, hosts)), ready.s3 or state.NO_S3
    environ = {
        "MODAL_SERVER_URL": ready.modal,
        "MODAL_CONFIG_PATH": str(folder / "modal.toml"),
        "MODAL_DISABLE_API_PROXY": "1",  # with ALL_PROXY set, even 127.0.0.1 goes through the proxy
        "AWS_ACCESS_KEY_ID": storage.access_key_id,
        "AWS_SECRET_ACCESS_KEY": storage.secret_access_key,
        "AWS_REGION": storage.region,
        "AWS_DEFAULT_REGION": storage.region,
        "AWS_CONFIG_FILE": str(folder / "no-aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-aws-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        # both: what is asked of another service must not reach the real one either
        "AWS_ENDPOINT_URL": s3_url,
        "AWS_ENDPOINT_URL_S3": s3_url,
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }
    if token.given != "none":
        secret = token.secret if token.given == "right" else "as-of-another-token"
        environ |= {"MODAL_TOKEN_ID": token.id, "MODAL_TOKEN_SECRET": secret}
    return environ


def _stop(child: subprocess.Popen[bytes], folder: Path) -> None:
    """By the pipe first; whoever does not listen is killed, containers by the process ids they left."""
    containers = _container_pids(folder)
    assert child.stdin is not None and child.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        child.stdin.close()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        pass
    finally:  # on a second Ctrl-C too
        crashed = child.poll() != 0
        signal_group(child.pid, signal.SIGKILL)
        for pid in containers | _container_pids(folder) if crashed else ():
            signal_group(pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()


def _container_pids(folder: Path) -> set[int]:
    found = set()
    for path in (folder / "containers").glob("*/pid"):
        with contextlib.suppress(OSError, ValueError):
            found.add(int(path.read_text(encoding="utf-8")))
    return found


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    return False


def _sockets_of(folder: Path) -> Path:
    """A folder for unix sockets whose path is short enough, made in /tmp where ``folder`` is too deep."""
    inside = folder / "s"
    if len(os.fsencode(inside)) <= SOCKET_PATH_BYTES:
        inside.mkdir(exist_ok=True)
        return inside
    return Path(tempfile.mkdtemp(prefix="pfs-", dir="/tmp"))
