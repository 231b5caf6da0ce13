"""A recorded image as the model holds one, and what is in it, said in the same way as of one that the text holds.

The client's commands are written out as a chain of Modal's own methods and read as any other: rules and lookups see
steps, packages and variables.  Every place is that of the expression that the text could not decide.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from preflight.app import reader
from preflight.app.model import Image, Source, Step
from preflight.build.surroundings import LOCKED, apt_words
from preflight.discover.recording import RecordedImage
from preflight.model import Where

SLIM = re.compile(r"python:(3\.\d+)[\d.]*-slim-\w+")
FILE_OPTION = re.compile(r"(?:-r|--requirement)[ =](\S+)")
BUILDERS_UV = "ghcr.io/astral-sh/uv"  # copied by the client itself, for uv_pip_install
NOWHERE = Path("/nonexistent")  # nothing is looked for beside it
OTHER_METHODS = LOCKED | {"pip_install_private_repos"}  # rendered with files or tokens, not package by package


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
    installs = (
        replace(p, where=at, span=None, packages=tuple(replace(each, where=at, span=None) for each in p.packages))
        for p in step.pip
    )
    shell = tuple(replace(c, where=at, span=None) for c in step.shell)
    return replace(step, where=at, call=None, link=None, arg_spans=(), kwarg_spans={}, pip=tuple(installs), shell=shell)


@dataclass(frozen=True)
class Contents:
    """``base`` is None where it is not comparable.  Sets, since builders sort what one step installs."""

    base: str | None
    packages: frozenset[str] = frozenset()
    apt: frozenset[str] = frozenset()
    commands: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    python: str | None = None  # "3.11", of debian_slim


def of_text(image: Image) -> Contents | None:
    """None where the text does not hold all of it, or holds what the client renders from files of its own."""
    if not image.is_complete or any(s.method in OTHER_METHODS or s.is_repeated for s in image.steps):
        return None
    if not all(s.is_complete and all(p.is_complete for p in s.pip) for s in image.steps):
        return None
    return _contents(image)


def of_recording(recorded: RecordedImage) -> Contents:
    """Of the layers above the base; what the builder itself puts into the base is left out."""
    image = image_of(recorded, Where("the recording"))
    base = base_of(recorded)
    python = base.removeprefix("python:").rsplit(".", 1)[0] if base and base.startswith("python:") else None
    return replace(_contents(image) if image else Contents(None), base=base, python=python)


def _contents(image: Image) -> Contents:
    base, python = _base(image.steps[0]) if image.steps else (None, None)
    commands = [t for s in image.steps if s.method == "run_commands" for t in _strings(s.args)]
    env = {k: str(v) for s in image.steps for k, v in s.env.items()}
    for step in image.steps:
        if step.method == "dockerfile_commands":
            lines = whole(_strings(step.args))
            commands += [c.removeprefix("RUN ") for c in lines if c.startswith("RUN ")]
            env |= _env(lines)
    installs = [p for _, install in image.pip_installs() for p in install.packages]
    return Contents(
        base=base,
        # pip and the builder differ in blanks and quotes only
        packages=frozenset("".join((p.url or p.written).split()) for p in installs),
        apt=frozenset(p for s in image.steps for p in (*s.apt, *(w for c in s.shell for w in apt_words(c)))),
        commands=tuple(" ".join(c.split()) for c in commands),
        env=env,
        python=python,
    )


def _base(step: Step) -> tuple[str | None, str | None]:
    if step.method == "debian_slim":
        python = step.kwargs.get("python_version", step.args[0] if step.args else None)
        return None, ".".join(python.split(".")[:2]) if isinstance(python, str) else None
    if step.method in ("from_registry", "from_aws_ecr", "from_gcp_artifact_registry"):
        reference = step.args[0] if step.args else step.kwargs.get("tag")
        return str(reference) if isinstance(reference, str) else None, None
    return None, None


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [str(value)]
    return [s for each in value for s in _strings(each)] if isinstance(value, list | tuple) else []


def _env(lines: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        if line.startswith("ENV ") and "=" in line:
            found |= {k: v for k, _, v in (w.partition("=") for w in _words(line[4:]))}
    return found
