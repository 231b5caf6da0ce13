"""One file's tree, walked once for all rules: kinds of nodes, parents, what runs at import, and who guards it."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TypeVar

from preflight.app.model import Source, Span
from preflight.app.places import Offsets
from preflight.model import Where

N = TypeVar("N", bound=ast.AST)
Def = ast.FunctionDef | ast.AsyncFunctionDef
Holder = Def | ast.ClassDef
ENVIRON = frozenset({"os.environ", "environ"})
GETS = frozenset({"os.environ.get", "environ.get", "os.getenv", "getenv"})
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


NO_CODE = frozenset(  # names, flags and operators: nothing below them is read
    "id attr arg ctx op ops name kind level module asname type_comment conversion simple is_async rest "
    "kwd_attrs".split()
)

FIELDS = {
    kind: tuple(name for name in kind._fields if name not in NO_CODE)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
} | {ast.Constant: (), ast.MatchSingleton: (), ast.Global: (), ast.Nonlocal: ()}
if sys.version_info >= (3, 12):
    FIELDS[ast.TypeAlias] = ast.TypeAlias._fields  # its name is an expression
NONE: list[ast.AST] = []  # never changed
WITH_GAPS = frozenset({ast.Dict, ast.arguments})  # lists in which None stands for a `**` or for no default


def children(node: ast.AST) -> list[ast.AST]:
    """As ``ast.iter_child_nodes``, without the nodes of names, contexts and operators; in the order of the text."""
    kind = type(node)
    names = FIELDS[kind]
    if not names:
        return NONE
    found: list[ast.AST] = []
    for name in names:
        value = getattr(node, name, None)
        if value is None:
            continue
        if type(value) is not list:
            found.append(value)
        elif kind in WITH_GAPS:
            found += [each for each in value if each is not None]
        else:
            found += value
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """The node and everything below it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += children(current)


def naming(names: Iterable[str]) -> re.Pattern[str]:
    """Finds any of the names as a whole word."""
    words = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.compile(rf"\b(?:{words})\b" if words else r"(?!)")


class Syntax:
    """Made by ``syntax_of``.  Nodes are in the order of the text."""

    def __init__(self, source: Source, tree: ast.Module) -> None:
        self.source = source
        self.offsets = Offsets.of(source)
        self._parents = parents = dict[ast.AST, ast.AST]()
        self._kinds = kinds = defaultdict[type[ast.AST], list[ast.AST]](list)
        self._functions = functions = dict[ast.AST, Def | ast.Lambda]()  # of nodes that run when a function is called
        self._outermost: dict[ast.AST | None, Holder | None] = {None: None}
        pending: list[ast.AST] = [tree]
        while pending:  # a chain of 200 links is 200 deep: walked, not recursed
            node = pending.pop()
            kinds[type(node)].append(node)
            if not (below := children(node)):
                continue
            pending += below
            function = functions.get(node)
            for child in below:
                parents[child] = node
                if function is not None:
                    functions[child] = function
            if isinstance(node, FUNCTIONS):
                functions.update(dict.fromkeys([node.body] if isinstance(node, ast.Lambda) else node.body, node))

    def every(self, *kinds: type[N]) -> Iterator[N]:
        """The nodes of exactly these classes."""
        for kind in kinds:
            yield from self._kinds.get(kind, ())  # type: ignore[misc]

    def defs(self) -> Iterator[Def]:
        yield from self.every(ast.FunctionDef)
        yield from self.every(ast.AsyncFunctionDef)

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(node)

    def above(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """(parent, child) pairs from the node outwards."""
        child = node
        while (parent := self._parents.get(child)) is not None:
            yield parent, child
            child = parent

    def function_of(self, node: ast.AST) -> Def | ast.Lambda | None:
        """The innermost function whose body holds the node; decorators and defaults belong outside."""
        return self._functions.get(node)

    def qualified_name(self, node: ast.AST) -> str:
        """Dotted name of the function or class whose body holds it; decorators and defaults run where it is defined."""
        names = [p.name for p, child in self.above(node) if isinstance(p, Holder) and child in p.body]
        return ".".join(reversed(names))

    def outermost(self, node: ast.AST) -> Holder | None:
        """The function or class of the top level in whose body the node runs; None: it runs at import."""
        inner = self._functions.get(node)
        if inner not in self._outermost:
            every = [inner, *(parent for parent, _ in self.above(inner))] if inner is not None else []
            self._outermost[inner] = next((h for h in reversed(every) if isinstance(h, Holder)), None)
        return self._outermost[inner]

    def is_import_time(self, node: ast.AST) -> bool:
        """Whether it runs when the file is imported: at the top level, in a class body, in a decorator."""
        return node not in self._functions

    def tests_above(self, node: ast.AST) -> Iterator[tuple[ast.expr, bool]]:
        """The conditions that must hold (True) or not hold (False) for the node to run, innermost first."""
        for parent, child in self.above(node):
            if isinstance(parent, ast.If | ast.While) and child is not parent.test:
                yield parent.test, child in parent.body
            elif isinstance(parent, ast.IfExp) and child is not parent.test:
                yield parent.test, child is parent.body
            elif isinstance(parent, ast.BoolOp) and child is not parent.values[0]:
                yield parent.values[0], isinstance(parent.op, ast.And)

    def is_tested(self, node: ast.AST, words: Sequence[str]) -> bool:
        """Whether a test that the node stands under names one of the words."""
        texts = [self.text(test) for test, _ in self.tests_above(node)]
        return any(word in text for text in texts for word in words)

    def is_caught(self, node: ast.AST) -> bool:
        """Whether it stands in a ``try`` that has a handler, or in a handler."""
        for parent, child in self.above(node):
            if isinstance(parent, ast.Try | ast.TryStar) and parent.handlers and child in parent.body:
                return True
            if isinstance(parent, ast.ExceptHandler):
                return True
        return False

    @cached_property
    def values(self) -> dict[str, list[ast.expr]]:
        """What the module's top level assigns to each name."""
        found: dict[str, list[ast.expr]] = {}
        for node in self.every(ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and self.is_import_time(node):
                    found.setdefault(target.id, []).append(node.value)
        for each in self.every(ast.AnnAssign):
            if isinstance(each.target, ast.Name) and each.value is not None and self.is_import_time(each):
                found.setdefault(each.target.id, []).append(each.value)
        return found

    @cached_property
    def aliases(self) -> list[tuple[ast.Import | ast.ImportFrom, ast.alias, str, str]]:
        """What is imported, at any depth, in the order of the text: the statement, its part, the name that it binds,
        and what that is; "" of a relative import."""
        found: list[tuple[ast.Import | ast.ImportFrom, ast.alias, str, str]] = []
        every: list[ast.Import | ast.ImportFrom] = [*self.every(ast.Import), *self.every(ast.ImportFrom)]
        for node in sorted(every, key=lambda n: (n.lineno, n.col_offset)):
            for alias in node.names:
                if isinstance(node, ast.Import):
                    bound = alias.name if alias.asname else alias.name.split(".")[0]
                    found.append((node, alias, alias.asname or bound, bound))
                else:
                    name = "" if node.level else f"{node.module}.{alias.name}"
                    found.append((node, alias, alias.asname or alias.name, name))
        return found

    @cached_property
    def imports(self) -> dict[str, str]:
        """What each imported name is: ``wb`` → ``wandb``, ``environ`` → ``os.environ``."""
        return {local: name for _, _, local, name in self.aliases if name}

    def imported(self, node: ast.AST) -> str:
        """The full dotted name of an expression whose first part is imported; "" for any other."""
        first, dot, rest = dotted(node).partition(".")
        return f"{self.imports[first]}{dot}{rest}" if first in self.imports else ""

    def where(self, node: ast.AST) -> Where:
        return self.offsets.where(node)

    def span(self, node: ast.AST) -> Span | None:
        return self.offsets.span(node)

    def text(self, node: ast.AST) -> str:
        span = self.offsets.span(node)
        return self.source.text[span.start : span.end] if span is not None else ""


def syntax_of(source: Source) -> Syntax | None:
    """The index of a source, made once for all rules; None when it does not parse."""
    tree = source.tree
    return None if tree is None else source.kept(Syntax, lambda: Syntax(source, tree))


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a name or attribute; "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def text_of(node: ast.AST | None) -> str:
    """What a string constant says; "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def environ_variable(node: ast.AST) -> str | None:
    """The variable of ``os.environ[…]`` and ``.get(…)``: "" where no literal names it; None for any other node."""
    if isinstance(node, ast.Subscript) and dotted(node.value) in ENVIRON:
        return text_of(node.slice)
    if isinstance(node, ast.Call) and dotted(node.func) in GETS:
        return text_of(node.args[0]) if node.args else ""
    return None


def strings_in(node: ast.AST) -> Iterator[ast.Constant]:
    """Every string constant in it."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each
