"""TOML read into frozen dataclasses, and written from them.

A key that nobody knows or a value of another type is refused by name.

Types understood in a field: ``str int float bool``, ``X | None``, ``tuple[X, ...]``, ``Mapping[str, X]``, a
string enum, and dataclasses of these.  A whole number is taken where a float is wanted.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar, cast

T = TypeVar("T")
WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class WrongTable(ValueError):
    """``key`` is the dotted path of the value, ``wanted`` what would have been right there."""

    def __init__(self, source: str, key: str, wanted: str, seen: str) -> None:
        super().__init__(f"{source}: {key}: wanted {wanted}, found {seen}")
        self.source = source
        self.key = key
        self.wanted = wanted


def read(cls: type[T], table: Mapping[str, object], source: str, key: str = "") -> T:
    """``table`` as a ``cls``.  Raises WrongTable naming ``source``, the key and what was wanted."""
    assert dataclasses.is_dataclass(cls)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    hints = typing.get_type_hints(cls)
    values: dict[str, object] = {}
    for name, value in table.items():
        here = f"{key}.{name}" if key else name
        if name.replace("-", "_") not in fields:
            known = ", ".join(n.replace("_", "-") for n in fields)
            raise WrongTable(source, here, f"one of {known}", "a key that no scenario has")
        values[name.replace("-", "_")] = _value(hints[name.replace("-", "_")], value, source, here)
    for name, field in fields.items():
        missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if missing and name not in values:
            here = f"{key}.{name}" if key else name
            raise WrongTable(source, here, _words(hints[name]), "nothing")
    return cast(T, cls(**values))


def _value(wanted: Any, value: object, source: str, key: str) -> object:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        return _value(next(a for a in arguments if a is not types.NoneType), value, source, key)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], v, source, f"{key}[{n}]") for n, v in enumerate(value))
    if origin is Mapping and isinstance(value, dict):
        return {k: _value(arguments[1], v, source, f"{key}.{k}") for k, v in value.items()}
    if dataclasses.is_dataclass(wanted) and isinstance(value, dict):
        return read(cast(type[object], wanted), value, source, key)
    if isinstance(wanted, type) and issubclass(wanted, StrEnum) and value in set(wanted):
        return wanted(str(value))
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted in WORDS and type(value) is wanted:
        return value
    raise WrongTable(source, key, _words(wanted), repr(value))


def _words(wanted: Any) -> str:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        return _words(next(a for a in arguments if a is not types.NoneType))
    if origin is tuple:
        return f"a list of {_words(arguments[0])}"
    if origin is Mapping or dataclasses.is_dataclass(wanted):
        return "a table"
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return "one of " + ", ".join(wanted)
    return WORDS[wanted]


def write(given: Any) -> str:
    """What of a dataclass differs from its defaults, as TOML that ``read`` takes."""
    return "\n".join(_lines(_plain(given), ())).lstrip("\n") + "\n"


def _plain(given: Any) -> Any:
    if not dataclasses.is_dataclass(given):
        return {k: _plain(v) for k, v in given.items()} if isinstance(given, Mapping) else given
    differing = {
        f.name: getattr(given, f.name) for f in dataclasses.fields(given) if getattr(given, f.name) != _default(f)
    }
    return {k.replace("_", "-"): _plain(v) for k, v in differing.items() if v is not None}


def _default(field: Any) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Values first, then the tables below: the order that TOML wants."""
    lines, below = [], []
    for key, value in table.items():
        here = (*path, key)
        if isinstance(value, Mapping):
            below += ["", f"[{_dotted(here)}]", *_lines(value, here)]
        elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            for each in value:
                below += ["", f"[[{_dotted(here)}]]", *_lines(_plain(each), here)]
        else:
            lines.append(f"{_dotted((key,))} = {_written(value)}")
    return [*lines, *below]


def _dotted(path: tuple[str, ...]) -> str:
    bare = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    return ".".join(p if p and set(p) <= bare else json.dumps(p) for p in path)


def _written(value: Any) -> str:
    """JSON's text, numbers, lists and booleans are TOML's too, but for DEL."""
    return json.dumps(value).replace("\x7f", "\\u007f")
