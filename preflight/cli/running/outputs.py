"""Where reports go: looked at before anything runs, written whole or not at all, and never over a source."""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from preflight.store import write_whole

FORMATS = ("console", "json", "junit", "sarif", "github", "markdown", "gitlab")
ON_SCREEN = frozenset({"console", "github", "markdown"})  # several of them may share a terminal
SOURCES = frozenset(".py .pyi .ipynb .toml .lock .cfg .ini .yml .yaml .sh .c .cu .cpp .h .in .env".split())
NAMED_SOURCES = frozenset({"makefile", "dockerfile", "license", ".gitignore", ".env"})
STREAM = re.compile(r"/dev/(stdout|stderr)|(?:/dev/fd|/proc/self/fd)/(\d+)")


@dataclass(frozen=True)
class Output:
    """One ``-o FORMAT[=PATH]``; ``-`` is stdout."""

    format: str
    path: str = "-"

    @property
    def title(self) -> str:
        return f"the {self.format} report" + ("" if self.path == "-" else f" to {self.path}")

    @property
    def stream(self) -> int | None:
        """The descriptor that the path names; None for a file."""
        if self.path == "-":
            return 1
        found = STREAM.fullmatch(self.path)
        if found is None:
            return None
        return int(found.group(2)) if found.group(2) else {"stdout": 1, "stderr": 2}[found.group(1)]


def look_at(outputs: Sequence[Output], sources: Iterable[Path] = ()) -> None:
    """Raises UsageError for what could not be written, or would replace something that is no report."""
    taken: dict[object, str] = {}
    for source in sources:
        taken[_identity(source)] = "is what is looked at"
    for output in outputs:
        if output.stream is not None:
            try:
                os.fstat(output.stream)
            except OSError as e:
                if output.stream != 1:
                    raise click.UsageError(f"-o {output.format}={output.path}: {e.strerror}") from e
            continue
        path = Path(output.path)
        where = _identity(path)
        if where in taken:
            raise click.UsageError(f"-o {output.format}={output.path}: that file {taken[where]}")
        taken[where] = "is named twice"
        _check(output, path)


def _identity(path: Path) -> object:
    """The same for two names of one file."""
    try:
        found = path.stat()
    except OSError:
        return os.path.realpath(path)
    return (found.st_dev, found.st_ino)


def _check(output: Output, path: Path) -> None:
    at = f"-o {output.format}={output.path}"
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = 0
    except OSError as e:
        raise click.UsageError(f"{at}: can't be written: {e.strerror}") from e
    if stat.S_ISDIR(mode):
        raise click.UsageError(f"{at}: is a folder; name a file in it")
    if mode and not stat.S_ISREG(mode):
        return  # a pipe or a device is written to as it is
    if path.suffix.lower() in SOURCES or path.name.lower() in NAMED_SOURCES or _is_prose(path, mode):
        raise click.UsageError(f"{at}: {path.name} is not a report's file; it would be replaced")
    target = Path(os.path.realpath(path))
    try:
        number, name = tempfile.mkstemp(prefix=".preflight-", dir=target.parent)
    except OSError as e:
        raise click.UsageError(f"{at}: {target.parent} can't be written: {e.strerror}") from e
    os.close(number)
    Path(name).unlink()
    if mode and not os.access(target, os.W_OK):
        raise click.UsageError(f"{at}: can't be written: it is read-only")


def _is_prose(path: Path, mode: int) -> bool:
    """A Markdown or text file that is there and does not begin as one of our reports do."""
    if not mode or path.suffix.lower() not in (".md", ".rst", ".txt", ""):
        return False
    try:
        with path.open("rb") as file:
            head = file.read(200)
    except OSError:
        return False  # said when it is written
    return bool(head) and b"preflight" not in head


def write(output: Output, text: str) -> None:
    """Raises OSError, and BrokenPipeError where nobody reads any more.  Links are written through."""
    content = text.encode("utf-8", "backslashreplace")
    if output.stream == 1:
        if sys.stdout is not None:
            encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
            sys.stdout.flush()
        return
    if output.stream is not None:
        with os.fdopen(os.dup(output.stream), "wb") as stream:
            stream.write(content)
        return
    target = Path(os.path.realpath(output.path))
    mode = target.stat().st_mode if target.exists() else 0
    if mode and not stat.S_ISREG(mode):
        with target.open("wb") as device:
            device.write(content)
        return
    umask = os.umask(0o077)
    os.umask(umask)
    write_whole(target, content, mode=stat.S_IMODE(mode) if mode else 0o666 & ~umask)
