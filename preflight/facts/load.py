"""Loads the dated tables, each only when somebody asks for it."""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, cast

from preflight.facts.digest import FOLDER
from preflight.facts.types import Row, Table

R = TypeVar("R", bound=Row)


class WrongFact(ValueError):
    """A row of a fact table is not what its type says; the text names file, row, key and what was wanted."""


@cache
def rows(table: Table) -> tuple[Row, ...]:
    """Every row, typed.  Raises WrongFact."""
    return read((FOLDER / table.file).read_text("utf-8"), table)


def rows_of(table: Table, row: type[R]) -> tuple[R, ...]:
    """``rows`` with the row's own type for the type checker; ``row`` is the type that ``table`` names."""
    if table.row is not row:
        raise TypeError(f"{table.file} holds {table.row.__name__}, not {row.__name__}")
    return cast("tuple[R, ...]", rows(table))


def read(text: str, table: Table) -> tuple[Row, ...]:
    """The rows of a table's text.  Raises WrongFact for a key or a value that does not belong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise WrongFact(f"{table.file}: {e}") from e
    found = document.pop(table.key, None)
    if document or not isinstance(found, list):
        raise WrongFact(f"{table.file}: wanted [[{table.key}]] rows and nothing else, found {sorted(document)}")
    return tuple(cast(Row, _row(table.row, row, f"{table.file}, row {n}")) for n, row in enumerate(found, 1))


def _row(cls: type[Any], values: Mapping[str, object], place: str) -> object:
    wanted = _fields(cls)
    for key in values:
        if key not in wanted:
            raise WrongFact(f"{place}: {key} is no key of {cls.__name__}, which has {', '.join(wanted)}")
    missing = [k for k, (_, has_default) in wanted.items() if not has_default and k not in values]
    if missing:
        raise WrongFact(f"{place}: {', '.join(missing)} missing")
    return cls(**{key: _value(wanted[key][0], value, f"{place}, {key}") for key, value in values.items()})


_FIELDS: dict[type, dict[str, tuple[Any, bool]]] = {}


def _fields(cls: type[Any]) -> dict[str, tuple[Any, bool]]:
    """Name → (type, whether it may be left out); kept, since a table has many rows of one type."""
    if cls in _FIELDS:
        return _FIELDS[cls]
    hints = typing.get_type_hints(cls)
    none = dataclasses.MISSING
    _FIELDS[cls] = {
        f.name: (hints[f.name], f.default is not none or f.default_factory is not none) for f in dataclasses.fields(cls)
    }
    return _FIELDS[cls]


def _value(wanted: Any, value: object, place: str) -> object:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        return _value(next(a for a in arguments if a is not types.NoneType), value, place)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], v, place) for v in value)
    if origin is not None and isinstance(value, dict):
        return {k: _value(arguments[1], v, place) for k, v in value.items()}
    if dataclasses.is_dataclass(wanted) and isinstance(value, dict):
        return _row(cast("type[Any]", wanted), value, place)
    if isinstance(wanted, type) and issubclass(wanted, StrEnum) and value in set(wanted):
        return wanted(str(value))
    if wanted is float and type(value) in (int, float):
        return float(cast(float, value))
    if wanted in (str, int, bool, date) and type(value) is wanted:
        return value
    raise WrongFact(f"{place}: wanted {getattr(wanted, '__name__', wanted)}, found {value!r}")
