"""Which project a ``pip install .`` builds: by the folder it stands in, and by what was cloned to that folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name

from preflight.app import pip_args
from preflight.app.model import Image, PipInstall, PipPackage, ShellCommand, Step
from preflight.facts import packages
from preflight.facts.types import Extension

ADDRESS = re.compile(r"^(?:https?://|git@|ssh://)")
BINDINGS = ("bindings", "torch")  # of tiny-cuda-nn


def is_local(package: PipPackage) -> bool:
    """Whether it is a folder of the image."""
    url = package.url or ""
    return bool(url) and "://" not in url and not url.endswith((".whl", ".tar.gz", ".zip"))


def extension_in(image: Image, n: int, install: PipInstall, package: PipPackage) -> Extension | None:
    """The CUDA extension whose checkout ``package`` is, a local path in ``install`` of step ``n``."""
    step = image.steps[n]
    path = _standing(step, install) / (package.url or "").split("[")[0]
    parts = [p for p in path.parts if p not in (".", "/")]
    if tuple(parts[-2:]) == BINDINGS:
        parts = parts[:-2]
    if not parts or parts[-1] == "..":
        return None
    address = _cloned(image.steps[: n + 1]).get(parts[-1])
    if address is not None:
        return packages.extension_at(address)
    return packages.extension(canonicalize_name(parts[-1])) or packages.extension_of_checkout(parts[-1])


def _standing(step: Step, install: PipInstall) -> PurePosixPath:
    """The folder in which the shell runs the install; "." outside a shell string."""
    here = PurePosixPath(".")
    installs = iter(step.pip)
    for command in step.shell:
        if command.words[:1] == ("cd",) and len(command.words) > 1:
            here = here / command.words[1]
        elif _installs(command) and next(installs, None) is install:
            return here
        if command.operator == "":
            here = PurePosixPath(".")
    return PurePosixPath(".")


def _installs(command: ShellCommand) -> bool:
    found = pip_args.of_command(command.words, {}, where=command.where, span=command.span)
    return found is not None


def _cloned(steps: tuple[Step, ...]) -> dict[str, str]:
    """Name of each folder that ``git clone`` makes, with the address it came from."""
    found: dict[str, str] = {}
    for step in steps:
        for command in step.shell:
            words = command.words
            if words[:1] == ("git",) and "clone" in words[:4]:
                at = next((k for k, w in enumerate(words) if ADDRESS.match(w)), None)
                if at is not None:
                    target = words[at + 1] if len(words) > at + 1 and not words[at + 1].startswith("-") else words[at]
                    found[PurePosixPath(target).name.removesuffix(".git")] = words[at]
    return found
