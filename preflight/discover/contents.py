"""What is in an image, said the same way for the text's steps and for the commands that the client rendered."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from preflight.app.model import Image, PipPackage, ShellCommand, Step
from preflight.build.surroundings import LOCKED, apt_words
from preflight.discover.images import base_of, image_of, whole
from preflight.discover.recording import RecordedImage
from preflight.model import Where

NOWHERE = Where("the recording")
OTHER_METHODS = frozenset(
    {*LOCKED, "pip_install_private_repos"}
)  # rendered with files or tokens, not package by package


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
    image = image_of(recorded, NOWHERE)
    base = base_of(recorded)
    python = base.removeprefix("python:").rsplit(".", 1)[0] if base and base.startswith("python:") else None
    return replace(_contents(image) if image else Contents(None), base=base, python=python)


def _contents(image: Image) -> Contents:
    base, python = _base(image.steps[0]) if image.steps else (None, None)
    shells = [c for s in image.steps for c in s.shell]
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
        packages=frozenset(_package(p) for p in installs),
        apt=frozenset(p for s in image.steps for p in s.apt) | _apt(shells),
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


def _package(package: PipPackage) -> str:
    """One way to write it: pip and the builder differ in blanks and quotes only."""
    return "".join((package.url or package.written).split())


def _apt(shells: Iterable[ShellCommand]) -> frozenset[str]:
    return frozenset(p for command in shells for p in apt_words(command))


def _env(lines: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        if line.startswith("ENV ") and "=" in line:
            try:
                words = shlex.split(line[4:])
            except ValueError:
                continue
            found |= {k: v for k, _, v in (w.partition("=") for w in words)}
    return found
