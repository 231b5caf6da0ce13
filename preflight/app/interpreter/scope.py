"""Names of a module, a class body or a helper's call while it is read: what they stand for, and how that changes."""

from __future__ import annotations

import abc
import ast
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from preflight.app.interpreter import pure
from preflight.app.interpreter.flow import (
    MISSING,
    MOST_WEIGHT,
    Missing,
    Outcomes,
    TooMuch,
    either,
    over,
    values_of,
    weight,
)
from preflight.app.interpreter.values import (
    AppValue,
    ClassValue,
    Decorated,
    ImageValue,
    ObjectValue,
    Partial,
    PathValue,
    SiblingModule,
    Value,
    unresolved_in,
)
from preflight.app.model import App, Call, Source, Unresolved
from preflight.app.places import Offsets
from preflight.model import Where

if TYPE_CHECKING:
    from preflight.app.interpreter.module import Interpreter

MOST_STEPS = 100_000  # nodes evaluated for one file with its siblings: a second with all that the rules make of them
Arguments = tuple[list[Value], dict[str, Value]]


@dataclass
class Shared:
    """What one reading of an app shares between its modules."""

    project: Path
    load: Callable[[Interpreter, str, int], Interpreter | None]  # by the importer, the module's name and level
    most_steps: int = MOST_STEPS
    steps: int = 0
    is_cut: bool = False  # the bound was reached: what follows was not read
    images: list[tuple[str, ImageValue]] = field(default_factory=list)
    apps: list[App] = field(default_factory=list)
    decorated: list[Decorated] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    pending: dict[int, tuple[Call, AppValue]] = field(default_factory=dict)  # by id of the decorator's call
    included: list[AppValue] = field(default_factory=list)  # by app.include(other)
    evaluated: dict[int, Arguments] = field(default_factory=dict)  # by id of the call's node
    inlined: set[int] = field(default_factory=set)  # ids of the helpers' nodes that were read with a call's arguments
    given: dict[int, Partial] = field(default_factory=dict)  # by id of the call's node: arguments bound before
    search: list[Path] = field(default_factory=list)  # folders that the text puts on sys.path


class Scope(abc.ABC):
    """One module's names.  ``file`` is where its text was read from, for relative paths; nothing is opened here."""

    def __init__(self, source: Source, file: Path, shared: Shared) -> None:
        self.source = source
        self.file = file
        self.shared = shared
        self.offsets = Offsets.of(source)
        self.names: dict[str, Value] = {"__file__": PathValue(PurePosixPath(file.name))}
        self.modules: dict[str, SiblingModule] = {}  # by dotted name, of `import package.module`
        self.journal: dict[str, Value | Missing] | None = None  # what the names were that the branch being read binds
        self.returned = Outcomes()  # by branches, while others go on
        self.outer: Scope | None = None
        self.seen_by_defs: Scope | None = None  # where it is not this one: a def does not see the names of its class
        self.elsewhere: dict[str, Scope] = {}  # names of `global` and `nonlocal`: the scope they belong to
        self.is_repeating = False
        self.is_branching = False
        self.is_top = True
        self.depth = 0

    @abc.abstractmethod
    def value(self, node: ast.expr) -> Value:
        """What an expression stands for here."""

    @property
    def for_functions(self) -> Scope:
        """Whose names a def sees that stands here."""
        return self.seen_by_defs or self

    def set(self, name: str, value: Value) -> None:
        holder = self.elsewhere.get(name, self)
        if holder is not self:  # of a branch here nothing is taken back there: the old value stays possible
            is_doubtful = self.is_branching and name in holder.names
            holder.set(name, either([holder.names[name], value]) if is_doubtful else value)
            return
        if self.journal is not None and name not in self.journal:
            self.journal[name] = self.names.get(name, MISSING)
        self.names[name] = value

    def restore(self, name: str, old: Value | Missing) -> None:
        """Back to what the name was before a branch."""
        if isinstance(old, Missing):
            self.names.pop(name, None)
        else:
            self.names[name] = old

    def bind(self, target: ast.expr, value: Value) -> None:
        """What ``target = value`` does.  Containers are replaced, never changed: branches must not leak."""
        if isinstance(target, ast.Name):
            self.set(target.id, self._named(target.id, value))
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, value, target)
        elif isinstance(target, ast.Subscript):
            holder, key, where = self.value(target.value), self.value(target.slice), self.where(target)
            if any(isinstance(h, dict | list) for h in values_of(holder)):
                self.replace(target.value, over(lambda h: pure.with_item(h, key, value, where), holder))
        elif isinstance(target, ast.Attribute):
            receiver = self.value(target.value)
            if isinstance(receiver, ObjectValue | ClassValue):
                value = self._named(target.attr, value)
                is_doubtful = self.is_branching and target.attr in receiver.names  # which all branches share
                if is_doubtful:
                    value = either([receiver.names[target.attr], value])
                receiver.names[target.attr] = value
            elif isinstance(receiver, SiblingModule):
                receiver.interpreter.set(target.attr, value)
            elif isinstance(receiver, AppValue):
                receiver.names[target.attr] = value = self._named(ast.unparse(target), value)
                if target.attr == "image":  # what its functions get by default
                    receiver.defaults["image"] = value
            else:
                self._named(ast.unparse(target), value)

    def _unpack(self, targets: list[ast.expr], value: Value, at: ast.expr) -> None:
        star = next((n for n, t in enumerate(targets) if isinstance(t, ast.Starred)), None)
        if isinstance(value, list | tuple):
            after = len(targets) - star - 1 if star is not None else 0
            if star is None and len(value) == len(targets):
                parts = list(value)
            elif star is not None and len(value) >= len(targets) - 1:
                parts = [*value[:star], list(value[star : len(value) - after]), *value[len(value) - after :]]
            else:
                parts = []
            if parts:
                for each, part in zip(targets, parts, strict=True):
                    self.bind(each, part)
                return
        why = unresolved_in(value) or Unresolved("it is unpacked from a value that is not in the text", self.where(at))
        for each in targets:
            self.bind(each, why)

    def _named(self, variable: str, value: Value) -> Value:
        """The value as it is bound: images are noted under the name, an App learns it."""
        for each in values_of(value):
            if isinstance(each, ImageValue):
                self.note_image(variable, each)
        if isinstance(value, AppValue) and not value.variable:
            apps, call, value = self.shared.apps, value.call, dataclasses.replace(value, variable=variable)
            apps[:] = [dataclasses.replace(app, variable=variable) if app.call is call else app for app in apps]
        return value

    def note_image(self, variable: str, value: ImageValue) -> None:
        self.shared.images.append((variable, value))

    def replace(self, holder: ast.expr, value: Value) -> None:
        """Gives what holds a container the container's next state: every name of it, in whatever scope it is seen."""
        value = self.weighed(value, holder)
        if not isinstance(holder, ast.Name):
            self.bind(holder, value)
            return
        old = self.lookup(holder)
        scope: Scope | None = self
        while scope is not None:
            self.tick(len(scope.names) >> 6)
            is_doubtful = self.is_branching and scope is not self
            for name in [n for n, current in scope.names.items() if current is old]:
                scope.set(name, either([old, value]) if is_doubtful else value)
            scope = scope.outer

    def lookup(self, node: ast.Name) -> Value:
        scope: Scope | None = self
        while scope is not None:
            scope = scope.elsewhere.get(node.id, scope)
            if node.id in scope.names:
                return scope.names[node.id]
            scope = scope.outer
        return pure.BUILTINS.get(node.id) or Unresolved(f"{node.id} is not set in the text above", self.where(node))

    def weighed(self, value: Value, node: ast.AST) -> Value:
        """The value, unless it is larger than anybody would write: lists of lists double in a few lines."""
        if not isinstance(value, list | tuple | dict) or isinstance(node, ast.Subscript):
            return value
        heavy = weight(value)
        self.tick(heavy >> 4)
        return Unresolved("a value too large to be written out", self.where(node)) if heavy > MOST_WEIGHT else value

    def where(self, node: ast.AST) -> Where:
        return self.offsets.where(node)

    def tick(self, steps: int = 1) -> None:
        self.shared.steps += steps
        if self.shared.steps > self.shared.most_steps:
            raise TooMuch
