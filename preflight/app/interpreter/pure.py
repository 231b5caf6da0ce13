"""Calls of Python's own on known data: builtins, methods of strings, the environment with a default; and lists and
dicts that the text changes in place: they are replaced by what they are afterwards, never changed.
"""

from __future__ import annotations

import builtins
import inspect
import re
import shlex
import textwrap
from collections.abc import Iterable
from copy import copy
from typing import cast

from preflight.app.interpreter import folding, paths
from preflight.app.interpreter.flow import known_part, merged
from preflight.app.interpreter.folding import MOST_CHARACTERS, Act, acted, bounded, filled_length
from preflight.app.interpreter.values import (
    Alternatives,
    BoundMethod,
    Dotted,
    Duration,
    Key,
    NoDefault,
    PathValue,
    Value,
    defaulted,
    unresolved_in,
)
from preflight.app.model import Unresolved
from preflight.model import Where

PADDED_FIELD = re.compile(r"\{[^{}]*(?:[:!]|\[)")
MOST_RANGE = 256
BUILTINS = {
    n: Dotted(f"builtins.{n}")
    for n in (
        "str int float bool len list tuple dict set frozenset sorted reversed range enumerate zip min max sum abs "
        "round any all object property getattr"
    ).split()
}


def _range(*bounds: int) -> list[Value]:
    turns = range(*bounds)
    if len(turns) > MOST_RANGE:
        raise ValueError
    return [*turns]


AS_THEY_ARE = "str int float len list tuple sorted min max sum abs round any all".split()
PURE: dict[str, Act] = {
    **{f"builtins.{name}": getattr(builtins, name) for name in AS_THEY_ARE},
    "builtins.set": lambda *a: list(dict.fromkeys(*a)),
    "builtins.frozenset": lambda *a: list(dict.fromkeys(*a)),
    "builtins.reversed": lambda a: list(reversed(a)),
    "builtins.range": _range,
    "builtins.enumerate": lambda *a, **k: list(enumerate(*a, **k)),
    "builtins.zip": lambda *a: list(zip(*a, strict=False)),
    "shlex.join": lambda words: shlex.join(map(str, words)),
    "shlex.quote": shlex.quote,
    "shlex.split": lambda *a, **k: [*shlex.split(*a, **k)],
    "math.ceil": lambda a: -int(-a // 1),
    "math.floor": lambda a: int(a // 1),
    "textwrap.dedent": textwrap.dedent,
    "inspect.cleandoc": inspect.cleandoc,
}
DELAYED = frozenset({"builtins.list", "builtins.tuple", "builtins.reversed", "builtins.enumerate", "builtins.zip"})
DICTS = frozenset({"builtins.dict", "collections.OrderedDict", "types.MappingProxyType"})
FRACTIONS = {"weeks": 604_800, "days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1, "milliseconds": 0.001}
METHODS = frozenset(
    "join format strip lstrip rstrip split rsplit splitlines replace upper lower title capitalize removeprefix "
    "removesuffix startswith endswith partition rpartition count isdigit keys values items get copy".split()
)
OF_CONTAINERS = frozenset({"get", "items", "values", "keys", "copy"})


def call(called: Value, args: list[Value], keywords: dict[str, Value], where: Where) -> Value:
    """What the call gives; Unresolved for anything that the text does not decide."""
    if isinstance(called, Unresolved):
        return called
    if isinstance(called, Dotted):
        return _dotted(called.name, args, keywords, where)
    if isinstance(called, BoundMethod):
        return _method(called, args, keywords, where)
    return Unresolved("a call that the text does not decide", where)


def _dotted(name: str, args: list[Value], keywords: dict[str, Value], where: Where) -> Value:
    if name in ("os.environ.get", "os.getenv"):
        return _environment(args, keywords, where)
    if name in DICTS:
        return _dict(args, keywords, where)
    if name == "builtins.bool" and len(args) == 1:
        truth = folding.truth(args[0])
        return truth if truth is not None else acted(bool, (args[0],), where)
    if name not in DELAYED:
        missing = unresolved_in([*args, *keywords.values()])
        if missing is not None:
            return missing
    elif not all(isinstance(a, str | list | tuple | dict | int) for a in args):
        return next(filter(None, map(unresolved_in, args)), Unresolved(f"{name} of what the text does not hold", where))
    found = paths.called(name, args, where)
    if found is not None:
        return found
    if name == "datetime.timedelta" and not args and keywords.keys() <= FRACTIONS.keys():
        amounts = [FRACTIONS[k] * v for k, v in keywords.items() if isinstance(v, int | float)]
        known = len(amounts) == len(keywords)
        return Duration(sum(amounts)) if known else Unresolved("a duration that is not in the text", where)
    act = PURE.get(name)
    if act is None:
        return Unresolved(f"{name} is not followed", where)
    if name == "builtins.str" and args and isinstance(args[0], PathValue):
        return str(args[0])
    if any(isinstance(a, Dotted) for a in args):  # str() of it would be our own object's text
        return Unresolved("an imported value that is not in the text", where)
    return acted(lambda *a: act(*a, **keywords), tuple(args), where)


def _environment(args: list[Value], keywords: dict[str, Value], where: Where) -> Value:
    default = args[1] if len(args) > 1 else keywords.get("default")
    variable = str(args[0]) if args and isinstance(args[0], str) else ""
    if variable and isinstance(default, str | int | float) and default is not False and default is not True:
        return defaulted(default, variable)
    if isinstance(default, Unresolved | Alternatives):
        return unresolved_in(default)
    return NoDefault(f"the environment decides ({variable or 'a variable'})", where, variable=variable)


def _dict(args: list[Value], keywords: dict[str, Value], where: Where) -> Value:
    given = merged(args[0]) if args else {}
    given = folding.of_pairs(given, where) if isinstance(given, list | tuple) else given
    if not isinstance(given, dict):
        return unresolved_in(args[0]) or Unresolved("a dict of what the text does not hold", where)
    return given | keywords


def _is_small(text: str, name: str, args: list[Value], keywords: dict[str, Value]) -> bool:
    """Whether the result of a string's method stays below MOST_CHARACTERS, before it is made."""
    if name == "format":
        given = [*args, *keywords.values()]
        return PADDED_FIELD.search(text) is None and filled_length(text, text.count("{"), given) <= MOST_CHARACTERS
    if name == "replace" and len(args) >= 2:
        return bool(args[0]) and text.count(str(args[0])) * len(str(args[1])) + len(text) <= MOST_CHARACTERS
    if name == "join" and args and isinstance(args[0], str | list | tuple | dict):
        return sum(len(str(a)) + len(text) for a in args[0]) <= MOST_CHARACTERS
    return True


def _method(called: BoundMethod, args: list[Value], keywords: dict[str, Value], where: Where) -> Value:
    receiver, name = called.value, called.name
    if isinstance(receiver, Dotted):
        return _dotted(f"{receiver.name}.{name}", args, keywords, where)
    if isinstance(receiver, PathValue):
        return paths.method(receiver, name, args, where)
    if isinstance(receiver, Duration) and name == "total_seconds":
        return receiver.seconds
    if name not in METHODS or not isinstance(receiver, str | list | tuple | dict):
        return Unresolved(f"{name}() is not followed", where)
    if name not in OF_CONTAINERS:
        missing = unresolved_in([*args, *keywords.values()])
        if missing is not None:
            return missing
        if isinstance(receiver, str) and not _is_small(receiver, name, args, keywords):
            return Unresolved("a text too large to be written out", where)
    if name == "get" and args and unresolved_in(args[0]) is not None:
        return unresolved_in(args[0])
    if name == "get" and isinstance(receiver, dict) and "**" in receiver and args and args[0] not in receiver:
        return receiver["**"]

    def act(receiver: Value, *args: Value) -> Value:
        result: Value = getattr(receiver, name)(*args, **keywords)
        return list(cast("Iterable[Value]", result)) if name in ("keys", "values", "items") else result

    return acted(act, (receiver, *args), where)


CHANGING: dict[type, frozenset[str]] = {
    list: frozenset("append extend insert remove reverse sort clear pop".split()),
    dict: frozenset("update setdefault clear pop popitem".split()),
}


def changes_in_place(called: BoundMethod) -> bool:
    return called.name in CHANGING.get(type(called.value), frozenset())


def changed(called: BoundMethod, args: list[Value], keywords: dict[str, Value], where: Where) -> Value:
    """What a list or dict is after one of its own methods; the known part stays known where order allows it."""
    old, name = called.value, called.name
    given = args[0] if args else None
    if name == "append" and args and isinstance(old, list):
        return bounded([*old, given], where)
    if name == "extend" and args and isinstance(old, list):
        given = known_part(given)
        return bounded([*old, *given], where) if isinstance(given, list | tuple) else [*old, open_end(given, where)]
    if name == "update" and isinstance(old, dict):
        given = merged(given)
        known: dict[Key, Value] = {"**": open_end(given, where)} if args else {}
        return old | (given if isinstance(given, dict) else known) | keywords
    return _acted(called, args, keywords, where)[0]


def given_back(called: BoundMethod, args: list[Value], where: Where) -> Value:
    """What the method itself gives: of ``pop`` and ``setdefault`` the element, else nothing."""
    return _acted(called, args, {}, where)[1] if called.name in ("pop", "setdefault") else None


def _acted(called: BoundMethod, args: list[Value], keywords: dict[str, Value], where: Where) -> tuple[Value, Value]:
    """A copy of the container after the method, and what the method gives."""
    copied = copy(called.value)
    try:
        return copied, getattr(copied, called.name)(*args, **keywords)
    except (TypeError, ValueError, KeyError, IndexError):
        why = Unresolved(f"{called.name}() on what the text does not hold", where)
        return why, why


def with_item(old: Value, key: Value, value: Value, where: Where) -> Value:
    """The container after ``old[key] = value``; anything else as it is."""
    if isinstance(old, dict):
        return {**old, key if isinstance(key, str | int) else f"<line {where.line}>": value}
    if not isinstance(old, list):
        return old
    if isinstance(key, int) and -len(old) <= key < len(old):
        return [*old[:key], value, *old[key:][1:]]
    return Unresolved("a list that is changed in place", where)


def open_end(given: Value, where: Where) -> Unresolved:
    return unresolved_in(given) or Unresolved("more that the text does not hold", where)
