"""Walking a syntax tree at the cost it must have: only fields that hold code, and only where the text calls for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

NO_CODE = frozenset(  # names, flags and operators: nothing below them is read
    "id attr arg ctx op ops kind level module asname type_comment conversion simple is_async rest kwd_attrs n s".split()
)
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


FIELDS = {
    kind: tuple(name for name in kind._fields if name not in NO_CODE)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}


def children(node: ast.AST) -> list[ast.AST]:
    """As ``ast.iter_child_nodes``, without the nodes of names, contexts and operators; in the order of the text."""
    found: list[ast.AST] = []
    for name in FIELDS[type(node)]:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """The node and everything below it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += children(current)


def statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Every statement of a body, at any depth, in functions and classes too; their expressions are not looked at."""
    waiting = list(body)[::-1]
    while waiting:
        current = waiting.pop()
        yield current
        inner = [each for block in BLOCKS for each in getattr(current, block, ()) if isinstance(each, ast.AST)]
        waiting += inner[::-1]


def naming(names: Iterable[str]) -> re.Pattern[str]:
    """Finds any of the names as a whole word."""
    words = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.compile(rf"\b(?:{words})\b" if words else r"(?!)")
