"""Every call of Modal's API in a file, by its full dotted name, wherever it stands.

The interpreter reads what runs at the top level; this walk also sees the bodies of functions.  It follows the
kinds of names, not their values: ``vol = modal.Volume.from_name(…)`` makes ``vol.commit()`` a
``modal.Volume.commit``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from preflight.recipe.interpreter import Interpreter, TooMuch
from preflight.recipe.model import Call, Unresolved
from preflight.recipe.values import Alternatives, AppValue, Dotted, ImageValue, Opaque, Value

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
    kinds = _Kinds(scope)
    found: list[Call] = []
    decorated = {id(d) for node in ast.walk(tree) for d in getattr(node, "decorator_list", ())}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = kinds.of_function(node.func)
            if name is not None:
                found.append(_call(scope, name, node))
        elif id(node) in decorated and isinstance(node, ast.Attribute | ast.Name):
            name = kinds.of_function(node)
            if name is not None:
                found.append(
                    Call(name=name, where=scope.where(node), span=scope.offsets.span(node), is_bare=True, node=node)
                )
    return tuple(sorted(found, key=lambda c: (c.where.line, c.where.column)))


def _call(scope: Interpreter, name: str, node: ast.Call) -> Call:
    try:
        args, keywords = scope.arguments(node)
    except (TooMuch, RecursionError):
        args = [Unresolved("the file is longer than this reader goes", scope.where(node)) for _ in node.args]
        keywords = {k.arg: Unresolved("not read", scope.where(node)) for k in node.keywords if k.arg}
    spread = any(k.arg is None for k in node.keywords) and "**" in keywords
    return Call(
        name=name,
        where=scope.offsets.method(node),
        span=scope.offsets.span(node),
        args=tuple(args),
        kwargs={k: v for k, v in keywords.items() if k != "**"},
        kwarg_spans={k.arg: s for k in node.keywords if k.arg and (s := scope.offsets.span(k)) is not None},
        has_spread=spread or any(isinstance(a, ast.Starred) for a in node.args),
        node=node,
    )


class _Kinds:
    """Names' kinds in one module: ``app`` is a ``modal.App``, ``vol`` a ``modal.Volume``."""

    def __init__(self, scope: Interpreter) -> None:
        self.names: dict[str, str] = {}
        self.memo: dict[int, str | None] = {}
        for name, value in scope.names.items():
            kind = _kind_of_value(value)
            if kind is not None:
                self.names[name] = kind
        assert scope.source.tree is not None
        for target, value in _assignments(scope.source.tree):
            kind = self.of_object(value)
            if kind is not None:
                self.names.setdefault(target, kind)

    def of_function(self, func: ast.expr) -> str | None:
        """The dotted Modal name that is called; None for anything else."""
        if isinstance(func, ast.Name):
            kind = self.names.get(func.id)
            return kind[1:] if kind and kind.startswith("=") else None
        if not isinstance(func, ast.Attribute):
            return None
        dotted = self._dotted(func)
        if dotted is not None:
            return dotted
        held = self.of_object(func.value)
        return f"{held}.{func.attr}" if held is not None else None

    def _dotted(self, node: ast.Attribute) -> str | None:
        """``modal.Image.debian_slim`` through whatever ``modal`` or ``Image`` is called here."""
        parts = [node.attr]
        inner: ast.expr = node.value
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            kind = self.names.get(inner.id)
            if kind is not None and kind.startswith("="):
                return ".".join([kind[1:], *reversed(parts)])
        return None

    def of_object(self, node: ast.expr) -> str | None:
        """The kind of object an expression gives: ``modal.Image`` for every link of a chain."""
        if id(node) in self.memo:
            return self.memo[id(node)]
        self.memo[id(node)] = None  # a name that is made of itself ends here
        chain: list[ast.Call] = []
        inner = node
        while isinstance(inner, ast.Call):  # a chain of 200 links is 200 deep: walked, not recursed
            chain.append(inner)
            if not isinstance(inner.func, ast.Attribute):
                break
            below = inner.func.value
            if not isinstance(below, ast.Call):
                break
            inner = below
        kind = self._name_kind(node) if not chain else None
        for call in reversed(chain):
            kind = self._result(call)
            self.memo[id(call)] = kind
        self.memo[id(node)] = kind
        return kind

    def _name_kind(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Await):
            return self.of_object(node.value)
        if isinstance(node, ast.Name):
            kind = self.names.get(node.id)
            return None if kind is None or kind.startswith("=") else kind
        return None

    def _result(self, call: ast.Call) -> str | None:
        name = self.of_function(call.func)
        if name is None:
            return None
        parts = name.split(".")
        if len(parts) >= 2 and parts[-1] in CLASSES:
            return f"modal.{parts[-1]}"
        if len(parts) >= 3 and parts[-2] == "Image":
            return "modal.Image"
        if len(parts) >= 3 and parts[-2] in CLASSES and parts[-1] in SAME:
            return f"modal.{parts[-2]}"
        return None


def _kind_of_value(value: Value) -> str | None:
    if isinstance(value, Dotted) and value.name.split(".")[0] == "modal":
        return f"={value.name}"
    if isinstance(value, AppValue):
        return "modal.App"
    if isinstance(value, Alternatives):
        return next((k for v in value.values if (k := _kind_of_value(v))), None)
    if isinstance(value, ImageValue):
        return "modal.Image"
    if isinstance(value, Opaque):
        return f"modal.{value.kind}" if value.kind in CLASSES else None
    name = type(value).__name__
    return {"VolumeRef": "modal.Volume", "SecretRef": "modal.Secret", "BucketMount": "modal.CloudBucketMount"}.get(name)


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if isinstance(item.optional_vars, ast.Name):
                    yield item.optional_vars.id, item.context_expr
