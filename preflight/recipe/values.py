"""What an expression of the app stands for while it is read: Python data, Modal's objects, or unresolved.

Plain data is itself: str, int, float, bool, None, tuple, list, dict.  Everything else is one of these.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from preflight.model import Where
from preflight.recipe.model import Call, Source, Step, Unresolved

Value: TypeAlias = Any  # plain data, a class of this module, a ref of model.py, or Unresolved


class DefaultStr(str):
    """The default of ``os.environ.get(variable, default)``: what the text says, unless the variable is set."""

    variable: str

    def __new__(cls, value: str, variable: str) -> DefaultStr:
        made = super().__new__(cls, value)
        made.variable = variable
        return made


@dataclass(frozen=True)
class Dotted:
    """A name of an importable thing: ``modal.Image``, ``os.environ.get``, ``common.image``."""

    name: str

    def attribute(self, name: str) -> Dotted:
        return Dotted(f"{self.name}.{name}")


@dataclass(frozen=True)
class PathValue:
    """A pathlib path made in the text.  Paths below ``__file__`` are relative to the app's folder."""

    path: PurePosixPath

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class AppValue:
    call: Call
    variable: str = ""
    defaults: tuple[tuple[str, Any], ...] = ()  # image=, secrets=, volumes= of the App, folded


@dataclass(frozen=True, eq=False)
class ImageValue:
    """A chain so far.  Each step gives a new value: extending one image never changes another."""

    steps: tuple[Step, ...]
    source: Source
    is_complete: bool = True
    unresolved: tuple[Unresolved, ...] = ()


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Values of the branches of an ``if`` whose condition the text does not decide."""

    values: tuple[Value, ...]


@dataclass(frozen=True, eq=False)
class UserFunction:
    """A def of the project, called abstractly when an image is built through it."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    scope: Any  # the Interpreter whose names its body sees
    decorators: tuple[Call, ...] = ()


@dataclass(frozen=True, eq=False)
class BoundMethod:
    """``value.name``, not called yet."""

    value: Value
    name: str


@dataclass(frozen=True, eq=False)
class SiblingModule:
    """A module of the same project, read in the same way."""

    interpreter: Any


@dataclass(frozen=True)
class Opaque:
    """An object of Modal that needs no more than its kind: ``modal.Period``, ``modal.Queue`` …"""

    kind: str
    call: Call | None = field(default=None, compare=False)


def unresolved_in(value: Value) -> Unresolved | None:
    """The first unresolved part of folded data, or None when all of it is known."""
    if isinstance(value, Unresolved):
        return value
    if isinstance(value, Alternatives):
        return Unresolved("it depends on a condition", Where(""))
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        for each in value:
            found = unresolved_in(each)
            if found is not None:
                return found
    return None


def strings_of(value: Value) -> tuple[list[str], bool]:
    """The strings in an argument that may be one string or (nested) lists of them, and whether that is all."""
    if isinstance(value, str):
        return [value], True
    if isinstance(value, PathValue):
        return [str(value)], True
    if isinstance(value, list | tuple | set | frozenset):
        found: list[str] = []
        is_all = True
        for each in value:
            more, all_of_it = strings_of(each)
            found += more
            is_all = is_all and all_of_it
        return found, is_all
    return [], value is None
