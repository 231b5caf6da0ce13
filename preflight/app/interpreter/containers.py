"""Lists and dicts that the text changes in place: what they are afterwards.  They are replaced, never changed."""

from __future__ import annotations

from copy import copy

from preflight.app.interpreter.flow import known_part, merged
from preflight.app.interpreter.folding import bounded
from preflight.app.interpreter.values import BoundMethod, Key, Value, unresolved_in
from preflight.app.model import Unresolved
from preflight.model import Where

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
    if name == "append" and args and isinstance(held, list):
        return bounded([*held, given], where)
    if name == "extend" and args and isinstance(held, list):
        given = known_part(given)
        return bounded([*held, *given], where) if isinstance(given, list | tuple) else [*held, open_end(given, where)]
    if name == "update" and isinstance(held, dict):
        given = merged(given)
        known: dict[Key, Value] = {"**": open_end(given, where)} if args else {}
        return held | (given if isinstance(given, dict) else known) | keywords
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


def with_item(held: Value, key: Value, value: Value, where: Where) -> Value:
    """The container after ``held[key] = value``; anything else as it is."""
    if isinstance(held, dict):
        return {**held, key if isinstance(key, str | int) else f"<line {where.line}>": value}
    if not isinstance(held, list):
        return held
    if isinstance(key, int) and -len(held) <= key < len(held):
        return [*held[:key], value, *held[key:][1:]]
    return Unresolved("a list that is changed in place", where)


def open_end(given: Value, where: Where) -> Unresolved:
    return unresolved_in(given) or Unresolved("more that the text does not hold", where)
