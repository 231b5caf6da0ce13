"""Constant folding: what an expression of known parts comes to.  Bounded, and free of effects."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from preflight.app.interpreter import paths
from preflight.app.interpreter.flow import either, known_part, merged, over
from preflight.app.interpreter.values import (
    Alternatives,
    AppValue,
    BoundMethod,
    DefaultBool,
    Dotted,
    ImageValue,
    Key,
    NoDefault,
    OfEnviron,
    Opaque,
    PathValue,
    Value,
    defaulted,
    unresolved_in,
    usual,
    variable_of,
)
from preflight.app.model import SecretRef, Unresolved, VolumeRef
from preflight.model import Where

if TYPE_CHECKING:
    from preflight.app.interpreter.module import Interpreter

PADDED = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(?:\d|\*|\.)")  # a width or a precision: of any size
ModalObject = AppValue | ImageValue | Opaque | SecretRef | VolumeRef  # each of them is something, and true
Comprehended: TypeAlias = tuple[list[Value], list[Value]] | None  # what is there for sure, and what may be
MOST_CHARACTERS = 100_000  # of a folded string or list: more is not written by hand
Act: TypeAlias = "Callable[..., Value]"
BINARY: dict[type[ast.operator], Act] = {
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
UNARY: dict[type[ast.unaryop], Act] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_}
MOST_EXPONENT = 256
COMPARE: dict[type[ast.cmpop], Act] = {
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


def fold(scope: Interpreter, node: ast.expr) -> Value:
    """Operators, literals of containers, f-strings, subscripts and comprehensions."""
    value, where = scope.value, scope.where(node)
    match node:
        case ast.JoinedStr():
            found = [value(each.value) for each in node.values if isinstance(each, ast.FormattedValue)]
            return over(lambda *values: _filled(node, iter(values), where), *found)
        case ast.List() | ast.Tuple() | ast.Set():
            items = spread(scope, node.elts)
            return tuple(items) if isinstance(node, ast.Tuple) else items
        case ast.Dict():
            return _dict(scope, node, where)
        case ast.BinOp():
            return binary(node.op, value(node.left), value(node.right), where)
        case ast.UnaryOp():
            return over(lambda one: _unary(node.op, one, where), value(node.operand))
        case ast.BoolOp():
            return _boolean(scope, node, where)
        case ast.Compare():
            sides = [value(node.left), *(value(c) for c in node.comparators)]
            return over(lambda *each: _compared(node.ops, each, where), *sides)
        case ast.Subscript(slice=ast.Slice() as part):
            return _sliced(scope, value(node.value), part, where)
        case ast.Subscript():
            return over(lambda one, key: _item(one, key, node, where), value(node.value), value(node.slice))
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            return _comprehension(scope.comprehended(node.generators, lambda: value(node.elt)), where)
        case ast.DictComp():
            made = scope.comprehended(node.generators, lambda: (value(node.key), value(node.value)))
            return over(lambda pairs: of_pairs(pairs, where), _comprehension(made, where))
    return Unresolved(f"{type(node).__name__} is not folded", where)


def spread(scope: Interpreter, nodes: list[ast.expr]) -> list[Value]:
    """The values of arguments or elements; ``*`` of a known value is spread, of another it stands as Unresolved."""
    found: list[Value] = []
    for each in nodes:
        value = scope.value(each)
        if not isinstance(each, ast.Starred):
            found.append(value)
        elif isinstance(value := known_part(value), list | tuple):
            found += value
        else:
            found.append(unresolved_in(value) or Unresolved("a * of what the text does not hold", scope.where(each)))
    return found


def _comprehension(made: Comprehended, where: Where) -> Value:
    """What it comes to: with the elements that a condition may leave out, and without."""
    if made is None:
        return Unresolved("a comprehension over what the text does not hold", where)
    sure, possible = made
    return sure if len(sure) == len(possible) else either([sure, possible])


def of_pairs(pairs: Value, where: Where) -> Value:
    """A dict of its keys and values."""
    made: dict[Key, Value] = {}
    for pair in pairs if isinstance(pairs, list | tuple) else [pairs]:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not isinstance(pair[0], str | int | float | None):
            return unresolved_in(pair) or Unresolved("a dict of what the text does not hold", where)
        made[pair[0]] = pair[1]
    return made


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


def _dict(scope: Interpreter, node: ast.Dict, where: Where) -> Value:
    made: dict[Key, Value] = {}
    for key, each in zip(node.keys, node.values, strict=True):
        got = scope.value(each)
        if key is None:
            more = merged(got)
            missing = Unresolved("a ** of what the text does not hold", where)
            made |= more if isinstance(more, dict) else {"**": missing}
            continue
        name = usual(scope.value(key))
        name = str(name) if isinstance(name, PathValue) else name
        made[name if isinstance(name, str | int | float | None) else f"<line {key.lineno}>"] = got
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


def acted(act: Act, args: tuple[Value, ...], where: Where) -> Value:
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
    if isinstance(op, ast.Not):
        doubt = truth(value)
        if doubt is not None:
            return DefaultBool(not doubt.value, doubt.variable)
    if isinstance(value, Unresolved):
        return value
    act = UNARY.get(type(op))
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


def _boolean(scope: Interpreter, node: ast.BoolOp, where: Where) -> Value:
    """``or`` and ``and``; `os.environ.get("X") or "default"` is the default, which the variable may override."""
    is_or = isinstance(node.op, ast.Or)
    got: Value = None
    variable = ""
    for each in node.values:
        got = scope.value(each)
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


def _sliced(scope: Interpreter, container: Value, node: ast.Slice, where: Where) -> Value:
    bounds = [None if b is None else scope.value(b) for b in (node.lower, node.upper, node.step)]
    if any(b is not None and not isinstance(b, int) for b in bounds) or not isinstance(container, str | list | tuple):
        return unresolved_in(container) or Unresolved("a slice of what the text does not hold", where)
    return acted(lambda h: h[slice(*bounds)], (container,), where)


def _item(container: Value, key: Value, node: ast.Subscript, where: Where) -> Value:
    if isinstance(container, Dotted) and container.name == "os.environ":
        why = f"the environment decides ({ast.unparse(node)})"
        return OfEnviron(why, where, variable=key) if isinstance(key, str) else Unresolved(why, where)
    if isinstance(container, Unresolved):
        return container
    if isinstance(container, BoundMethod) and container.name == "parents" and isinstance(container.value, PathValue):
        return paths.parent_number(container.value, key, where)
    if unresolved_in(key) is not None:
        return unresolved_in(key)
    if not isinstance(container, str | list | tuple | dict):
        return Unresolved("a part of what the text does not hold", where)
    if isinstance(container, dict) and "**" in container and key not in container:
        return container["**"]
    return acted(lambda h, k: h[k], (container, key), where)
