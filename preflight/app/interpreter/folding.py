"""Constant folding: what an expression of known parts comes to.  Bounded, and free of effects."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from preflight.app.interpreter import paths
from preflight.app.interpreter.flow import either, known_part, merged, over
from preflight.app.interpreter.values import (
    Alternatives,
    AppValue,
    BoundMethod,
    DefaultBool,
    Dotted,
    ImageValue,
    NoDefault,
    OfEnviron,
    Opaque,
    PathValue,
    Value,
    defaulted,
    unresolved_in,
    variable_of,
)
from preflight.app.model import SecretRef, Unresolved, VolumeRef
from preflight.model import Where

PADDED = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(?:\d|\*|\.)")  # a width or a precision: of any size
ModalObject = AppValue | ImageValue | Opaque | SecretRef | VolumeRef  # each of them is something, and true
Comprehended: TypeAlias = tuple[list[Value], list[Value]] | None  # what is there for sure, and what may be
MOST_CHARACTERS = 100_000  # of a folded string or list: more is not written by hand
BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.LShift: operator.lshift,
    ast.Pow: operator.pow,
}
MOST_EXPONENT = 256
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


def fold(
    node: ast.expr,
    value: Callable[[ast.expr], Value],
    place: Callable[[], Where],
    comprehended: Callable[[list[ast.comprehension], Callable[[], Value]], Comprehended],
) -> Value:
    """Operators, literals of containers, f-strings, subscripts and comprehensions."""
    if isinstance(node, ast.JoinedStr):
        return _joined(node, value, place())
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        items: list[Value] = []
        for each in node.elts:
            got = known_part(value(each)) if isinstance(each, ast.Starred) else value(each)
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
        return _comprehension(comprehended(node.generators, lambda: value(node.elt)), place())
    if isinstance(node, ast.DictComp):
        pairs = _comprehension(comprehended(node.generators, lambda: (value(node.key), value(node.value))), place())
        return over(lambda some: _of_pairs(some, place()), pairs)
    return Unresolved(f"{type(node).__name__} is not folded", place())


def _comprehension(made: Comprehended, where: Where) -> Value:
    """What it comes to: with the elements that a condition may leave out, and without."""
    if made is None:
        return Unresolved("a comprehension over what the text does not hold", where)
    sure, possible = made
    return sure if len(sure) == len(possible) else either([sure, possible])


def _of_pairs(pairs: Value, where: Where) -> Value:
    if isinstance(pairs, Unresolved):
        return pairs
    made: dict[Any, Value] = {}
    for pair in pairs if isinstance(pairs, list) else [None]:
        if not isinstance(pair, tuple) or unresolved_in(pair[0]) or isinstance(pair[0], list | dict):
            return Unresolved("a comprehension over what the text does not hold", where)
        made[pair[0]] = pair[1]
    return made


def _joined(node: ast.JoinedStr, value: Callable[[ast.expr], Value], where: Where) -> Value:
    parts = [each.value if isinstance(each, ast.FormattedValue) else None for each in node.values]
    found = [value(p) for p in parts if p is not None]
    return over(lambda *values: _filled(node, iter(values), where), *found)


def _filled(node: ast.JoinedStr, values: Iterator[Value], where: Where) -> Value:
    parts: list[str] = []
    variable = ""
    for each in node.values:
        if isinstance(each, ast.Constant):
            parts.append(str(each.value))
            continue
        assert isinstance(each, ast.FormattedValue)
        got = next(values)
        if isinstance(got, Unresolved):
            return Unresolved(got.why, got.where)
        if not isinstance(got, str | int | float | PathValue | bool) or each.format_spec is not None:
            return Unresolved("part of an f-string is not in the text", where)
        parts.append(repr(str(got)) if each.conversion == ord("r") else str(got))
        variable = variable or variable_of(got)
    if sum(map(len, parts)) > MOST_CHARACTERS:
        return Unresolved("a value too large to be written out", where)
    return marked("".join(parts), variable, where)


def _dict(node: ast.Dict, value: Callable[[ast.expr], Value], where: Where) -> Value:
    made: dict[Any, Value] = {}
    for key, each in zip(node.keys, node.values, strict=True):
        got = value(each)
        if key is None:
            got = merged(got)
            made.update(
                got if isinstance(got, dict) else {"**": Unresolved("a ** of what the text does not hold", where)}
            )
            continue
        name = value(key)
        name = name.default if isinstance(name, Alternatives) else name
        if isinstance(name, PathValue):
            name = str(name)
        if isinstance(name, Unresolved) or not isinstance(name, str | int | float | bool | None):
            name = f"<line {key.lineno}>"
        made[name] = got
    return made


def binary(op: ast.operator, left: Value, right: Value, where: Where) -> Value:
    return over(lambda one, other: _binary(op, one, other, where), left, right)


def _binary(op: ast.operator, left: Value, right: Value, where: Where) -> Value:
    if isinstance(op, ast.Add) and isinstance(left, list) and isinstance(right, Unresolved):
        return [*left, right]  # the known part is known
    if isinstance(op, ast.BitOr) and isinstance(left, dict) and isinstance(right, Unresolved):
        return {**left, "**": right}
    missing = left if isinstance(left, Unresolved) else right if isinstance(right, Unresolved) else None
    if missing is not None:
        return Unresolved(missing.why, missing.where)
    if isinstance(left, PathValue) and isinstance(op, ast.Div) and isinstance(right, str | PathValue):
        if len(str(left)) + len(str(right)) > paths.LONGEST:
            return Unresolved("a path longer than any system takes", where)
        return PathValue(left.path / str(right))
    act = BINARY.get(type(op))
    if act is None or not _is_data(left) or not _is_data(right):
        return Unresolved("an operator on what the text does not hold", where)
    if not _is_small(op, left, right):
        return Unresolved("a value too large to be written out", where)
    if isinstance(op, ast.Mod) and isinstance(left, str):
        right = tuple(right) if isinstance(right, list) else right
        if PADDED.search(left):
            return Unresolved("a padded format", where)
        if filled_length(left, left.count("%"), right) > MOST_CHARACTERS:
            return Unresolved("a text too large to be written out", where)
    if isinstance(left, list) and isinstance(right, tuple):
        right = list(right)
    return acted(act, (left, right), where)


def filled_length(text: str, fields: int, given: Value) -> int:
    """At most how long a format of so many fields is when it is filled in, before it is made."""
    values = given.values() if isinstance(given, dict) else given if isinstance(given, tuple | list) else [given]
    return len(text) + fields * max((_length(v) for v in values), default=0)


def _length(value: Value) -> int:
    """Of the value as text; a number has at most as many digits as bits."""
    if isinstance(value, str):
        return 4 * len(value)  # as an escape, where it is asked for
    return MOST_CHARACTERS if isinstance(value, list | tuple | dict) and len(value) > 100 else 400


def _is_small(op: ast.operator, left: Value, right: Value) -> bool:
    """Whether the result is of a size that somebody may have meant, before it is made."""
    if isinstance(op, ast.Pow | ast.LShift):
        return isinstance(right, int) and 0 <= right <= MOST_EXPONENT and isinstance(left, int) and abs(left) < 2**64
    if isinstance(op, ast.Mult) and not (isinstance(left, int | float) and isinstance(right, int | float)):
        times = right if isinstance(right, int) else left if isinstance(left, int) else 0
        other = left if times is right else right
        return isinstance(other, str | list | tuple) and times * len(other) <= MOST_CHARACTERS
    return True


def _is_data(value: Value) -> bool:
    return isinstance(value, str | int | float | bool | list | tuple | dict)


def acted(act: Callable[..., Any], args: tuple[Value, ...], where: Where) -> Value:
    """``act`` on known data, bounded, and marked with the variable that may override it."""
    variable = next((v for a in args if (v := variable_of(a))), "")
    try:
        return marked(bounded(act(*args), where), variable, where)
    except (TypeError, ValueError, ArithmeticError, KeyError, IndexError, AttributeError) as e:
        return Unresolved(f"it does not come to a value ({type(e).__name__})", where)


def marked(value: Value, variable: str, where: Where) -> Value:
    """The value, which a variable of the environment may override."""
    try:
        return defaulted(value, variable)
    except TypeError:
        return Unresolved(f"it depends on the variable {variable}", where)


def bounded(value: Value, where: Where) -> Value:
    """The value, unless nobody would write one of that size."""
    if isinstance(value, str | list | tuple) and len(value) > MOST_CHARACTERS:
        return Unresolved("a value too large to be written out", where)
    if isinstance(value, int) and value.bit_length() > 256:
        return Unresolved("a number too large to be meant", where)
    return value


def _unary(op: ast.unaryop, value: Value, where: Where) -> Value:
    return over(lambda one: _unary_of(op, one, where), value)


def _unary_of(op: ast.unaryop, value: Value, where: Where) -> Value:
    if isinstance(op, ast.Not):
        doubt = truth(value)
        if doubt is not None:
            return DefaultBool(not doubt.value, doubt.variable)
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
    return acted(act, (value,), where)


def truth(value: Value) -> DefaultBool | None:
    """What a condition comes to while the variable that decides it is not set; None where no variable does."""
    if isinstance(value, Alternatives) and value.usual >= 0:
        value = value.default
    variable = variable_of(value)
    if not variable:
        return None
    if isinstance(value, DefaultBool):
        return value
    return DefaultBool(not isinstance(value, NoDefault) and bool(value), variable)


def _boolean(node: ast.BoolOp, value: Callable[[ast.expr], Value], where: Where) -> Value:
    """``or`` and ``and``; `os.environ.get("X") or "default"` is the default, which the variable may override."""
    is_or = isinstance(node.op, ast.Or)
    got: Value = None
    variable = ""
    for each in node.values:
        got = value(each)
        if each is node.values[-1]:
            break
        doubt = truth(got)
        if doubt is not None:
            variable = variable or doubt.variable
            if doubt.value == is_or:
                break
        elif isinstance(got, ModalObject):
            if is_or:
                break
        elif unresolved_in(got) is not None or not (_is_data(got) or got is None):
            return unresolved_in(got) or got
        elif bool(got) == is_or:
            break
    if got is None and variable:
        return NoDefault(f"the environment decides ({variable})", where, variable=variable)
    return marked(got, variable, where) if _is_data(got) else got


def _compare(node: ast.Compare, value: Callable[[ast.expr], Value], where: Where) -> Value:
    sides = [value(node.left), *(value(c) for c in node.comparators)]
    return over(lambda *each: _compared(node.ops, each, where), *sides)


def _compared(ops: list[ast.cmpop], sides: tuple[Value, ...], where: Where) -> Value:
    variable = ""
    is_true = True
    for op, left, right in zip(ops, sides, sides[1:], strict=False):
        if isinstance(op, ast.Is | ast.IsNot) and right is None and isinstance(left, ModalObject):
            is_true = is_true and isinstance(op, ast.IsNot)
            continue
        if isinstance(right, Dotted) and right.name == "os.environ" and isinstance(left, str):
            variable, right = variable or str(left), ()  # `"X" in os.environ`: not, unless it is set
        plain: list[Value] = []
        for side in (left, right):
            variable = variable or variable_of(side)
            plain.append(None if isinstance(side, NoDefault) and side.variable else side)
            if unresolved_in(plain[-1]) is not None or not (_is_data(plain[-1]) or plain[-1] is None):
                return Unresolved("a comparison with what the text does not hold", where)
        try:
            is_true = is_true and bool(COMPARE[type(op)](*plain))
        except TypeError:
            return Unresolved("a comparison that fails", where)
    return DefaultBool(is_true, variable) if variable else is_true


def _subscript(held: Value, node: ast.Subscript, value: Callable[[ast.expr], Value], where: Where) -> Value:
    if isinstance(node.slice, ast.Slice):
        return _sliced(held, node.slice, value, where)
    return over(lambda one, key: _item(one, key, node, where), held, value(node.slice))


def _sliced(held: Value, node: ast.Slice, value: Callable[[ast.expr], Value], where: Where) -> Value:
    bounds = [None if b is None else value(b) for b in (node.lower, node.upper, node.step)]
    if any(b is not None and not isinstance(b, int) for b in bounds) or not isinstance(held, str | list | tuple):
        return unresolved_in(held) or Unresolved("a slice of what the text does not hold", where)
    return acted(lambda h: h[slice(*bounds)], (held,), where)


def _item(held: Value, key: Value, node: ast.Subscript, where: Where) -> Value:
    if isinstance(held, Dotted) and held.name == "os.environ":
        why = f"the environment decides ({ast.unparse(node)})"
        return OfEnviron(why, where, variable=key) if isinstance(key, str) else Unresolved(why, where)
    if isinstance(held, Unresolved):
        return held
    if isinstance(held, BoundMethod) and held.name == "parents" and isinstance(held.value, PathValue):
        return paths.parent_number(held.value, key, where)
    if unresolved_in(key) is not None:
        return unresolved_in(key)
    if not isinstance(held, str | list | tuple | dict):
        return Unresolved("a part of what the text does not hold", where)
    if isinstance(held, dict) and "**" in held and key not in held:
        return held["**"]
    return acted(lambda h, k: h[k], (held, key), where)
