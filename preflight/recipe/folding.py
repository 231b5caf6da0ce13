"""Constant folding: what an expression of known parts comes to.  Bounded, and free of effects."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from preflight.model import Where
from preflight.recipe.model import Unresolved
from preflight.recipe.values import (
    Alternatives,
    BoundMethod,
    DefaultStr,
    Dotted,
    NoDefault,
    PathValue,
    Value,
    defaulted,
    unresolved_in,
    variable_of,
)

PADDED = re.compile(r"%[-+ #0]*(?:\d|\*)")
PADDED_FIELD = re.compile(r"\{[^{}]*(?:[:!]|\[)")
MOST_CHARACTERS = 100_000  # of a folded string or list: more is not written by hand
BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
BUILTINS = {
    n: Dotted(f"builtins.{n}") for n in "str int float bool len list tuple dict set sorted range min max".split()
}
PURE: dict[str, Callable[..., Any]] = {
    "builtins.str": str,
    "builtins.int": int,
    "builtins.float": float,
    "builtins.bool": bool,
    "builtins.len": len,
    "builtins.list": list,
    "builtins.tuple": tuple,
    "builtins.dict": dict,
    "builtins.set": list,
    "builtins.sorted": sorted,
    "builtins.range": lambda *a: list(range(*a)) if len(range(*a)) <= 256 else None,
    "builtins.min": min,
    "builtins.max": max,
    "shlex.join": " ".join,
}
METHODS = frozenset(
    "join format strip lstrip rstrip split splitlines replace upper lower removeprefix removesuffix title "
    "startswith endswith keys values items get copy as_posix joinpath with_name".split()
)


def fold(
    node: ast.expr,
    value: Callable[[ast.expr], Value],
    place: Callable[[], Where],
    comprehended: Callable[[list[ast.comprehension], Callable[[], Value]], list[Value] | None],
) -> Value:
    """Operators, literals of containers, f-strings, subscripts and comprehensions."""
    if isinstance(node, ast.JoinedStr):
        return _joined(node, value, place())
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        items: list[Value] = []
        for each in node.elts:
            got = value(each)
            if isinstance(each, ast.Starred) and isinstance(got, list | tuple):
                items.extend(got)
            elif isinstance(each, ast.Starred):
                items.append(unresolved_in(got) or Unresolved("a * of what the text does not hold", place()))
            else:
                items.append(got)
        return tuple(items) if isinstance(node, ast.Tuple) else items
    if isinstance(node, ast.Dict):
        return _dict(node, value, place())
    if isinstance(node, ast.BinOp):
        return binary(node.op, value(node.left), value(node.right), place())
    if isinstance(node, ast.UnaryOp):
        return _unary(node.op, value(node.operand), place())
    if isinstance(node, ast.BoolOp):
        return _boolean(node, value, place())
    if isinstance(node, ast.Compare):
        return _compare(node, value, place())
    if isinstance(node, ast.Subscript):
        return _subscript(value(node.value), node, value, place())
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        made = comprehended(node.generators, lambda: value(node.elt))
        return made if made is not None else Unresolved("a comprehension over what the text does not hold", place())
    if isinstance(node, ast.DictComp):
        pairs = comprehended(node.generators, lambda: (value(node.key), value(node.value)))
        if pairs is None or any(unresolved_in(k) or isinstance(k, list | dict) for k, _ in pairs):
            return Unresolved("a comprehension over what the text does not hold", place())
        return dict(pairs)
    return Unresolved(f"{type(node).__name__} is not folded", place())


def _joined(node: ast.JoinedStr, value: Callable[[ast.expr], Value], where: Where) -> Value:
    parts: list[str] = []
    variable = ""
    for each in node.values:
        if isinstance(each, ast.Constant):
            parts.append(str(each.value))
            continue
        assert isinstance(each, ast.FormattedValue)
        got = value(each.value)
        if isinstance(got, Unresolved):
            return Unresolved(got.why, got.where)
        if not isinstance(got, str | int | float | PathValue | bool) or each.format_spec is not None:
            return Unresolved("part of an f-string is not in the text", where)
        parts.append(repr(str(got)) if each.conversion == ord("r") else str(got))
        variable = variable or variable_of(got)
    return _marked(_bounded("".join(parts), where), variable, where)


def _dict(node: ast.Dict, value: Callable[[ast.expr], Value], where: Where) -> Value:
    made: dict[Any, Value] = {}
    for key, each in zip(node.keys, node.values, strict=True):
        got = value(each)
        if key is None:
            made.update(
                got if isinstance(got, dict) else {"**": Unresolved("a ** of what the text does not hold", where)}
            )
            continue
        name = value(key)
        if isinstance(name, PathValue):
            name = str(name)
        if isinstance(name, Unresolved) or not isinstance(name, str | int | float | bool | None):
            name = f"<line {key.lineno}>"
        made[name] = got
    return made


def binary(op: ast.operator, left: Value, right: Value, where: Where) -> Value:
    open_end = unresolved_in(right) if isinstance(right, Unresolved | Alternatives) else None
    if isinstance(op, ast.Add) and isinstance(left, list) and open_end is not None:
        return [*left, open_end]  # the known part is known
    if isinstance(op, ast.BitOr) and isinstance(left, dict) and open_end is not None:
        return {**left, "**": open_end}
    missing = left if isinstance(left, Unresolved) else right if isinstance(right, Unresolved) else None
    if missing is not None:
        return Unresolved(missing.why, missing.where)
    if isinstance(left, PathValue) and isinstance(op, ast.Div) and isinstance(right, str | PathValue):
        return PathValue(left.path / str(right))
    act = BINARY.get(type(op))
    if act is None or not _is_data(left) or not _is_data(right):
        return Unresolved("an operator on what the text does not hold", where)
    if isinstance(op, ast.Mult) and not (isinstance(left, int | float) and isinstance(right, int | float)):
        times = right if isinstance(right, int) else left if isinstance(left, int) else 0
        other = left if times is right else right
        if not isinstance(other, str | list | tuple) or times * len(other) > MOST_CHARACTERS:
            return Unresolved("a repetition too large to be written out", where)
    if isinstance(op, ast.Mod) and isinstance(left, str):
        right = tuple(right) if isinstance(right, list) else right
        if PADDED.search(left):
            return Unresolved("a padded format", where)
    if isinstance(left, list) and isinstance(right, tuple):
        right = list(right)
    return _acted(act, (left, right), where)


def _is_data(value: Value) -> bool:
    return isinstance(value, str | int | float | bool | list | tuple | dict)


def _acted(act: Callable[..., Any], args: tuple[Value, ...], where: Where) -> Value:
    variable = next((v for a in args if (v := variable_of(a))), "")
    try:
        return _marked(_bounded(act(*args), where), variable, where)
    except (TypeError, ValueError, ArithmeticError, KeyError, IndexError, AttributeError) as e:
        return Unresolved(f"it does not come to a value ({type(e).__name__})", where)


def _marked(value: Value, variable: str, where: Where) -> Value:
    """The value, which a variable of the environment may override."""
    try:
        return defaulted(value, variable)
    except TypeError:
        return Unresolved(f"it depends on the variable {variable}", where)


def _bounded(value: Value, where: Where) -> Value:
    if isinstance(value, str | list | tuple) and len(value) > MOST_CHARACTERS:
        return Unresolved("a value too large to be written out", where)
    if isinstance(value, int) and value.bit_length() > 256:
        return Unresolved("a number too large to be meant", where)
    return value


def _unary(op: ast.unaryop, value: Value, where: Where) -> Value:
    if isinstance(value, Unresolved):
        return value
    acts: dict[type[ast.unaryop], Callable[[Any], Any]] = {
        ast.USub: operator.neg,
        ast.UAdd: operator.pos,
        ast.Not: operator.not_,
    }
    act = acts.get(type(op))
    if act is None or not (_is_data(value) or value is None):
        return Unresolved("an operator on what the text does not hold", where)
    return _acted(act, (value,), where)


def _boolean(node: ast.BoolOp, value: Callable[[ast.expr], Value], where: Where) -> Value:
    got: Value = None
    variable = ""
    for each in node.values:
        got = value(each)
        if isinstance(node.op, ast.Or) and each is not node.values[-1] and _is_unset(got):
            variable = variable_of(got)  # `os.environ.get("X") or "default"`
            continue
        if unresolved_in(got) is not None or not (_is_data(got) or got is None):
            return got
        if bool(got) == isinstance(node.op, ast.Or):
            return _marked(got, variable, where)
    return _marked(got, variable, where)


def _is_unset(value: Value) -> bool:
    """Whether it is nothing or "" while the variable it comes from is not set."""
    return isinstance(value, NoDefault) or (isinstance(value, DefaultStr) and not value)


def _compare(node: ast.Compare, value: Callable[[ast.expr], Value], where: Where) -> Value:
    left = value(node.left)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = value(right_node)
        for side in (left, right):
            missing = unresolved_in(side)
            if missing is not None or not (_is_data(side) or side is None):
                return Unresolved("a comparison with what the text does not hold", where)
            if variable_of(side):
                return Unresolved(f"it depends on the variable {variable_of(side)}", where)
        if not _acted(COMPARE[type(op)], (left, right), where):
            return False
        left = right
    return True


def _subscript(held: Value, node: ast.Subscript, value: Callable[[ast.expr], Value], where: Where) -> Value:
    if isinstance(held, Dotted) and held.name == "os.environ":
        return Unresolved(f"the environment decides ({ast.unparse(node)})", where)
    if isinstance(held, Unresolved):
        return held
    if isinstance(node.slice, ast.Slice):
        bounds = [None if b is None else value(b) for b in (node.slice.lower, node.slice.upper, node.slice.step)]
        if any(b is not None and not isinstance(b, int) for b in bounds) or not isinstance(held, str | list | tuple):
            return Unresolved("a slice of what the text does not hold", where)
        return _acted(lambda h: h[slice(*bounds)], (held,), where)
    key = value(node.slice)
    if isinstance(held, BoundMethod) and held.name == "parents" and isinstance(held.value, PathValue):
        return _parents(held.value, key, where)
    if unresolved_in(key) is not None or not isinstance(held, str | list | tuple | dict):
        return Unresolved("a part of what the text does not hold", where)
    return _acted(lambda h, k: h[k], (held, key), where)


def _parents(path: PathValue, index: Value, where: Where) -> Value:
    if not isinstance(index, int) or not 0 <= index < 16:
        return Unresolved("a parent that is not in the text", where)
    parent = path.path
    for _ in range(index + 1):
        parent = _parent(parent)
    return PathValue(parent)


def _parent(path: PurePosixPath) -> PurePosixPath:
    """As pathlib on an absolute path: above the first folder of a relative one stands ``..``."""
    if str(path) == "." or path.name == "..":
        return path / ".."
    return path.parent


def path_attribute(held: PathValue, name: str, where: Where) -> Value:
    if name == "parent":
        return PathValue(_parent(held.path))
    if name in ("name", "stem", "suffix"):
        return getattr(held.path, name)
    return BoundMethod(held, name)


def call(called: Value, args: list[Value], keywords: dict[str, Value], where: Where) -> Value:
    """A call of Python's own: pure functions and methods on known data, and the environment with a default."""
    if isinstance(called, Unresolved):
        return called
    if isinstance(called, Dotted):
        return _dotted(called.name, args, keywords, where)
    if isinstance(called, BoundMethod):
        return _method(called, args, keywords, where)
    return Unresolved("a call that the text does not decide", where)


def _dotted(name: str, args: list[Value], keywords: dict[str, Value], where: Where) -> Value:
    if name in ("os.environ.get", "os.getenv"):
        default = args[1] if len(args) > 1 else keywords.get("default")
        if args and isinstance(args[0], str) and isinstance(default, str):
            return DefaultStr(default, args[0])
        variable = str(args[0]) if args and isinstance(args[0], str) else ""
        return NoDefault(f"the environment decides ({variable or 'a variable'})", where, variable=variable)
    if any(unresolved_in(a) is not None for a in (*args, *keywords.values())):
        return next(unresolved_in(a) for a in (*args, *keywords.values()) if unresolved_in(a))
    if name.split(".")[0] == "pathlib" and name.endswith(("Path", "PurePosixPath", "PurePath", "PosixPath")):
        parts = [str(a) for a in args if isinstance(a, str | PathValue)]
        return PathValue(PurePosixPath(*parts)) if len(parts) == len(args) else Unresolved("a path", where)
    if name in (
        "os.path.join",
        "os.path.abspath",
        "os.path.realpath",
        "os.path.normpath",
        "os.fspath",
        "os.path.expanduser",
    ):
        parts = [str(a) for a in args if isinstance(a, str | PathValue)]
        if len(parts) != len(args) or not parts:
            return Unresolved("a path that is not in the text", where)
        return str(PurePosixPath(*parts))
    if name == "os.path.dirname" and args and isinstance(args[0], str | PathValue):
        return str(_parent(PurePosixPath(str(args[0]))))
    if name == "os.path.basename" and args and isinstance(args[0], str | PathValue):
        return PurePosixPath(str(args[0])).name
    act = PURE.get(name)
    if act is None:
        return Unresolved(f"{name} is not followed", where)
    if name == "builtins.str" and args and isinstance(args[0], PathValue):
        return str(args[0])
    if name == "builtins.dict":
        merged = dict(args[0]) if args and isinstance(args[0], dict) else {}
        return merged | keywords
    return _acted(act, tuple(args), where)


CHANGING: dict[type, frozenset[str]] = {
    list: frozenset("append extend insert remove reverse sort clear pop".split()),
    dict: frozenset("update setdefault clear pop popitem".split()),
}


def changes_in_place(called: BoundMethod) -> bool:
    return called.name in CHANGING.get(type(called.value), frozenset())


def changed(called: BoundMethod, args: list[Value], keywords: dict[str, Value], where: Where) -> Value:
    """What a list or dict is after one of its own methods; the known part stays known where order allows it."""
    held, name = called.value, called.name
    given = args[0] if args else None
    if name == "append" and args:
        return _bounded([*held, given], where)
    if name == "extend" and args:
        return _bounded([*held, *given], where) if isinstance(given, list | tuple) else [*held, _open_end(given, where)]
    if name == "update":
        known = given if isinstance(given, dict) else {"**": _open_end(given, where)} if args else {}
        return {**held, **known, **keywords}
    copied = type(held)(held)
    try:
        getattr(copied, name)(*args, **keywords)
    except (TypeError, ValueError, KeyError, IndexError):
        return Unresolved(f"{name}() on what the text does not hold", where)
    return copied


def _open_end(given: Value, where: Where) -> Unresolved:
    return unresolved_in(given) or Unresolved("more that the text does not hold", where)


def _is_small(held: str, name: str, args: list[Value]) -> bool:
    """Whether the result of a string's method stays below MOST_CHARACTERS, before it is made."""
    if name == "format":
        return PADDED_FIELD.search(held) is None
    if name == "replace" and len(args) >= 2:
        return bool(args[0]) and held.count(str(args[0])) * len(str(args[1])) + len(held) <= MOST_CHARACTERS
    if name == "join" and args and isinstance(args[0], list | tuple):
        return sum(len(str(a)) + len(held) for a in args[0]) <= MOST_CHARACTERS
    return True


def _method(called: BoundMethod, args: list[Value], keywords: dict[str, Value], where: Where) -> Value:
    held, name = called.value, called.name
    if isinstance(held, Dotted):
        return _dotted(f"{held.name}.{name}", args, keywords, where)
    if isinstance(held, PathValue):
        if name in ("resolve", "absolute", "expanduser", "as_posix"):
            return str(held) if name == "as_posix" else held
        if name == "joinpath" and all(isinstance(a, str | PathValue) for a in args):
            return PathValue(held.path.joinpath(*(str(a) for a in args)))
        return Unresolved(f"{name}() asks the file system", where)
    if name not in METHODS or not isinstance(held, str | list | tuple | dict):
        return Unresolved(f"{name}() is not followed", where)
    if name not in ("get", "items", "values", "keys", "copy"):
        missing = next((u for u in map(unresolved_in, (*args, *keywords.values())) if u), None)
        if missing is not None:
            return missing
        if isinstance(held, str) and not _is_small(held, name, args):
            return Unresolved("a text too large to be written out", where)
    result = _acted(lambda h, *a: getattr(h, name)(*a, **keywords), (held, *args), where)
    return list(result) if name in ("keys", "values", "items") and not isinstance(result, Unresolved) else result
