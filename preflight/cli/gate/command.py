"""The command that the gate stands before: the program it starts, and what its words say of app and environment."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from preflight.interrupts import OURS

NOT_EXECUTABLE, NOT_FOUND = 126, 127  # as shells end


class NotRunnable(Exception):
    """``code`` is what a shell would end with."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Unreadable(click.UsageError):
    """The command starts Modal's client in a way that does not tell which app it runs: why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"which app the command runs can't be read: {why}; wanted modal [run|deploy|serve] FILE.py")


@dataclass(frozen=True)
class Named:
    """What a ``modal run FILE.py`` names; None where it names nothing, or is no command of Modal's client.

    ``apps`` are the files that its reference may mean, relative to the working folder; ``program`` is the `modal`, or
    the interpreter, whose client it is.
    """

    apps: tuple[str, ...] = ()
    environment: str | None = None
    profile: str | None = None
    program: str | None = None


# The options of Modal's client 1.6.4, as its own CLI declares them: a test holds them against the installed client.
VALUE, FLAG = False, True
GLOBAL = {"--profile": VALUE}
VERBS: dict[str, dict[str, bool]] = {
    "run": {
        **dict.fromkeys(("-n", "--name", "-w", "--write-result", "-e", "--env"), VALUE),
        **dict.fromkeys(("-q", "--quiet", "-d", "--detach", "-i", "--interactive", "-m", "--timestamps"), FLAG),
    },
    "deploy": {
        **dict.fromkeys(("--name", "-e", "--env", "--tag", "--strategy"), VALUE),
        **dict.fromkeys(("--stream-logs", "-m", "--timestamps", "--staged"), FLAG),
    },
    "serve": {
        **dict.fromkeys(("-n", "--name", "--timeout", "-e", "--env"), VALUE),
        **dict.fromkeys(("-m", "--timestamps"), FLAG),
    },
}
HARMLESS = frozenset(  # commands that start nothing of an app
    "app billing changelog config dashboard dict environment image nfs profile queue secret token volume"
    " workspace".split()
)
LAUNCHERS = re.compile(
    r"(?:.*/)?(?:python[0-9.]*|uv|uvx|poetry|pdm|hatch|pipx|rye|pixi|run|-m|--with|--frozen|--locked)"
)
STARTS_MODAL = re.compile(r"\bmodal['\"]?\s(?:.*\s)?['\"]?(?:run|deploy|serve|shell|launch|cluster|container)\b", re.S)


def find(program: str, path: str | None = None) -> str:
    """The program's path, as the project's own commands find it; what stands beside our own Python comes last.

    Raises NotRunnable.
    """
    beside = str(Path(sys.executable).parent)
    found = shutil.which(program, path=path) or shutil.which(program, path=beside)
    if found is not None:
        return found
    if os.sep in program and Path(program).exists():
        raise NotRunnable(NOT_EXECUTABLE, f"{program} can't be executed")
    raise NotRunnable(NOT_FOUND, f"{program}: command not found")


def read(words: Sequence[str]) -> Named:
    """Of ``modal run``, ``python -m modal run``, ``uv run modal deploy`` …  Raises Unreadable."""
    at = next((n for n, word in enumerate(words) if word.rsplit("/", 1)[-1] == "modal"), None)
    if at is None or not all(LAUNCHERS.fullmatch(word) for word in words[:at]):
        if STARTS_MODAL.search(" ".join(words)):
            raise Unreadable("it starts modal through another program")
        return Named()
    options, rest = _parsed(GLOBAL, words[at + 1 :], is_group=True)
    verb = rest[0] if rest else ""
    if not verb or verb in HARMLESS:
        return Named(profile=options.get("--profile"))
    if verb not in VERBS:
        raise Unreadable(f"`modal {verb}` may run what the checks have not seen")
    given, rest = _parsed(VERBS[verb] | GLOBAL, rest[1:], is_group=verb == "run")
    reference = rest[0] if rest else ""
    environment = given.get("--env") or given.get("-e")
    profile = given.get("--profile") or options.get("--profile")
    program = words[at - 2] if words[max(at - 1, 0)] == "-m" and at > 1 else words[at]
    return Named(_files(reference, is_module="-m" in given), environment, profile, program)


def _parsed(options: Mapping[str, bool], words: Sequence[str], *, is_group: bool) -> tuple[dict[str, str], list[str]]:
    """Options by name, and the other words, in the client's own grammar (Click's).  Raises Unreadable."""
    params: list[click.Parameter] = [
        click.Option([name, f"o{n}"], is_flag=is_flag) for n, (name, is_flag) in enumerate(options.items())
    ]
    command = click.Command("modal", params=params, add_help_option=False)
    context = click.Context(command, allow_interspersed_args=not is_group)
    try:
        given, rest, _ = command.make_parser(context).parse_args(list(words))
    except click.UsageError as e:
        raise Unreadable(e.format_message()) from e
    names = list(options)
    return {names[int(key[1:])]: str(value) for key, value in given.items() if value is not None}, rest


def _files(reference: str, *, is_module: bool) -> tuple[str, ...]:
    """Where a module stands; a file's own name.  Raises Unreadable."""
    name = reference.split("::")[0]
    if not name or name == "-":
        raise Unreadable("it names no file")
    if not is_module and (name.endswith(".py") or "/" in name):
        return (name,)
    path = name.replace(".", "/")
    return (f"{path}.py", f"{path}/__init__.py")


def become(
    program: str,
    words: Sequence[str],
    environ: Mapping[str, str],
    *,
    folder: Path | None = None,
    lifeline: int | None = None,
) -> NoReturn:
    """This process becomes the command: its terminal, signals and exit code are then its own.

    ``lifeline`` is a pipe that it inherits.  Raises NotRunnable.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    OURS.restore()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and what is ignored stays so
        signal.signal(number, signal.SIG_DFL)
    if lifeline is not None:
        os.set_inheritable(lifeline, True)
    if folder is not None:
        os.chdir(folder)
        environ = {**environ, "PWD": str(folder)}
    try:
        os.execve(program, list(words), environ)
    except FileNotFoundError as e:  # a script whose interpreter is gone ends the same way in a shell
        raise NotRunnable(NOT_FOUND, f"{program}: {e.strerror}") from e
    except OSError as e:
        raise NotRunnable(NOT_EXECUTABLE, f"{program}: {e.strerror}") from e
