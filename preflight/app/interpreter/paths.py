"""Paths as text: pathlib and os.path without a file system.  Above the first folder of a relative path is ``..``."""

from __future__ import annotations

from pathlib import PurePosixPath

from preflight.app.interpreter.values import BoundMethod, PathValue, Value
from preflight.app.model import Unresolved
from preflight.model import Where

SAME = frozenset({"os.path.abspath", "os.path.realpath", "os.path.normpath", "os.fspath", "os.path.expanduser"})
LONGEST = 4096  # characters: PATH_MAX of Linux
CHANGES = frozenset({"with_name", "with_suffix", "with_stem", "relative_to"})
PATHS = ("Path", "PurePosixPath", "PurePath", "PosixPath")


def parent(path: PurePosixPath) -> PurePosixPath:
    """As pathlib on an absolute path: above the first folder of a relative one stands ``..``."""
    if str(path) == "." or path.name == "..":
        return path / ".."
    return path.parent


def parent_number(path: PathValue, index: Value, where: Where) -> Value:
    """``path.parents[index]``."""
    if not isinstance(index, int) or not 0 <= index < 16:
        return Unresolved("a parent that is not in the text", where)
    above = path.path
    for _ in range(index + 1):
        above = parent(above)
    return PathValue(above)


def attribute(receiver: PathValue, name: str, where: Where) -> Value:
    if name == "parent":
        return PathValue(parent(receiver.path))
    if name in ("name", "stem") and receiver.path.name in ("", ".."):
        return Unresolved("the name of the app's own folder, or one above it", where)
    if name in ("name", "stem", "suffix"):
        return str(getattr(receiver.path, name))
    return BoundMethod(receiver, name)


def method(receiver: PathValue, name: str, args: list[Value], where: Where) -> Value:
    if name in ("resolve", "absolute", "expanduser"):
        return receiver
    if name == "as_posix":
        return str(receiver)
    if name == "joinpath" and all(isinstance(a, str | PathValue) for a in args):
        parts = [str(a) for a in args]
        if sum(map(len, parts)) + len(str(receiver)) > LONGEST:
            return Unresolved("a path longer than any system takes", where)
        return PathValue(receiver.path.joinpath(*parts))
    if name in CHANGES and args and isinstance(args[0], str | PathValue):
        try:
            return PathValue(getattr(receiver.path, name)(str(args[0])))
        except ValueError:
            return Unresolved(f"{name}() of a path that it does not fit", where)
    return Unresolved(f"{name}() asks the file system", where)


def called(name: str, args: list[Value], where: Where) -> Value | None:
    """A call of pathlib or os.path by its dotted name; None when it is something else."""
    module, _, last = name.rpartition(".")
    is_path = module.split(".")[0] == "pathlib" and last in PATHS
    if not is_path and module != "os.path" and name != "os.fspath":
        return None
    parts = [str(a) for a in args if isinstance(a, str | PathValue)]
    if len(parts) != len(args) or not (parts or is_path):
        return Unresolved("a path that is not in the text", where)
    if sum(map(len, parts)) > LONGEST:
        return Unresolved("a path longer than any system takes", where)
    path = PurePosixPath(*parts)
    if is_path:
        return PathValue(path)
    if name == "os.path.join" or name in SAME:
        return str(path)
    return str(parent(path)) if last == "dirname" else path.name if last == "basename" else None
