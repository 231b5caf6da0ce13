"""Reads a module from top to bottom without running it: names, constants, Modal's objects.

An abstract interpreter over the syntax tree.  It follows what the text decides (constants, f-strings, helpers
of the same project, loops over literals) and gives ``Unresolved`` for the rest.  It is bounded: so many steps,
so deep, so many turns of a loop; past a bound the value is unresolved, and that is said.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from preflight.model import Where
from preflight.recipe import folding, modal_objects
from preflight.recipe.model import App, Call, Source, Unresolved
from preflight.recipe.offsets import Offsets
from preflight.recipe.values import (
    Alternatives,
    AppValue,
    BoundMethod,
    Dotted,
    ImageValue,
    Opaque,
    PathValue,
    SiblingModule,
    UserFunction,
    Value,
    unresolved_in,
)

MOST_STEPS = 400_000  # nodes evaluated for one file with its siblings; a file of 10,000 lines takes about 60,000
MOST_TURNS = 64  # of a loop over a literal
DEEPEST = 12  # helpers calling helpers
MODULES = frozenset({"modal", "os", "sys", "pathlib", "shlex", "json", "subprocess", "time", "random", "uuid"})


class TooMuch(Exception):
    """The bound on work is reached: what is left of the file is unresolved."""


@dataclass
class Shared:
    """What one reading of an app shares between its modules."""

    project: Path
    load: Callable[[Interpreter, str, int], Interpreter | None]
    steps: int = 0
    images: list[tuple[str, ImageValue]] = field(default_factory=list)
    apps: list[App] = field(default_factory=list)
    decorated: list[tuple[Any, Call, AppValue, tuple[Call, ...]]] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    pending: dict[int, AppValue] = field(default_factory=dict)  # id of a decorator's call -> its App


class _Return(Exception):
    def __init__(self, value: Value) -> None:
        self.value = value


class Interpreter:
    """One module's names.  ``file`` is where its text was read from, for relative paths; nothing is opened here."""

    def __init__(self, source: Source, file: Path, shared: Shared, names: dict[str, Value] | None = None) -> None:
        self.source = source
        self.file = file
        self.shared = shared
        self.offsets = Offsets.of(source)
        self.names: dict[str, Value] = names if names is not None else {"__file__": PathValue(PurePosixPath(file.name))}
        self.outer: Interpreter | None = None
        self.is_repeating = False
        self.depth = 0

    # --- statements -----------------------------------------------------------------------------------------------

    def run_module(self) -> None:
        if self.source.tree is None:
            return
        try:
            self.run(self.source.tree.body)
        except (TooMuch, RecursionError):
            self._note("the file is longer or deeper than this reader goes", self.source.tree)
        except _Return:
            pass

    def run(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._tick()
            handler = getattr(self, "_" + type(statement).__name__, None)
            if handler is not None:
                handler(statement)

    def _Assign(self, node: ast.Assign) -> None:  # noqa: N802 - named by the syntax tree's class
        value = self.value(node.value)
        for target in node.targets:
            self.bind(target, value)

    def _AnnAssign(self, node: ast.AnnAssign) -> None:  # noqa: N802
        if node.value is not None:
            self.bind(node.target, self.value(node.value))

    def _AugAssign(self, node: ast.AugAssign) -> None:  # noqa: N802
        if isinstance(node.target, ast.Name):
            old = self.lookup(node.target)
            self.bind(node.target, folding.binary(node.op, old, self.value(node.value), self.where(node)))

    def _Expr(self, node: ast.Expr) -> None:  # noqa: N802
        value = self.value(node.value)
        if isinstance(value, ImageValue) and not isinstance(node.value, ast.Name):
            self._note_image("", value)

    def _Return(self, node: ast.Return) -> None:  # noqa: N802
        raise _Return(self.value(node.value) if node.value is not None else None)

    def _Import(self, node: ast.Import) -> None:  # noqa: N802
        for alias in node.names:
            top = alias.name.split(".")[0]
            sibling = None if top in MODULES else self.shared.load(self, alias.name, 0)
            if alias.asname:
                self.names[alias.asname] = SiblingModule(sibling) if sibling else Dotted(alias.name)
            else:
                self.names[top] = SiblingModule(sibling) if sibling and "." not in alias.name else Dotted(top)

    def _ImportFrom(self, node: ast.ImportFrom) -> None:  # noqa: N802
        module = node.module or ""
        known = node.level == 0 and module.split(".")[0] in MODULES
        sibling = None if known else self.shared.load(self, module, node.level)
        for alias in node.names:
            name = alias.asname or alias.name
            if alias.name == "*":
                if sibling is not None:
                    self.names.update({k: v for k, v in sibling.names.items() if not k.startswith("_")})
            elif sibling is not None and alias.name in sibling.names:
                self.names[name] = sibling.names[alias.name]
            elif not known and (sub := self.shared.load(self, f"{module}.{alias.name}".strip("."), node.level)):
                self.names[name] = SiblingModule(sub)
            elif known or node.level == 0:
                self.names[name] = Dotted(f"{module}.{alias.name}")
            else:
                self.names[name] = Unresolved(f"{module or '.'} is not in the project", self.where(node))

    def _If(self, node: ast.If) -> None:  # noqa: N802
        test = self.value(node.test)
        if unresolved_in(test) is None and isinstance(test, bool | int | str | tuple | list | dict | None):
            self.run(node.body if test else node.orelse)
            return
        self._branches([node.body, node.orelse])

    def _Try(self, node: ast.Try) -> None:  # noqa: N802
        self.run(node.body)
        self.run(node.orelse)
        for handler in node.handlers:
            self._branches([handler.body, []])
        self.run(node.finalbody)

    _TryStar = _Try

    def _With(self, node: ast.With) -> None:  # noqa: N802
        for item in node.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
        self.run(node.body)

    _AsyncWith = _With

    def _For(self, node: ast.For) -> None:  # noqa: N802
        turns = self.value(node.iter)
        if isinstance(turns, dict):
            turns = list(turns)
        if isinstance(turns, list | tuple) and len(turns) <= MOST_TURNS:
            for each in turns:
                self.bind(node.target, each)
                self.run(node.body)
            self.run(node.orelse)
            return
        self.bind(node.target, Unresolved("the loop's turns are not in the text", self.where(node)))
        with modal_objects.repeated(self):
            self.run(node.body)

    def _FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:  # noqa: N802
        decorators = self.decorate(node)
        self.names[node.name] = UserFunction(node, self, decorators)

    _AsyncFunctionDef = _FunctionDef

    def _ClassDef(self, node: ast.ClassDef) -> None:  # noqa: N802
        self.decorate(node)
        self.names[node.name] = Unresolved(f"{node.name} is a class of the app", self.where(node))

    def decorate(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> tuple[Call, ...]:
        """Notes a function or class that an App's decorator hands to Modal."""
        calls: list[Call] = []
        mine: tuple[Call, AppValue] | None = None
        for decorator in node.decorator_list:
            made = modal_objects.decorator(self, decorator)
            if made is None:
                continue
            call, app = made
            if app is not None and call.name.rsplit(".", 1)[-1] in ("function", "cls", "local_entrypoint", "server"):
                mine = (call, app)
            else:
                calls.append(call)
        if mine is not None:
            self.shared.decorated.append((node, mine[0], mine[1], tuple(calls)))
        return tuple(calls)

    def _branches(self, bodies: list[list[ast.stmt]]) -> None:
        """Each body from the same names; afterwards a name that differs has the values of all branches."""
        before = dict(self.names)
        ends: list[dict[str, Value]] = []
        returned: list[Value] = []
        for body in bodies:
            self.names.clear()
            self.names.update(before)
            try:
                self.run(body)
                ends.append(dict(self.names))
            except _Return as e:
                returned.append(e.value)
        self.names.clear()
        self.names.update(_merged(ends) if ends else before)
        if returned and not ends:
            raise _Return(_either(returned))
        if returned:
            self.names["<returned>"] = _either([*_values(self.names.get("<returned>")), *returned])

    # --- names ----------------------------------------------------------------------------------------------------

    def bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            if isinstance(value, ImageValue):
                self._note_image(target.id, value)
            elif isinstance(value, Alternatives):
                for each in value.values:
                    if isinstance(each, ImageValue):
                        self._note_image(target.id, each)
            elif isinstance(value, AppValue) and not value.variable:
                value = modal_objects.named_app(self, value, target.id)
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, list | tuple) and len(value) == len(target.elts):
                for each, part in zip(target.elts, value, strict=True):
                    self.bind(each, part)
            else:
                for each in target.elts:
                    self.bind(
                        each, Unresolved("it is unpacked from a value that is not in the text", self.where(target))
                    )
        elif isinstance(target, ast.Subscript):
            holder, key = self.value(target.value), self.value(target.slice)
            if isinstance(holder, dict) and isinstance(key, str | int):
                holder[key] = value
        elif isinstance(target, ast.Attribute):
            self.names[f"{ast.unparse(target)}"] = value

    def _note_image(self, variable: str, value: ImageValue) -> None:
        if self.source is value.source or not variable:
            self.shared.images.append((variable, value))

    def lookup(self, node: ast.Name) -> Value:
        scope: Interpreter | None = self
        while scope is not None:
            if node.id in scope.names:
                return scope.names[node.id]
            scope = scope.outer
        return folding.BUILTINS.get(node.id) or Unresolved(f"{node.id} is not set in the text above", self.where(node))

    # --- expressions ----------------------------------------------------------------------------------------------

    def value(self, node: ast.expr) -> Value:
        """What the expression stands for.  Raises TooMuch."""
        self._tick()
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self.lookup(node)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.IfExp):
            test = self.value(node.test)
            if unresolved_in(test) is None and isinstance(test, bool | int | str | tuple | list | dict | None):
                return self.value(node.body if test else node.orelse)
            return _either([self.value(node.body), self.value(node.orelse)])
        if isinstance(node, ast.NamedExpr):
            value = self.value(node.value)
            self.bind(node.target, value)
            return value
        if isinstance(node, ast.Await | ast.Starred):
            return self.value(node.value)
        return folding.fold(node, self.value, self.where(node), self._comprehended)

    def _attribute(self, node: ast.Attribute) -> Value:
        spelled = ast.unparse(node) if isinstance(node.value, ast.Name) else ""
        if spelled and spelled in self.names:
            return self.names[spelled]
        held = self.value(node.value)
        if isinstance(held, Dotted):
            return held.attribute(node.attr)
        if isinstance(held, SiblingModule):
            found = held.interpreter.names.get(node.attr)
            return found if found is not None else Unresolved(f"{node.attr} is not set there", self.where(node))
        if isinstance(held, PathValue):
            return folding.path_attribute(held, node.attr, self.where(node))
        if isinstance(held, Alternatives):
            return Alternatives(tuple(BoundMethod(v, node.attr) for v in held.values))
        if isinstance(held, Unresolved):
            return held
        return BoundMethod(held, node.attr)

    def _call(self, node: ast.Call) -> Value:
        called = self.value(node.func)
        if isinstance(called, Alternatives):
            return _either([self._called(v, node) for v in called.values])
        return self._called(called, node)

    def _called(self, called: Value, node: ast.Call) -> Value:
        if isinstance(called, UserFunction):
            return self._inline(called, node)
        if isinstance(called, Dotted) and called.name.split(".")[0] == "modal":
            return modal_objects.construct(self, called.name, node)
        if isinstance(called, BoundMethod) and isinstance(called.value, ImageValue):
            return modal_objects.extend(self, called.value, called.name, node)
        if isinstance(called, BoundMethod) and isinstance(called.value, AppValue | Opaque):
            return modal_objects.method(self, called.value, called.name, node)
        if isinstance(called, Call):  # app.function(...)(fn): a decorator applied by hand
            return modal_objects.applied(self, called, node)
        args, keywords = self.arguments(node)
        return folding.call(called, args, keywords, self.where(node))

    def arguments(self, node: ast.Call) -> tuple[list[Value], dict[str, Value]]:
        """Folded arguments; ``*`` and ``**`` of known values are spread, of others stand as Unresolved."""
        args: list[Value] = []
        for arg in node.args:
            value = self.value(arg)
            if isinstance(arg, ast.Starred):
                if isinstance(value, list | tuple):
                    args.extend(value)
                else:
                    args.append(value if isinstance(value, Unresolved) else Unresolved("a * of", self.where(arg)))
            else:
                args.append(value)
        keywords: dict[str, Value] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
            elif isinstance(value, dict):
                keywords.update({k: v for k, v in value.items() if isinstance(k, str)})
            else:
                keywords["**"] = Unresolved("a ** of a value that is not in the text", self.where(keyword))
        return args, keywords

    def call_with(self, function: UserFunction, args: list[Value], keywords: dict[str, Value], at: ast.AST) -> Value:
        """The value a helper of the project returns for these arguments, read with its own defaults."""
        if self.depth >= DEEPEST:
            return Unresolved("helpers call helpers deeper than this reader goes", self.where(at))
        scope: Interpreter = function.scope
        inner = Interpreter.__new__(Interpreter)
        inner.__dict__.update(scope.__dict__)
        inner.names = {}
        inner.outer = scope
        inner.depth = self.depth + 1
        _bind_parameters(inner, function.node.args, args, keywords, self.where(at))
        try:
            inner.run(function.node.body)
        except _Return as e:
            return _either([*_values(inner.names.get("<returned>")), e.value])
        return _either([*_values(inner.names.get("<returned>")), None]) if "<returned>" in inner.names else None

    def _inline(self, function: UserFunction, node: ast.Call) -> Value:
        args, keywords = self.arguments(node)
        return self.call_with(function, args, keywords, node)

    def _comprehended(self, generators: list[ast.comprehension], make: Callable[[], Value]) -> list[Value] | None:
        """The values of a comprehension over known sequences; None when one is not known."""
        before = dict(self.names)
        found: list[Value] = []

        def turn(rest: list[ast.comprehension]) -> bool:
            if not rest:
                found.append(make())
                return len(found) <= MOST_TURNS * MOST_TURNS
            turns = self.value(rest[0].iter)
            if isinstance(turns, dict):
                turns = list(turns)
            if not isinstance(turns, list | tuple):
                return False
            for each in turns:
                self.bind(rest[0].target, each)
                tests = [self.value(t) for t in rest[0].ifs]
                if any(unresolved_in(t) for t in tests):
                    return False
                if all(tests) and not turn(rest[1:]):
                    return False
            return True

        try:
            return found if turn(generators) else None
        finally:
            self.names.clear()
            self.names.update(before)

    # --- places ---------------------------------------------------------------------------------------------------

    def where(self, node: ast.AST) -> Where:
        return self.offsets.where(node)

    def _note(self, why: str, node: ast.AST) -> None:
        self.shared.unresolved.append(
            Unresolved(why, self.where(node) if hasattr(node, "lineno") else Where(self.source.path))
        )

    def _tick(self) -> None:
        self.shared.steps += 1
        if self.shared.steps > MOST_STEPS:
            raise TooMuch


def _values(value: Value) -> list[Value]:
    if value is None:
        return []
    return list(value.values) if isinstance(value, Alternatives) else [value]


def _either(values: list[Value]) -> Value:
    """One value when all are the same, alternatives otherwise."""
    flat: list[Value] = []
    for value in values:
        for each in value.values if isinstance(value, Alternatives) else (value,):
            if not any(each is f or (type(each) is type(f) and each == f) for f in flat):
                flat.append(each)
    return flat[0] if len(flat) == 1 else Alternatives(tuple(flat))


def _merged(ends: list[dict[str, Value]]) -> dict[str, Value]:
    names: dict[str, Value] = {}
    for name in dict.fromkeys(k for end in ends for k in end):
        names[name] = _either([end[name] for end in ends if name in end])
    return names


def _bind_parameters(
    scope: Interpreter, spec: ast.arguments, args: list[Value], keywords: dict[str, Value], at: Where
) -> None:
    positional = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(positional) - len(spec.defaults)) + list(spec.defaults)
    left = dict(keywords)
    for n, (parameter, default) in enumerate(zip(positional, defaults, strict=True)):
        if n < len(args):
            scope.names[parameter.arg] = args[n]
        elif parameter.arg in left:
            scope.names[parameter.arg] = left.pop(parameter.arg)
        elif default is not None:
            scope.names[parameter.arg] = _default(scope, default)
        else:
            scope.names[parameter.arg] = Unresolved(f"{parameter.arg} is a parameter", at)
    for parameter, keyword_default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        if parameter.arg in left:
            scope.names[parameter.arg] = left.pop(parameter.arg)
        elif keyword_default is not None:
            scope.names[parameter.arg] = _default(scope, keyword_default)
        else:
            scope.names[parameter.arg] = Unresolved(f"{parameter.arg} is a parameter", at)
    if spec.vararg is not None:
        scope.names[spec.vararg.arg] = list(args[len(positional) :])
    if spec.kwarg is not None:
        scope.names[spec.kwarg.arg] = left


def _default(scope: Interpreter, node: ast.expr) -> Value:
    assert scope.outer is not None
    return scope.outer.value(node)


def images_of(value: Value) -> Iterator[ImageValue]:
    """The images a value may be."""
    for each in value.values if isinstance(value, Alternatives) else (value,):
        if isinstance(each, ImageValue):
            yield each
