"""Renews the tables that have a source: which generator makes which, and what one refresh has found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from preflight.facts import types
from preflight.facts.load import merged, rows
from preflight.facts.refresh import modal_client, releases, torch
from preflight.facts.refresh.source import NotRead, Sources, newest_wheel
from preflight.facts.refresh.text import differences, table_text
from preflight.facts.types import Need, Release, Row, Table, TorchRow
from preflight.facts.wheels import OLDEST, TABLE_OF
from preflight.toml_rows import WrongRow


@dataclass(frozen=True)
class Renewed:
    """One table after a refresh.  ``unread`` says why a source gave nothing: the old rows hold."""

    table: Table
    rows: tuple[Row, ...] = ()
    changes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def _torch(sources: Sources, known: Sequence[TorchRow]) -> Iterator[TorchRow | Unread]:
    local = {}
    try:
        local = torch.local_builds(sources.builds) if sources.builds else {}
    except NotRead as e:
        yield f"builds for each CUDA: {e}"
    yield from torch.rows(sources.index, local, known, sources.today, is_all=sources.is_all)


def _releases(package: str, sources: Sources, known: Sequence[Release]) -> Iterator[Release]:
    mine = [row for row in known if row.package == package]
    oldest, is_all = OLDEST.get(package, "0"), sources.is_all
    yield from releases.rows(sources.index, package, mine, sources.today, oldest=oldest, is_all=is_all)


def _compat(sources: Sources, known: Sequence[Need]) -> Iterator[Need]:
    """``today`` is what the index has; the rest of a row is nobody's to read."""
    for row in known:
        if row.today:
            newest = newest_wheel(sources.index, row.other).version
            row = msgspec.structs.replace(row, today=str(newest), seen=sources.today)
        yield row


Unread = str  # what could not be read, and why
Generator = Callable[[Sources, Sequence[Any]], Iterable[Row | Unread]]  # of the rows of its table that are known
GENERATORS: dict[Table, tuple[Generator, ...]] = {
    types.TORCH: (_torch,),
    types.BREAKS: (modal_client.breaks,),
    types.BUILDERS: (modal_client.builders,),
    types.COMPAT: (_compat,),
}
for _package, _table in TABLE_OF.items():
    GENERATORS[_table] = (*GENERATORS.get(_table, ()), partial(_releases, _package))


def renew(sources: Sources, tables: Iterable[Table] = ()) -> Iterator[Renewed]:
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


def write(folder: Path, renewed: Renewed, known: tuple[Row, ...] = (), head: str = "") -> None:
    """The table's file in ``folder``: whole or not at all.  Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / renewed.table.file
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.write_text(table_text(renewed.table, merged(renewed.table, known, renewed.rows), head), "utf-8")
    part.replace(file)
