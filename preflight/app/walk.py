"""Walking a syntax tree at the cost it must have: only fields that hold code, and only where the text calls for it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator

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
