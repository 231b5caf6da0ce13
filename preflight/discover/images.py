"""A recorded image as the model holds one, for a function whose image the text leaves open.

The client's commands are written out as a chain of Modal's own methods and read as any other: rules and lookups see
steps, packages and variables.  Every place is that of the expression that the text could not decide.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from preflight.app import reader
from preflight.app.model import Image, PipInstall, PipPackage, Source, Step
from preflight.discover.recording import RecordedImage
from preflight.model import Where

SLIM = re.compile(r"python:(3\.\d+)[\d.]*-slim-\w+")
FILE_OPTION = re.compile(r"(?:-r|--requirement)[ =](\S+)")
BUILDERS_UV = "ghcr.io/astral-sh/uv"  # copied by the client itself, for uv_pip_install
NOWHERE = Path("/nonexistent")  # nothing is looked for beside it


def image_of(recorded: RecordedImage, at: Where) -> Image | None:
    """None where the commands have no base."""
    text = "import modal\nimage = " + "".join(_links(recorded)) + "\n"
    found = reader.read(NOWHERE / "recorded.py", project=NOWHERE, content=text.encode("utf-8", "replace")).images
    if len(found) != 1:
        return None
    image = found[0]
    source = Source(f"{at.path} (recorded)", image.source.text, image.source.tree)
    return replace(
        image,
        variable="",
        source=source,
        where=at,
        steps=tuple(_placed(s, at) for s in image.steps),
        is_complete=image.is_complete and recorded.is_whole,
    )


def base_of(recorded: RecordedImage) -> str | None:
    return next((c.split()[1] for c in recorded.base if c.startswith("FROM ") and len(c.split()) > 1), None)


def whole(commands: Iterable[str]) -> list[str]:
    """Each command of a dockerfile with its continued lines; those of a file come line by line."""
    found: list[str] = []
    for command in commands:
        if found and found[-1].endswith("\\"):
            found[-1] = f"{found[-1][:-1]} {command}"
        else:
            found.append(command)
    return [c.replace("\\\n", " ") for c in found]


def _links(recorded: RecordedImage) -> Iterator[str]:
    base = base_of(recorded) or "scratch"
    slim = SLIM.fullmatch(base)
    if slim is not None:
        yield f"modal.Image.debian_slim(python_version={slim[1]!r})"
    elif recorded.added_python is not None:
        yield f"modal.Image.from_registry({base!r}, add_python={recorded.added_python!r})"
    else:
        yield f"modal.Image.from_registry({base!r})"
    for command in whole(recorded.commands):
        yield from _link(command, recorded)


def _link(command: str, recorded: RecordedImage) -> Iterator[str]:
    word, _, rest = command.partition(" ")
    if word == "RUN":
        yield f".run_commands({_with_files(rest, recorded)!r})"
    elif word == "ENV":
        pairs = dict(p.partition("=")[::2] for p in _words(rest) if "=" in p)
        if pairs and "TERMINFO_DIRS" not in pairs:
            yield f".env({pairs!r})"
    elif command == "ENTRYPOINT []":
        yield ".entrypoint([])"
    elif word == "WORKDIR":
        yield f".workdir({rest!r})"
    elif word != "COPY" or ("--from" in rest and BUILDERS_UV not in rest):
        yield f".dockerfile_commands({command!r})"


def _with_files(command: str, recorded: RecordedImage) -> str:
    """The command with the lines of the requirement files that the client sends along, in their place."""

    def lines(option: re.Match[str]) -> str:
        text = recorded.files.get(option[1])
        if text is None:
            return option[0]
        wanted = (line.split(" #")[0].strip() for line in text.splitlines())
        return " ".join(
            line if line.startswith("-") else shlex.quote(line) for line in wanted if line and line[0] != "#"
        )

    return FILE_OPTION.sub(lines, command)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _placed(step: Step, at: Where) -> Step:
    """Without spans: no edit of the app's text could end a finding about it."""
    return replace(
        step,
        where=at,
        call=None,
        link=None,
        arg_spans=(),
        kwarg_spans={},
        pip=tuple(_install(p, at) for p in step.pip),
        shell=tuple(replace(c, where=at, span=None) for c in step.shell),
    )


def _install(install: PipInstall, at: Where) -> PipInstall:
    packages: tuple[PipPackage, ...] = tuple(replace(p, where=at, span=None) for p in install.packages)
    return replace(install, where=at, span=None, packages=packages)
