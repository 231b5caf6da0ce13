"""Rows as the text of a table, and the difference between two tables in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum

import msgspec

from preflight.facts.load import identity
from preflight.facts.types import Row, Table

PROVENANCE = ("source", "seen", "how")


def table_text(table: Table, rows: Iterable[Row], head: str = "") -> str:
    """TOML that ``facts.load.read`` takes; what a row leaves at its default is not written."""
    blocks = ["\n".join((f"[[{table.key}]]", *_lines(row))) for row in rows]
    return "\n\n".join(([head.rstrip()] if head else []) + blocks) + "\n"


def head_of(text: str) -> str:
    """The comment above the first row."""
    return "".join(line for line in text.partition("[[")[0].splitlines(keepends=True) if line.startswith("#"))


def _lines(row: Row) -> Iterator[str]:
    for name in (*(f for f in row.__struct_fields__ if f not in PROVENANCE), *PROVENANCE):
        value = getattr(row, name)
        default = dict(zip(reversed(row.__struct_fields__), reversed(row.__struct_defaults__), strict=False))
        if value is not None and not (name in default and value == default[name]):
            yield f"{name} = {_toml(value, depth=0)}"


def _toml(value: object, depth: int = 1) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, StrEnum | str):
        return msgspec.json.encode(str(value)).decode()  # a JSON string is a basic string of TOML
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, msgspec.Struct):
        keys = msgspec.structs.asdict(value)
        return f"{{ {', '.join(f'{k} = {_toml(v)}' for k, v in keys.items() if v != '')} }}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple | list):
        if depth == 0 and value and isinstance(value[0], msgspec.Struct):
            return "[\n" + "".join(f"    {_toml(v)},\n" for v in value) + "]"
        return f"[{', '.join(map(_toml, value))}]"
    return repr(value)


def differences(table: Table, old: Iterable[Row], new: Iterable[Row]) -> Iterator[str]:
    """ "torch 2.16 is new", "torch 2.15: patches was 2.15.0, is 2.15.0, 2.15.1": one line a thing."""
    before = {identity(table, row): row for row in old}
    for row in new:
        name = " ".join(dict.fromkeys((*(() if table.by[0] == "package" else (table.key,)), *identity(table, row))))
        was = before.get(identity(table, row))
        if was is None:
            yield f"{name} is new"
            continue
        fields = (f for f in row.__struct_fields__ if f not in PROVENANCE and getattr(row, f) != getattr(was, f))
        for field in fields:
            yield f"{name}: {field} was {_spoken(getattr(was, field))}, is {_spoken(getattr(row, field))}"


def _spoken(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 120 else text[:119] + "…" if text else "nothing"
