"""Every call of Modal's API in a file, by its full dotted name, wherever it stands.

The interpreter reads what runs at the top level; this walk also sees the bodies of functions.  It follows the
kinds of names, not their values: ``vol = modal.Volume.from_name(…)`` makes ``vol.commit()`` a
``modal.Volume.commit``.  A name that a function binds itself hides the module's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from preflight.app import syntax
from preflight.app.interpreter.flow import TooMuch
from preflight.app.interpreter.functions import shown
from preflight.app.interpreter.modal_objects import bare, call_of
from preflight.app.interpreter.module import Interpreter
from preflight.app.interpreter.scope import Shared
from preflight.app.interpreter.values import Alternatives, AppValue, Dotted, ImageValue, Opaque, Value
from preflight.app.model import BucketMount, Call, SecretRef, Unresolved, VolumeRef

Scoped = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
MOST_STEPS = 50_000  # of reading the arguments of calls in bodies
MOST_CALLS = 3000
CLASSES = frozenset(
    "App Stub Image Secret Volume NetworkFileSystem CloudBucketMount Function Cls Dict Queue Sandbox Mount Period Cron "
    "Retries Proxy Client Environment Workspace FunctionCall SharedVolume Server".split()
)
SAME = frozenset(
    "from_name lookup persisted new from_dict from_dotenv from_local_environ from_id ephemeral create with_options "
    "with_concurrency with_batching read_only".split()
)


def every_call(scope: Interpreter) -> tuple[Call, ...]:
    """The calls in the order of the text.  ``scope`` has the module's names after it was read."""
    tree = scope.source.tree
    if tree is None:
        return ()
    top = Kinds.of_module(scope, tree)
    outside, shared = scope.inside(), scope.shared  # what is read here adds nothing to the recipe
    outside.shared = Shared(
        shared.project, lambda importer, module, level: None, MOST_STEPS, evaluated=shared.evaluated
    )
    found: list[Call] = []
    for node, kinds, names in _nodes(tree, top, outside):
        if (call := _read(scope, node, kinds, names)) is not None:
            found.append(call)
            if len(found) > MOST_CALLS:
                scope.shared.is_cut = True
                break
    return tuple(sorted(found, key=lambda c: (c.where.line, c.where.column)))


def _nodes(tree: ast.Module, top: Kinds, outside: Interpreter) -> Iterator[tuple[ast.expr, Kinds, Interpreter]]:
    """Calls and bare decorators, with the names that are seen where they stand."""
    holds = outside.offsets.may_hold
    pending: list[tuple[ast.AST, Kinds, Interpreter]] = [(s, top, outside) for s in tree.body if holds(s, top.speaking)]
    while pending:
        node, kinds, names = pending.pop()
        if isinstance(node, ast.Call):
            yield node, kinds, names
        decorators = getattr(node, "decorator_list", ())
        for decorator in decorators:
            if isinstance(decorator, ast.Attribute | ast.Name):
                yield decorator, kinds, names
        if not isinstance(node, Scoped):
            pending += [(c, kinds, names) for c in syntax.children(node) if holds(c, kinds.speaking)]
            continue
        inner = Kinds.of_function(node, kinds)
        hidden = names.inside()
        for name in inner.own:
            hidden.names[name] = Unresolved(f"{name} is set inside a function", names.where(node))
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
        pending += [(child, inner, hidden) for child in body if holds(child, inner.speaking)]
        pending += [(child, kinds, names) for child in (*decorators, node.args)]


def _read(scope: Interpreter, node: ast.expr, kinds: Kinds, names: Interpreter) -> Call | None:
    name = kinds.of_call(node.func if isinstance(node, ast.Call) else node)
    if name is None:
        return None
    if not isinstance(node, ast.Call):
        return bare(scope, name, node)
    try:
        args, keywords = scope.shared.evaluated.get(id(node)) or names.arguments(node)
    except (TooMuch, RecursionError):
        why = Unresolved("it is beyond what this reader follows in one file", scope.offsets.method(node))
        args, keywords = [why for _ in node.args], {k.arg: why for k in node.keywords if k.arg}
    made = call_of(scope, name, node, args, keywords)
    return shown(replace(made, kwargs={k: v for k, v in made.kwargs.items() if k != "**"}))


@dataclass
class Kinds:
    """The names of one module or function.  A kind is a class ("modal.App"), or "=" and the dotted name it imports."""

    own: dict[str, str | None] = field(default_factory=dict)  # None: bound here, to nothing of Modal's
    outer: Kinds | None = None
    memo: dict[int, str | None] = field(default_factory=dict)

    @cached_property
    def named(self) -> frozenset[str]:
        """Names that stand for something of Modal's here, or are a way to it."""
        mine = frozenset(name for name, kind in self.own.items() if kind is not None)
        return mine | (self.outer.named if self.outer is not None else {"modal"})

    @cached_property
    def speaking(self) -> re.Pattern[str]:
        """Finds one of ``named``: code without any can hold no call of Modal's."""
        if self.outer is not None and self.named == self.outer.named:
            return self.outer.speaking
        return syntax.naming(self.named)

    @staticmethod
    def of_module(scope: Interpreter, tree: ast.Module) -> Kinds:
        made = Kinds()
        made._take(_bindings(tree.body))
        for name, value in scope.names.items():
            kind = _kind_of_value(value)
            if kind is not None:
                made.own[name] = kind
        made.memo.clear()
        return made

    @staticmethod
    def of_function(node: Scoped, outer: Kinds) -> Kinds:
        made = Kinds(outer=outer)
        spec = node.args
        for each in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg):
            if each is not None:
                made.own[each.arg] = made._annotated(each.annotation)
        if not isinstance(node, ast.Lambda):
            made._take(_bindings(node.body))
        return made

    def _annotated(self, annotation: ast.expr | None) -> str | None:
        """The kind of a parameter written ``image: modal.Image``."""
        if isinstance(annotation, ast.Attribute | ast.Name):
            name = self.of_import(annotation)
            if name is not None and name.rsplit(".", 1)[-1] in CLASSES:
                return f"modal.{name.rsplit('.', 1)[-1]}"
        return None

    def _take(self, bindings: Iterator[tuple[str, ast.expr | str | None]]) -> None:
        """A name that is bound twice keeps its kind only when both are of it."""
        waiting: dict[str, list[ast.expr | str | None]] = {}
        for name, value in bindings:
            waiting.setdefault(name, []).append(value)
        for name in waiting:
            self.own.setdefault(name, None)
        for _ in range(2):  # `b = a` before `a` is known gets its kind on the second turn
            self.memo.clear()
            for name, values in waiting.items():
                kinds = {v if isinstance(v, str) else self.of_object(v) if v is not None else None for v in values}
                self.own[name] = kinds.pop() if len(kinds) == 1 else None

    def of_name(self, name: str) -> str | None:
        scope: Kinds | None = self
        while scope is not None:
            if name in scope.own:
                return scope.own[name]
            scope = scope.outer
        return None

    def of_import(self, func: ast.expr) -> str | None:
        """The dotted name of an import: ``modal.Image.debian_slim`` through whatever ``Image`` is called here."""
        parts: list[str] = []
        while isinstance(func, ast.Attribute):
            parts.append(func.attr)
            func = func.value
        kind = self.of_name(func.id) if isinstance(func, ast.Name) else None
        return ".".join([kind[1:], *reversed(parts)]) if kind is not None and kind.startswith("=") else None

    def of_call(self, func: ast.expr) -> str | None:
        """The dotted Modal name that is called; None for anything else."""
        dotted = self.of_import(func)
        if dotted is not None:
            return dotted if dotted.split(".")[0] == "modal" else None
        kind = self.of_object(func.value) if isinstance(func, ast.Attribute) else None
        return f"{kind}.{func.attr}" if kind is not None and isinstance(func, ast.Attribute) else None

    def of_object(self, node: ast.expr) -> str | None:
        """The kind of object an expression gives: ``modal.Image`` for every link of a chain."""
        if id(node) in self.memo:
            return self.memo[id(node)]
        chain: list[ast.Call] = []
        inner = node
        while isinstance(inner, ast.Call):  # a chain of 200 links is 200 deep: walked, not recursed
            chain.append(inner)
            if not isinstance(inner.func, ast.Attribute) or not isinstance(inner.func.value, ast.Call):
                break
            inner = inner.func.value
        kind = None if chain else self._plain(node)
        for call in reversed(chain):
            kind = self._result(call)
            self.memo[id(call)] = kind
        self.memo[id(node)] = kind
        return kind

    def _plain(self, node: ast.expr) -> str | None:
        while isinstance(node, ast.Await):
            node = node.value
        if isinstance(node, ast.Name):
            return self.of_name(node.id)
        if isinstance(node, ast.Attribute):
            name = self.of_import(node)
            return None if name is None else f"={name}"
        return self.of_object(node) if isinstance(node, ast.Call) else None

    def _result(self, call: ast.Call) -> str | None:
        name = self.of_call(call.func)
        if name is None:
            return None
        parts = name.split(".")
        if parts[-1] in CLASSES:
            return f"modal.{parts[-1]}"
        if len(parts) >= 3 and parts[-2] == "Image":
            return "modal.Image"
        if len(parts) >= 3 and parts[-2] in CLASSES and parts[-1] in SAME:
            return f"modal.{parts[-2]}"
        return None


OBJECTS = {
    AppValue: "modal.App",
    ImageValue: "modal.Image",
    VolumeRef: "modal.Volume",
    SecretRef: "modal.Secret",
    BucketMount: "modal.CloudBucketMount",
}


def _kind_of_value(value: Value) -> str | None:
    if isinstance(value, Alternatives):
        return next((k for v in value.values if (k := _kind_of_value(v))), None)
    if isinstance(value, Dotted) and value.name.split(".")[0] == "modal":
        return f"={value.name}"
    if isinstance(value, Opaque):
        return f"modal.{value.kind}" if value.kind in CLASSES else None
    return OBJECTS.get(type(value))


def _bindings(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr | str | None]]:
    """Names a body binds, with the expression, "=" and the import's name, or None for anything else.

    The bodies of functions and classes within are theirs.
    """
    pending: list[ast.AST] = list(reversed(body))
    shared: set[str] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Global | ast.Nonlocal):
            shared |= {*node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                yield (alias.asname, f"={alias.name}") if alias.asname else (top, f"={top}")
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, None if node.level else f"={node.module}.{alias.name}"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, None
            continue
        elif isinstance(node, ast.Lambda):
            continue
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id not in shared:
                    yield target.id, node.value
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            if isinstance(node.target, ast.Name) and node.value is not None:
                yield node.target.id, node.value
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if isinstance(item.optional_vars, ast.Name):
                    yield item.optional_vars.id, item.context_expr
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            yield from ((n.id, None) for n in syntax.walk(node.target) if isinstance(n, ast.Name))
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, None
        pending += syntax.children(node)
