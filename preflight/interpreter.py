"""Whose Python and whose Modal client: the project's own, which need not be the ones preflight runs in.

preflight may live in an environment of its own (``uvx``, ``pipx``, a hook).  What is the project's runs with the
project's interpreter.  It is found by reading files; nothing is started.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BUILDER_FOLDERS = ("builder", "requirements")  # of the package; `requirements` in client 1.0.5
BUILDER_FILE = re.compile(r"(\d{4}\.\d{2})\.txt")
DIST_INFO = re.compile(r"modal-(\d[^-]*)\.dist-info")
LOCKED = re.compile(r'^name = "modal"\r?\nversion = "([^"\n]+)"', re.M)
POETRY_NAME = re.compile(r'^\[tool\.poetry\][^\[]*?^name\s*=\s*["\']([^"\']+)', re.M)
PROJECT_NAME = re.compile(r'^\[project\][^\[]*?^name\s*=\s*["\']([^"\']+)', re.M)
LOCKS = ("uv.lock", "poetry.lock")
MOST_LOCK_BYTES = 20_000_000
OURS = "preflight's own"


class NoInterpreter(Exception):
    """The interpreter that the settings name is not there; the text says so."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """A Modal client as its files say it: version, and the Image Builders it knows, oldest first."""

    version: str
    builders: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """The project's.  ``found_by`` is where it was found; ``client`` is what `modal` means there.

    ``path`` is the PATH for the project's commands; ``locked`` the client that the project's lock file pins.
    """

    python: Path
    found_by: str
    path: str
    client: Client | None
    locked: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether preflight asks Modal with the very client that the project's commands run."""
        return _same(self.python.parent.parent, Path(sys.prefix))

    @property
    def version(self) -> str:
        """Of the client that the project's commands run; the lock's where none is installed; "" when neither says."""
        return self.client.version if self.client else self.locked or ""


def find(project: Path, environ: Mapping[str, str], *, configured: str | None = None) -> Interpreter:
    """The project's interpreter.  Raises NoInterpreter for a configured one that is not there."""
    python, found_by = _found(project, environ, configured)
    here = Path(sys.executable).parent
    theirs = [p for p in environ.get("PATH", os.defpath).split(os.pathsep) if p and not _same(Path(p), here)]
    beside = [] if found_by == OURS else [str(python.parent)]
    path = os.pathsep.join(dict.fromkeys([*beside, *theirs, str(here)]))  # a tool's own folder comes last
    command = shutil.which("modal", path=path)
    client = client_of(Path(command)) if command else None
    return Interpreter(
        python=python,
        found_by=found_by,
        path=path,
        client=client or (None if command else client_of(python)),
        locked=_locked(project),
    )


def _found(project: Path, environ: Mapping[str, str], configured: str | None) -> tuple[Path, str]:
    if configured is not None:
        given = project / Path(configured).expanduser()
        named = str(given) if given.exists() else shutil.which(configured, path=environ.get("PATH"))
        python = _python_in(given) if given.is_dir() else Path(named) if named else None
        if python is None:
            raise NoInterpreter(
                f"there is no interpreter {configured}; wanted a Python, or the folder of an environment"
            )
        return python, "[tool.preflight] python"
    for folder, found_by in _environments(project, environ):
        python = _python_in(folder)
        if python is not None:
            return python, found_by
    if environ.get("VIRTUAL_ENV") and _same(Path(environ["VIRTUAL_ENV"]), Path(sys.prefix)):
        return Path(environ["VIRTUAL_ENV"]) / "bin" / "python", "VIRTUAL_ENV"
    return Path(sys.executable), OURS


def _environments(project: Path, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Folders where the project's environment may be, and how one gets there: the most explicit first."""
    active = [(Path(environ[n]), n) for n in ("VIRTUAL_ENV", "CONDA_PREFIX") if environ.get(n)]
    folders = [Path(p).parent for p in environ.get("PATH", "").split(os.pathsep) if p]
    active += [(f, "PATH") for f in folders if (f / "pyvenv.cfg").is_file() and (f / "bin" / "modal").exists()]
    # a hook or `uv run --with` makes our own environment the active one, beside the project's
    yield from (each for each in active if not _same(each[0], Path(sys.prefix)))
    if environ.get("UV_PROJECT_ENVIRONMENT"):
        yield project / environ["UV_PROJECT_ENVIRONMENT"], "UV_PROJECT_ENVIRONMENT"
    for folder in (project, *project.parents):
        yield folder / ".venv", ".venv"
        if (folder / "uv.lock").is_file():
            break  # the root of a workspace: its environment is the members'
        if (folder == project and not (folder / "pyproject.toml").is_file()) or (folder / ".git").exists():
            break
    yield from ((f, "poetry") for f in _poetry(project, environ))


def _poetry(project: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where Poetry keeps the environment of this folder: NAME-HASH-py3.Y, the hash over the folder's path."""
    try:
        text = (project / "pyproject.toml").read_text("utf-8", "replace")
    except OSError:
        return
    found = POETRY_NAME.search(text) or PROJECT_NAME.search(text)
    if found is None or not ((project / "poetry.lock").is_file() or "[tool.poetry]" in text):
        return
    name = re.sub(r"""[ $`!*@"\\\r\n\t]""", "_", found.group(1).lower())[:42]
    where = os.path.normcase(os.path.realpath(project)).encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(where).digest()).decode()[:8]
    home = Path(environ.get("HOME") or Path.home())
    caches = [environ.get("POETRY_CACHE_DIR"), home / ".cache/pypoetry", home / "Library/Caches/pypoetry"]
    kept = environ.get("POETRY_VIRTUALENVS_PATH")
    for folder in [kept] if kept else [Path(c) / "virtualenvs" for c in caches if c]:
        yield from sorted(Path(folder).glob(f"{name}-{digest}-py3.*"), reverse=True)


def _python_in(folder: Path) -> Path | None:
    for name in ("bin/python", "bin/python3", "Scripts/python.exe"):
        if (folder / name).is_file():
            return folder / name
    return None


def _same(one: Path, other: Path) -> bool:
    try:
        return one.resolve() == other.resolve()
    except OSError:
        return False


def client_of(program: Path) -> Client | None:
    """The Modal client of the environment that a `python` or `modal` stands in; None when it has none."""
    for packages in _packages(program):
        try:
            names = sorted(p.name for p in packages.glob("modal-*.dist-info"))
        except OSError:
            continue
        for name in names:
            if found := DIST_INFO.fullmatch(name):
                files = [p.name for folder in BUILDER_FOLDERS for p in (packages / "modal" / folder).glob("*.txt")]
                known = {m[1] for name in files if (m := BUILDER_FILE.fullmatch(name))}
                return Client(version=found[1], builders=tuple(sorted(known)))
    return None


def _packages(program: Path) -> Iterator[Path]:
    """Folders of packages: of a virtual environment, else of the installation, wherever its links lead."""
    for place in dict.fromkeys((program.parent.parent, program.resolve().parent.parent)):
        yield from sorted(place.glob("lib/python3*/site-packages"), reverse=True)
        yield from sorted(place.glob("lib/python3*/dist-packages"), reverse=True)
        yield place / "Lib" / "site-packages"
        if (place / "pyvenv.cfg").is_file():
            return


def _locked(project: Path) -> str | None:
    for name in LOCKS:
        file = project / name
        try:
            if not file.is_file():  # a pipe would never end
                continue
            if file.stat().st_size <= MOST_LOCK_BYTES and (found := LOCKED.search(file.read_text("utf-8", "replace"))):
                return found.group(1)
        except OSError:
            continue
    return None


def asked_with() -> tuple[str, str]:
    """The oldest client that preflight can ask with, and the one it has: ``("1.6.3", "1.2.6")``; "" is not known."""
    import importlib.util

    least = ""
    for place in (Path(p) for p in sys.path if p.endswith("-packages")):
        for metadata in place.glob("modal_preflight-*.dist-info/METADATA"):
            text = metadata.read_text("utf-8", "replace")
            least = least or next(iter(re.findall(r"^Requires-Dist: modal\b[^\n;]*>=\s*([\d.]+)", text, re.M)), "")
    spec = importlib.util.find_spec("modal")
    if spec is None or not spec.submodule_search_locations:
        return least, ""
    folder = Path(next(iter(spec.submodule_search_locations))).parent
    versions = (DIST_INFO.fullmatch(p.name) for p in folder.glob("modal-*.dist-info"))
    return least, next((m.group(1) for m in versions if m), "")
