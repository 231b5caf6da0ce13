"""Every file that Modal could see of a project, each with a digest that changes when the file does.

Modal's client uploads what `add_local_*` names, whatever its suffix and however deep it is hidden, and the app's
own top level may read any file beside it.  So everything counts but what tools keep for themselves: version
control, virtual environments, caches; in a folder that the app adds, all but the caches of checkers and of Python.
Files are read; a large one of no source suffix is told by its size and its times instead, which every write changes.
"""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import itertools
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SKIPPED_FOLDERS = frozenset(
    ".git .hg .svn .jj node_modules __pycache__ __pypackages__ .mypy_cache .pytest_cache .ruff_cache .hypothesis"
    " .import_linter_cache .tox .nox .eggs .ipynb_checkpoints .pytype .idea .vscode htmlcov".split()
)
CACHES = frozenset(".mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache".split())
LEFTOVERS = re.compile(r"\.DS_Store|\.coverage(\..*)?|\.dmypy\.json|.*\.swp|.*~|\.#.*")  # of tools and editors
REPORTS = re.compile(r"coverage\.xml|preflight\.(json|xml|sarif|md)|.*\.part")
CHUNK_BYTES = 1 << 20
READ_WHOLE = frozenset(
    ".py .pyi .pyx .ipynb .toml .lock .txt .cfg .ini .conf .yaml .yml .json .sh .env .cu .cuh .cpp .c .h .hpp".split()
)
LARGE_BYTES = 256 * 1024  # of a file of another suffix: data, weights, recordings
LARGE_SOURCE_BYTES = 16 * 1024 * 1024
MOST_FILES = 20_000
MOST_BYTES = 256_000_000
DEEPEST_MODULE, MOST_OF_A_PACKAGE = 4, 1_000  # folders, and entries of each, where only Python files are looked for


class TooLarge(Exception):
    """The project has more than this reads: nothing is remembered about it, since a change could be missed."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What the app takes from this machine besides its project.  ``paths`` are absolute, ``variables`` names only.

    ``unseen`` says which words of the app name a path that its text does not decide.
    """

    paths: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


# What a terminal, a login or a multiplexer sets for itself.  Everything else counts: no reading of an app's text
# shows all the ways in which it can look at its environment.
OF_THE_SESSION = re.compile(
    r"TERM|TERM_.*|COLORTERM|COLUMNS|LINES|PWD|OLDPWD|SHLVL|_|PS[1-4]|LS_COLORS|WINDOWID|DISPLAY|WAYLAND_DISPLAY"
    r"|XAUTHORITY|XDG_(?:SESSION|RUNTIME|VTNR|SEAT).*|DBUS_.*|SSH_(?:CLIENT|CONNECTION|TTY|AUTH_SOCK|AGENT_PID)"
    r"|GPG_TTY|TMUX(?:_PANE)?|STY|ITERM_.*|KITTY_.*|ALACRITTY_.*|WT_.*|VSCODE_.*|INVOCATION_ID|JOURNAL_STREAM"
)


def variables(environ: Mapping[str, str], watched: Watched) -> dict[str, str]:
    """Those that may change what the app or Modal's client does."""
    return {n: v for n, v in environ.items() if n in watched.variables or not OF_THE_SESSION.fullmatch(n)}


@dataclass
class _Reading:
    """What has been read so far; the limits are over all of it."""

    outputs: tuple[str, ...]
    own: frozenset[tuple[int, int]]  # device and inode of the files that this process writes its lines to
    state: str = ""  # the real path of our own state folder, where it may lie in the project: a home folder that is one
    files: dict[str, str] = field(default_factory=dict)
    folders: set[tuple[str, bool]] = field(default_factory=set)  # real paths: no link leads round in a circle
    bytes: int = 0

    def add(self, name: str, digest: str) -> None:
        self.files[name] = digest
        if len(self.files) > MOST_FILES:
            raise TooLarge(_too_large(f"{MOST_FILES:,} files"))


def read(
    project: Path, *, watched: Iterable[Path] = (), outputs: Sequence[str] = (), state: Path | None = None
) -> dict[str, str]:
    """Name → digest: relative to the project, or absolute for ``watched`` files and folders outside it.

    ``outputs`` are shell patterns, relative to the project, of what is no source, as is our own ``state`` folder.  A
    ``watched`` path counts even inside a skipped folder, and even when it is not there.  Raises TooLarge.
    """
    top = project.resolve()
    reading = _Reading(tuple(outputs), _written_to(), "" if state is None else os.path.realpath(state))
    for path in watched:
        _watched(path, top, reading)
    _folder(top, "", reading, is_watched=False)
    return reading.files


def _watched(path: Path, top: Path, reading: _Reading) -> None:
    name = _named(path, top)
    real = path.resolve()
    if path.is_symlink():
        reading.add(f"{name} (link)", f"link {path.readlink()}")
    if real.is_dir():
        _folder(real, "" if real == top else f"{name}/", reading, is_watched=True)
    else:
        reading.add(name, _digest(real, reading))


def placed(path: Path) -> Path:
    """Absolute and without ``..``, but with the path's own last link left as it is."""
    return path.resolve() if path.name in ("", "..") else path.parent.resolve() / path.name


def _named(path: Path, top: Path) -> str:
    absolute = placed(path)
    return absolute.relative_to(top).as_posix() if absolute.is_relative_to(top) else absolute.as_posix()


def _folder(folder: Path, prefix: str, reading: _Reading, *, is_watched: bool) -> None:
    key = (os.path.realpath(folder), is_watched)
    if key in reading.folders or key[0] == reading.state:
        return
    reading.folders.add(key)
    for entry in _entries(folder):
        name = prefix + entry.name
        if name in reading.files:
            continue
        if entry.is_symlink():
            _link(Path(entry.path), name, reading, is_watched=is_watched)
        elif entry.is_dir(follow_symlinks=False):
            inside = Path(entry.path)
            is_tools = entry.name in SKIPPED_FOLDERS or (inside / "pyvenv.cfg").exists()
            is_kept_out = entry.name in CACHES if is_watched else is_tools
            if not is_kept_out and not _is_output(f"{name}/", reading, is_watched=is_watched):
                _folder(inside, f"{name}/", reading, is_watched=is_watched)
        elif is_watched and _is_compiled(Path(entry.path)):
            continue  # Python writes it anew from the source beside it, whenever that is imported
        elif not _is_output(name, reading, is_watched=is_watched) and not _is_own(entry, reading):
            reading.add(name, _digest(entry, reading))


def _is_compiled(file: Path) -> bool:
    """Whether it is Python's own cache of a source that is there."""
    if file.suffix != ".pyc" or file.parent.name != "__pycache__":
        return False
    return (file.parent.parent / f"{file.name.split('.')[0]}.py").is_file()


def _written_to() -> frozenset[tuple[int, int]]:
    """Where `> run.log` leads: a file that grows by our own lines is no source."""
    found = set()
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            seen = os.fstat(descriptor)
            if stat.S_ISREG(seen.st_mode):
                found.add((seen.st_dev, seen.st_ino))
    return frozenset(found)


def _is_own(entry: os.DirEntry[str], reading: _Reading) -> bool:
    if not reading.own:
        return False
    try:
        seen = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return (seen.st_dev, seen.st_ino) in reading.own


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """None for a folder that is gone, or can't be listed: Modal's client can't list it either."""
    try:
        with os.scandir(folder) as found:
            yield from sorted(found, key=lambda e: e.name)
    except OSError:
        return


def _is_output(name: str, reading: _Reading, *, is_watched: bool) -> bool:
    bare = name.rstrip("/")
    if any(fnmatch.fnmatchcase(bare, p.rstrip("/")) or bare.startswith(p.rstrip("/") + "/") for p in reading.outputs):
        return True
    if name != bare:
        return False
    last = bare.rsplit("/", 1)[-1]
    return not is_watched and bool(LEFTOVERS.fullmatch(last) or REPORTS.fullmatch(last))


def _link(path: Path, name: str, reading: _Reading, *, is_watched: bool) -> None:
    """Where it leads counts as well as what is there.  A folder behind a link is walked where Python could import
    from it; Modal's client follows no link to a folder."""
    try:
        target = path.readlink()
    except OSError:
        return
    if not path.is_dir():
        reading.add(name, f"link {target} {_digest(path, reading)}")
        return
    reading.add(name, f"link {target}")
    if is_watched:
        return
    if any(e.name.endswith(".py") for e in _entries(path)):
        _folder(path, f"{name}/", reading, is_watched=False)
    else:
        for module in _modules(path, DEEPEST_MODULE):  # packages without an __init__.py
            reading.add(f"{name}/{module.relative_to(path).as_posix()}", _digest(module, reading))


def _modules(folder: Path, deep: int) -> Iterator[Path]:
    """The Python files below a folder that may be one of data: as many entries are looked at as a package has."""
    for entry in itertools.islice(_entries(folder), MOST_OF_A_PACKAGE):
        if entry.name.endswith((".py", ".pyc", ".so")):
            yield Path(entry.path)
        elif deep and entry.name.isidentifier() and entry.is_dir(follow_symlinks=False):
            yield from _modules(Path(entry.path), deep - 1)


def _digest(path: Path | os.DirEntry[str], reading: _Reading) -> str:
    """``sha256 mode`` of a file; of one that can't be read, or is none, what can be told without opening it."""
    try:
        seen = path.stat()
    except OSError:
        return "absent"
    mode = f"{stat.S_IMODE(seen.st_mode):o}"
    stamp = f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns} {mode}"
    if not stat.S_ISREG(seen.st_mode):
        return f"no-file {stat.S_IFMT(seen.st_mode):o}"
    suffix = path.name[path.name.rfind(".") :] if "." in path.name[1:] else ""
    whole = suffix in READ_WHOLE or not suffix
    if seen.st_size > (LARGE_SOURCE_BYTES if whole else LARGE_BYTES):
        return f"large {stamp}"
    reading.bytes += seen.st_size
    if reading.bytes > MOST_BYTES:
        raise TooLarge(_too_large(f"{MOST_BYTES // 10**6} MB of sources"))
    try:
        return f"{_sha256(path)} {mode}"
    except OSError:
        return f"unreadable {stamp}"


def _sha256(path: Path | os.DirEntry[str]) -> str:
    """Raises OSError.  A pipe that has just taken the file's place holds nobody up."""
    whole = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while chunk := os.read(descriptor, CHUNK_BYTES):
            whole.update(chunk)
    finally:
        os.close(descriptor)
    return whole.hexdigest()


def _too_large(what: str) -> str:
    return f"the project has more than {what}; name what is no source in [tool.preflight] outputs"
