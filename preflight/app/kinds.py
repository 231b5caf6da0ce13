"""What kind of Modal object a name stands for: ``app`` is a ``modal.App``, ``Image`` the class of Modal or of PIL."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from preflight.app import syntax
from preflight.app.interpreter.module import Interpreter
from preflight.app.interpreter.values import Alternatives, AppValue, Dotted, ImageValue, Opaque, Value
from preflight.app.model import BucketMount, SecretRef, VolumeRef

CLASSES = frozenset(
    "App Stub Image Secret Volume NetworkFileSystem CloudBucketMount Function Cls Dict Queue Sandbox Mount Period Cron "
    "Retries Proxy Client Environment Workspace FunctionCall SharedVolume Server".split()
)
SAME = frozenset(
    "from_name lookup persisted new from_dict from_dotenv from_local_environ from_id ephemeral create with_options "
    "with_concurrency with_batching read_only".split()
)
Scoped = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


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
        held = self.of_object(func.value) if isinstance(func, ast.Attribute) else None
        return f"{held}.{func.attr}" if held is not None and isinstance(func, ast.Attribute) else None

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
