"""What an expression of the app stands for while it is read: Python data, Modal's objects, or unresolved.

Plain data is itself: str, int, float, bool, None, tuple, list, dict.  Everything else is one of these.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from types import EllipsisType
from typing import TYPE_CHECKING, TypeAlias

from preflight.app.model import BucketMount, Call, SecretRef, Source, Step, Unresolved, VolumeRef
from preflight.model import Where

if TYPE_CHECKING:
    from preflight.app.interpreter.module import Interpreter
    from preflight.app.interpreter.scope import Scope

Key: TypeAlias = bool | int | float | str | None  # of a dict of the text
Value: TypeAlias = (
    "bool | int | float | complex | str | bytes | EllipsisType | list[Value] | tuple[Value, ...]"
    " | dict[Key, Value] | Unresolved | DefaultBool | Alternatives | Dotted | PathValue | Duration | AppValue"
    " | ImageValue | UserFunction | ClassValue | ObjectValue | BoundMethod | Partial | SiblingModule | Opaque | Call"
    " | SecretRef | VolumeRef | BucketMount | None"
)


class DefaultStr(str):
    """The default of ``os.environ.get(variable, default)``: what the text says, unless the variable is set."""

    variable: str


class DefaultInt(int):
    """A number made of such a default: ``int(os.environ.get("LIMIT", "60")) * 60``."""

    variable: str


class DefaultFloat(float):
    """The same with a fraction."""

    variable: str


@dataclass(frozen=True)
class DefaultBool:
    """What a condition on the environment comes to while ``variable`` is not set: ``os.environ.get("X") == "1"``."""

    value: bool
    variable: str


@dataclass(frozen=True)
class NoDefault(Unresolved):
    """``os.environ.get(variable)``: nothing, unless the variable is set; ``or`` may give it a default."""

    variable: str = ""


@dataclass(frozen=True)
class OfEnviron(Unresolved):
    """``os.environ[variable]``: there is no default."""

    variable: str = ""


def read_from(value: object) -> str:
    """The environment variable whose value this is, with a default or without; "" for none."""
    return value.variable if isinstance(value, OfEnviron) else variable_of(value)


def variable_of(value: object) -> str:
    """The environment variable that may override the value; "" when none."""
    if isinstance(value, DefaultStr | DefaultInt | DefaultFloat | DefaultBool | NoDefault):
        return value.variable
    if isinstance(value, list | tuple):
        return next((v for each in value if (v := variable_of(each))), "")
    return ""


def defaulted(value: Value, variable: str) -> Value:
    """The value, marked as one that the variable may override.  Raises TypeError where no mark can be kept."""
    if not variable or value is None or isinstance(value, Unresolved):
        return value
    if isinstance(value, bool):
        return DefaultBool(value, variable)
    if isinstance(value, list | tuple):
        return type(value)(defaulted(each, variable) for each in value)
    made: DefaultStr | DefaultInt | DefaultFloat
    if isinstance(value, str):
        made = DefaultStr(value)
    elif isinstance(value, int):
        made = DefaultInt(value)
    elif isinstance(value, float):
        made = DefaultFloat(value)
    else:
        raise TypeError
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
    defaults: dict[str, Value] = field(default_factory=dict, compare=False)  # image=, secrets=, volumes= of the App
    names: dict[str, Value] = field(default_factory=dict, compare=False)  # set on it later: `stub.volume = …`


@dataclass(frozen=True, eq=False)
class Decorated:
    """A def or class that ``call`` hands to Modal.  ``others`` are further Modal decorators, of its methods too."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    call: Call
    app: AppValue
    others: tuple[Call, ...]
    source: Source


@dataclass(frozen=True, eq=False)
class ImageValue:
    """A chain so far, linked from its end.  Each step gives a new value: extending one image never changes another."""

    last: Step
    before: ImageValue | None
    source: Source
    is_complete: bool = True
    unresolved: tuple[Unresolved, ...] = ()
    length: int = 1  # in steps

    def chain(self) -> Iterator[ImageValue]:
        """This image, the one it extends, and so on down to the base."""
        link: ImageValue | None = self
        while link is not None:
            yield link
            link = link.before

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(link.last for link in self.chain())[::-1]

    def in_doubt(self, why: Unresolved) -> ImageValue:
        """The same, as not all that may be built."""
        return replace(self, is_complete=False, unresolved=(*self.unresolved, why))


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Values of the branches of an ``if`` whose condition the text does not decide.

    Where a variable of the environment decides, ``usual`` is the number of the value that holds while
    ``variable`` is not set; -1 where nothing is known of that.
    """

    values: tuple[Value, ...]
    usual: int = -1
    variable: str = ""

    @property
    def default(self) -> Value:
        """The value while the variable is not set, marked as one that it may override; self where there is none."""
        if self.usual < 0:
            return self
        value = self.values[self.usual]
        if variable_of(value):
            return value
        try:
            return defaulted(value, self.variable)
        except TypeError:
            return value


def usual(value: Value) -> Value:
    """What holds while no variable of the environment is set, where one decides; else the value itself."""
    return value.default if isinstance(value, Alternatives) else value


@dataclass(frozen=True, eq=False)
class UserFunction:
    """A def of the project, called abstractly when an image is built through it."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope  # whose names its body sees
    decorators: tuple[Call, ...] = ()
    receiver: ObjectValue | ClassValue | None = None  # the object or class whose method it is


@dataclass(frozen=True, eq=False)
class ClassValue:
    """A class of the project.  ``names`` is what its body binds; ``fields`` its annotated names, in order."""

    name: str
    names: dict[str, Value]
    fields: tuple[str, ...] = ()
    is_followed: bool = True  # False: a metaclass, a base class that is not in the text
    is_enum: bool = False
    node: ast.ClassDef | None = None  # None for a class that the standard library makes
    scope: Interpreter | None = None  # that read it
    decorators: tuple[Call, ...] = ()  # Modal's, on its methods


@dataclass(frozen=True, eq=False)
class ObjectValue:
    """An instance of such a class; ``names`` are its own attributes."""

    made_by: ClassValue
    names: dict[str, Value]


@dataclass(frozen=True, eq=False)
class BoundMethod:
    """``value.name``, not called yet."""

    value: Value
    name: str


@dataclass(frozen=True, eq=False)
class Partial:
    """``functools.partial(called, *args, **keywords)``."""

    called: Value
    args: tuple[Value, ...]
    keywords: Mapping[str, Value]


@dataclass(frozen=True)
class Duration:
    """A ``datetime.timedelta``."""

    seconds: float


@dataclass(frozen=True, eq=False)
class SiblingModule:
    """A module of the same project, read in the same way."""

    interpreter: Interpreter


@dataclass(frozen=True)
class Opaque:
    """An object of Modal that needs no more than its kind: ``modal.Period``, ``modal.Queue`` …"""

    kind: str
    call: Call | None = field(default=None, compare=False)


def unresolved_in(value: object) -> Unresolved | None:
    """The first unresolved part of folded data, or None when all of it is known."""
    if isinstance(value, Unresolved):
        return value
    if isinstance(value, Alternatives):
        return Unresolved("it depends on a condition", Where(""))
    if isinstance(value, DefaultBool):
        return Unresolved(f"it depends on the variable {value.variable}", Where(""))
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        return next(filter(None, map(unresolved_in, value)), None)
    return None


def missing_in(value: object, where: Where) -> Unresolved | None:
    """As ``unresolved_in``; what no one place in the text decides is said to stand at ``where``."""
    found = unresolved_in(value)
    return replace(found, where=where) if found is not None and not found.where.path else found


def strings_of(value: Value) -> tuple[list[str], bool]:
    """The strings in an argument that may be one string or (nested) lists of them, and whether that is all."""
    if isinstance(value, str):
        return [value], True
    if isinstance(value, PathValue):
        return [str(value)], True
    if isinstance(value, list | tuple):
        every = [strings_of(each) for each in value]
        return [text for found, _ in every for text in found], all(is_all for _, is_all in every)
    return [], value is None


def shown_value(value: Value, where: Where) -> Value:
    """An argument as steps and calls show it: paths are strings, what a condition decides is unresolved."""
    if isinstance(value, PathValue):
        return str(value)
    if isinstance(value, Alternatives):
        if value.usual >= 0:
            return shown_value(value.default, where)
        return Unresolved("it depends on a condition", where)
    if isinstance(value, DefaultBool):
        return value.value
    if isinstance(value, Dotted):
        return Unresolved(f"{value.name} is not in the project", where)
    if isinstance(value, Unresolved):
        return missing_in(value, where)
    if isinstance(value, list):
        return [shown_value(v, where) for v in value]
    if isinstance(value, tuple):
        return tuple(shown_value(v, where) for v in value)
    if isinstance(value, dict):
        return {k: shown_value(v, where) for k, v in value.items()}
    return value
