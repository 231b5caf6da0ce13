"""Whether this machine can confine what an app does (``confine``), and the plans for it."""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from preflight.sandbox import confine

if TYPE_CHECKING:
    from preflight.sandbox.serve import Sandbox

LAUNCHER = str(Path(confine.__file__).resolve())
OURS = str(Path(LAUNCHER).parents[2])
ASK = "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix, *sys.path]))"
SHEBANG = re.compile(rb"#!(?:/bin/sh\n'{2,3}exec' \"?)?(/[^\s\"]*python[^\s\"]*)")  # pip's form for long paths, too
LONGEST_S = 20.0  # of a start of Python under load


@functools.cache
def why_not() -> str:
    """What keeps this machine from confining an app; "" where nothing does."""
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no namespaces"
    with tempfile.TemporaryDirectory(prefix="pfc-") as folder:
        plan = Path(folder, "plan.json")
        plan.write_text(json.dumps({"folder": folder, "cwd": "/"}))
        try:
            tried = subprocess.run(
                launched(plan, ["true"]), capture_output=True, text=True, timeout=LONGEST_S, check=False
            )
        except subprocess.TimeoutExpired:
            return f"no answer after {LONGEST_S:g} s"
    return "" if tried.returncode == 0 else tried.stderr.strip() or f"exit code {tried.returncode}"


def launched(plan: Path, command: Iterable[str]) -> list[str]:
    return [sys.executable, "-P", LAUNCHER, str(plan), "--", *command]


@functools.cache
def seen_by(python: str) -> tuple[str, ...]:
    """The folders that an interpreter needs to see: its own, and those of its packages."""
    if python == sys.executable:
        paths = [sys.prefix, sys.base_prefix, *sys.path]
    else:
        asked = subprocess.run(
            [python, "-c", ASK], capture_output=True, text=True, timeout=LONGEST_S, check=True, cwd="/"
        )
        paths = json.loads(asked.stdout)
    own = {paths[0], paths[1], str(Path(python).resolve().parent)}
    packages = {p for p in paths[2:] if "-packages" in p and Path(p).is_dir()}
    linked = {str(Path(p).resolve()) for p in own | packages}
    return outermost(own | packages | linked)


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for path in sorted(paths):
        if path != "/" and not any(Path(path).is_relative_to(k) for k in kept):
            kept.append(path)
    return tuple(kept)


def of_client(
    *, folder: Path, project: Path, python: str, binds: Iterable[tuple[str, str, bool]], forwards: Mapping[str, str]
) -> confine.Plan:
    """As the user, in the project: everything is there to be read."""
    return {
        "folder": str(folder),
        "veiled": outermost(p for p in (str(project), *seen_by(python), OURS) if f"{p}/".startswith("/tmp/")),
        "binds": list(binds),
        "forwards": dict(forwards),
        "cwd": str(project),
    }


def interpreter_of(program: str, environ: Mapping[str, str]) -> str:
    """The Python that a program on the PATH runs with, where that is not ours; "" where it is, or is not named."""
    found = shutil.which(program, path=environ.get("PATH"))
    if found is None:
        return ""
    with Path(found).open("rb") as file:
        first = SHEBANG.match(file.read(1024))
    python = os.fsdecode(first[1]) if first else ""
    is_ours = not python or Path(python).parent == Path(sys.executable).parent
    return "" if is_ours or not Path(python).is_file() else python


def confining(sandbox: Sandbox, program: str, environ: Mapping[str, str]) -> dict[str, str]:
    """With a program of that name first on the PATH, which runs the next one so that it changes nothing here."""
    found = shutil.which(program, path=environ.get("PATH")) or program
    plan = sandbox.folder / "client.json"
    given = of_client(
        folder=sandbox.folder / "client",
        project=sandbox.project,
        python=sandbox.scenario.container.python or sys.executable,
        binds=[(str(sandbox.sockets), str(sandbox.sockets), True)],
        forwards=sandbox.doors,
    )
    plan.write_text(json.dumps(given), encoding="utf-8")
    path = sandbox.folder / "bin" / program
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {shlex.join(launched(plan, [found]))} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return {**environ, "PATH": os.pathsep.join([str(path.parent), environ.get("PATH", os.defpath)])}
