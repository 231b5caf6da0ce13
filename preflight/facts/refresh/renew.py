"""Renews the tables that have a source: which generator makes which, what one refresh has found, and its text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from preflight.facts import types
from preflight.facts.load import identity, merged, rows
from preflight.facts.refresh import modal_client, releases, torch
from preflight.facts.refresh.source import NotRead, Sources, newest_wheel
from preflight.facts.types import PROVENANCE, Need, Release, Row, Table, TorchRow
from preflight.facts.wheels import OLDEST, TABLE_OF
from preflight.store import write_whole
from preflight.toml_rows import WrongRow


@dataclass(frozen=True)
class Renewed:
    """One table after a refresh.  ``unread`` says why a source gave nothing: the old rows hold."""

    table: Table[Row]
    rows: tuple[Row, ...] = ()
    changes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def _torch(sources: Sources, known: Sequence[TorchRow]) -> Iterator[TorchRow | Unread]:
    local = {}
    try:
        local = torch.local_builds(sources.builds) if sources.builds else {}
    except NotRead as e:
        yield f"builds for each CUDA: {e}"
    if sources.is_all:
        known = [msgspec.structs.replace(row, patches=()) for row in known]
    yield from torch.rows(sources.index, local, known, sources.today)


def _releases(package: str, sources: Sources, known: Sequence[Release]) -> Iterator[Release]:
    mine = [row for row in known if row.package == package]
    if sources.is_all:
        mine = [msgspec.structs.replace(row, on_pypi=False) for row in mine]
    yield from releases.rows(sources.index, package, mine, sources.today, oldest=OLDEST.get(package, "0"))


def _compat(sources: Sources, known: Sequence[Need]) -> Iterator[Need]:
    """``today`` is what the index has; the rest of a row is nobody's to read."""
    for row in known:
        if row.today:
            newest = newest_wheel(sources.index, row.other).version
            row = msgspec.structs.replace(row, today=str(newest), seen=sources.today)
        yield row


Unread = str  # what could not be read, and why
Generator = Callable[[Sources, Sequence[Any]], Iterable[Row | Unread]]  # of the rows of its table that are known
GENERATORS: dict[Table[Any], tuple[Generator, ...]] = {
    types.TORCH: (_torch,),
    types.BREAKS: (modal_client.breaks,),
    types.BUILDERS: (modal_client.builders,),
    types.COMPAT: (_compat,),
}
for _package, _table in TABLE_OF.items():
    GENERATORS[_table] = (*GENERATORS.get(_table, ()), partial(_releases, _package))


def renew(sources: Sources, tables: Iterable[Table[Any]] = ()) -> Iterator[Renewed]:
    """Each table that has a generator.  A source that can't be read leaves its rows as they are, and is named."""
    for table in tables or GENERATORS:
        known, found = rows(table), list[Row | Unread]()
        for generator in GENERATORS[table]:
            before = len(found)
            try:
                found += generator(sources, known)
            except (NotRead, WrongRow) as e:  # the rows that it has made so far are not the whole of it
                found[before:] = [*(text for text in found[before:] if isinstance(text, Unread)), str(e)]
        new = tuple(row for row in found if isinstance(row, Row))
        unread = tuple(text for text in found if isinstance(text, Unread))
        yield Renewed(table, new, tuple(differences(table, known, new)), unread)


def write(folder: Path, renewed: Renewed) -> None:
    """The table's file in ``folder``: whole or not at all.  Raises OSError."""
    text = table_text(renewed.table, merged(renewed.table, (), renewed.rows))
    write_whole(folder / renewed.table.file, text.encode())


# --- rows as the text of a table, and the difference between two tables in words --------------------------------------


def table_text(table: Table[Row], rows: Iterable[Row]) -> str:
    """TOML that ``facts.load.read`` takes; what a row leaves at its default is not written."""
    return "\n\n".join("\n".join((f"[[{table.key}]]", *_lines(row))) for row in rows) + "\n"


def _lines(row: Row) -> Iterator[str]:
    names = row.__struct_fields__
    defaults = dict(zip(reversed(names), reversed(row.__struct_defaults__), strict=False))
    for name in (*(n for n in names if n not in PROVENANCE), *PROVENANCE):
        value = getattr(row, name)
        if value is not None and not (name in defaults and value == defaults[name]):
            yield f"{name} = {_toml(value, depth=0)}"


def _toml(value: object, depth: int = 1) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
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


def differences(table: Table[Row], old: Iterable[Row], new: Iterable[Row]) -> Iterator[str]:
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
            yield f"{name}: {field} was {_in_words(getattr(was, field))}, is {_in_words(getattr(row, field))}"


def _in_words(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 120 else text[:119] + "…" if text else "nothing"
