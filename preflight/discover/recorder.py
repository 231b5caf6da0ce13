"""Records one app: the real `modal deploy FILE` against our own plane, in a child process that can reach nothing else.

It executes the user's top level, as `modal run` and `modal deploy` do.  So it is asked for (`--record`), bounded,
without credentials, without a network, where the machine can do it without a file of its own to change, and whatever
the top level starts is ended with it.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from packaging.version import Version

from preflight.app.lookups import READING
from preflight.app.model import Recipe
from preflight.discover.recording import LIMIT_S, Answer, Deploy, Order, Recording, Started, line, read, together
from preflight.lookups import Looked, Lookup
from preflight.model import Where
from preflight.process import signal_group
from preflight.redact import is_secret_name, without_secrets
from preflight.settings import Settings

START_S = 20.0  # until the child serves, under load
STOP_S = 5.0
LONGEST_ANSWER = 256 * 2**20  # bytes; a row a mount lists its files
OUTPUT_LINES = 12
OURS = str(Path(__file__).resolve().parents[2])
MOST_APPS = 8
OLDEST_CLIENT = Version("1.2")  # `modal deploy` of 1.2.6 was recorded with it, 2026-11-28
ASKS_THE_SERVER = frozenset(  # what only a real workspace can answer; the app is not wrong
    "NotFoundError UnimplementedError PermissionDeniedError ConflictError ServiceError InternalError "
    "AuthError ConnectionError ResourceExhaustedError AlreadyExistsError StreamTerminatedError".split()
)
STAND_IN = "withheld-while-preflight-records"
KEPT = frozenset({"AWS_REGION", "AWS_DEFAULT_REGION", "MODAL_ENVIRONMENT"})
LEFT_OUT = ("MODAL_", "AWS_", "PREFLIGHT_")
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY"})


class Obstacle(StrEnum):
    """What kept an app from being recorded.  Only the first two would keep it from being deployed too."""

    RAISED = "raised"
    EXITED = "exited"
    VARIABLE = "variable"  # of the environment, which is not set here
    MODULE = "module"  # that the Python running preflight does not have
    NETWORK = "network"
    SERVER = "server"
    TIME = "time"


@dataclass(frozen=True, kw_only=True)
class NotRecorded:
    """``message`` is the exception in one line; ``where`` and ``line`` the user's own line that it came from."""

    obstacle: Obstacle
    message: str
    where: Where | None = None
    line: str = ""
    output: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def is_the_apps(self) -> bool:
        return self.obstacle in (Obstacle.RAISED, Obstacle.EXITED)


class RecorderBroken(Exception):
    """The machinery failed, and nothing is known of the app; the text holds the end of what it said."""


async def record(deploy: Deploy, environ: Mapping[str, str]) -> Recording | NotRecorded:
    """One deploy, recorded.  Raises RecorderBroken."""
    folder = _folder()
    try:
        answer = await _answer(deploy, environ, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return answer.recording if answer.code == 0 and answer.recording else _failure(deploy, answer)


def _folder() -> Path:
    """In /tmp where there is one: the path of a unix socket must stay under 104 bytes."""
    return Path(tempfile.mkdtemp(prefix="pfr-", dir="/tmp" if Path("/tmp").is_dir() else None)).resolve()


async def _answer(deploy: Deploy, environ: Mapping[str, str], folder: Path) -> Answer:
    clean = _scrubbed(environ, folder=str(folder), builder=deploy.builder, environment=deploy.environment)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "preflight.sandbox.recording_child",
        cwd=folder,
        env=clean | {"PYTHONPATH": OURS},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C of the terminal is ours to handle
        limit=LONGEST_ANSWER,
    )
    assert child.stdin is not None and child.stdout is not None and child.stderr is not None
    pid: int | None = None
    limit_s = START_S + deploy.limit_s + STOP_S
    try:
        child.stdin.write(line(Order(deploy=deploy, folder=folder, environ=clean)))
        with contextlib.suppress(ConnectionError):
            await child.stdin.drain()
        async with asyncio.timeout(limit_s):
            if started := await child.stdout.readline():
                pid = read(started, Started).pid
            answer = await child.stdout.readline()
        if not answer:
            error = (await child.stderr.read(100_000)).decode("utf-8", "replace").strip().splitlines()
            raise RecorderBroken("the recorder ended without an answer: " + (error[-1] if error else "it said nothing"))
        return read(answer, Answer)
    except TimeoutError as e:
        raise RecorderBroken(f"the recorder said nothing for {limit_s:g} s") from e
    except ValueError as e:
        raise RecorderBroken(f"the recorder's answer can't be read: {e}") from e
    finally:
        await _end(child, pid)


def _scrubbed(environ: Mapping[str, str], *, folder: str, builder: str, environment: str | None) -> dict[str, str]:
    """The environment that the user's top level sees: theirs, without what could act in their name.

    A variable that is a secret by its name or shape keeps its name and gets a stand-in, so that code which only reads
    it goes on.  HOME stays: an app may well mount a folder below it, and nothing read there can leave (the network is
    closed, and of a secret only the keys are kept).  ``folder`` is a fresh one for temporary files; the configuration
    files named in it are not there.
    """
    kept: dict[str, str] = {}
    for name, value in environ.items():
        upper = name.upper()
        if upper in PROXIES:
            continue
        if is_secret_name(name) and not upper.startswith("MODAL_"):
            kept[name] = STAND_IN
        elif upper in KEPT or not upper.startswith(LEFT_OUT):
            kept[name] = value if without_secrets(value) == value else STAND_IN
    kept |= {
        "MODAL_CONFIG_PATH": f"{folder}/no-modal.toml",
        "MODAL_DISABLE_API_PROXY": "1",
        "MODAL_IMAGE_BUILDER_VERSION": builder,
        "MODAL_TRACEBACK": "1",  # the user's exception itself, instead of a box around it
        "AWS_CONFIG_FILE": f"{folder}/no-aws-config",
        "AWS_SHARED_CREDENTIALS_FILE": f"{folder}/no-aws-credentials",
        "AWS_EC2_METADATA_DISABLED": "true",
        "TMPDIR": folder,
        "PYTHONDONTWRITEBYTECODE": "1",  # no __pycache__ in the user's project
        "TERM": "dumb",
        "NO_COLOR": "1",
    }
    return kept | ({"MODAL_ENVIRONMENT": environment} if environment else {})


async def _end(child: asyncio.subprocess.Process, deploy: int | None) -> None:
    """By the pipe first: the child takes the deploy with it.  One that was itself killed can't, so we do."""
    assert child.stdin is not None
    child.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_S):
            await child.wait()
    if child.returncode != 0:
        for group in (child.pid, deploy):
            if group is not None:
                signal_group(group, signal.SIGKILL)
        await child.wait()


def _failure(deploy: Deploy, answer: Answer) -> NotRecorded:
    output = tuple(line.rstrip() for line in answer.output.splitlines() if line.strip())[-OUTPUT_LINES:]
    where, line = _place(answer.report.frames, deploy.project)
    obstacle, message = _obstacle(deploy, answer)
    if obstacle is Obstacle.EXITED and answer.report.raised == "SystemExit":
        # of the user's own line, or Click's after it has said what is wrong
        exits = f"`modal deploy` exits ({message}): {output[-1] if output else 'it printed nothing'}"
        message = exits if where is None else f"its top level exits ({message}) before Modal has seen an app"
    return NotRecorded(
        obstacle=obstacle, message=message, where=where, line=line, output=output, seconds=answer.seconds
    )


def _obstacle(deploy: Deploy, answer: Answer) -> tuple[Obstacle, str]:
    code, report, last = answer.code, answer.report, answer.last_request
    raised, message, refused = report.raised, " ".join(report.message.split()), [r for r in report.refused if r]
    if code is None:
        doing = f"its last request was {last}" if last else "its top level had not ended"
        return Obstacle.TIME, f"`modal deploy` had not ended after {deploy.limit_s:g} s: {doing}"
    if raised is None:
        ended = f"signal {-code}" if code < 0 else f"exit code {code}"
        return Obstacle.EXITED, f"the process ended with {ended} in the app's top level, without an exception"
    if raised == "SystemExit":
        return Obstacle.EXITED, message
    shown = f"{raised}: {message}" if message else raised
    if refused:
        return Obstacle.NETWORK, f"{shown} (asked for {', '.join(refused[:3])})"
    if raised == "KeyError" and report.frames and "frozen os" in report.frames[-1][0]:
        return Obstacle.VARIABLE, message.strip("'\"")
    if raised == "ModuleNotFoundError":
        return Obstacle.MODULE, message
    is_servers = raised in ASKS_THE_SERVER or "records and runs no function" in message
    return Obstacle.SERVER if is_servers else Obstacle.RAISED, shown


def _place(frames: Sequence[tuple[str, int]], project: Path) -> tuple[Where | None, str]:
    """The innermost line of a file in the project, and its text."""
    for name, number in reversed(frames):
        file = project / name  # as it is, where it is absolute
        try:
            shown = str(file.resolve().relative_to(project.resolve()))
            if "site-packages" in file.parts or not file.is_file():
                continue
            lines = file.read_text("utf-8", "replace").splitlines()
        except (OSError, ValueError):
            continue
        return Where(shown, number), lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return None, ""


async def record_file(recipe: Recipe, settings: Settings, *, limit_s: float = LIMIT_S) -> Recording | NotRecorded:
    """Every app of the file that was read, one after the other within one limit.  Raises RecorderBroken."""
    found: list[Recording] = []
    left_s = limit_s
    for reference in _references(recipe):
        deploy = Deploy(
            words=("deploy", *reference),
            project=settings.project.resolve(),
            builder=settings.builder or settings.image_builder.minimum,
            environment=settings.environment,
            limit_s=max(1.0, left_s),
            python=_python(settings),
        )
        one = await record(deploy, settings.environ or os.environ)
        if isinstance(one, NotRecorded):
            return one
        found.append(one)
        left_s -= one.seconds
    return together(found)


def _python(settings: Settings) -> str | None:
    """The project's own interpreter, which has what its top level imports; ours where its client is too old for it."""
    project = settings.interpreter
    if project is None or project.client is None or Version(project.client.version) < OLDEST_CLIENT:
        return None
    return str(project.python)


def _references(recipe: Recipe) -> list[tuple[str, ...]]:
    """How `modal deploy` is told of each app: FILE::variable, by module where the file imports relatively."""
    path = recipe.source.path
    tree = recipe.source.tree
    is_module = tree is not None and any(isinstance(n, ast.ImportFrom) and n.level > 0 for n in tree.body)
    mine = [a for a in recipe.apps if a.where.path == path and a.variable.isidentifier()]
    variables = list(dict.fromkeys(a.variable for a in mine))[:MOST_APPS] or ["app"]
    file = ".".join(Path(path).with_suffix("").parts) if is_module else path
    nameless = {a.variable for a in mine if a.name is None}
    return [
        (*(("-m",) if is_module else ()), *(("--name", "nameless") if v in nameless else ()), f"{file}::{v}")
        for v in variables
    ]


async def _recording(looked: Looked) -> Recording | NotRecorded | None:
    recipe = looked[READING]
    if not looked.settings.record or recipe.broken:
        return None
    looked.say("running the app's top level against a local Modal")
    return await record_file(recipe, looked.settings)


RECORDING: Lookup[Recording | NotRecorded | None] = Lookup(
    "the app's recording", _recording, needs=(READING,), timeout_s=2 * LIMIT_S, is_fixed=True
)


async def _filled(looked: Looked) -> Recipe:
    recipe, recording = looked[READING], looked.tried(RECORDING)
    if isinstance(recording, Recording):
        from preflight.discover.merge import filled

        recipe = filled(recipe, recording)
    return recipe


FILLED_RECIPE: Lookup[Recipe] = Lookup(
    "the app's recipe", _filled, needs=(READING,), tries=(RECORDING,), timeout_s=30.0
)
