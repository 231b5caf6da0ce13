"""Renews the tables that have a source: which generator makes which, and what one refresh has found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import msgspec

from preflight.facts import types
from preflight.facts.load import merged, rows
from preflight.facts.refresh import breaks, builders, releases, torch
from preflight.facts.refresh.source import Index, NotRead, newest_wheel
from preflight.facts.refresh.text import differences, table_text
from preflight.facts.types import Row, Table
from preflight.facts.wheels import OLDEST, TABLE_OF
from preflight.toml_rows import WrongRow


@dataclass(frozen=True)
class Sources:
    """``builds`` is the index of torch's builds for each CUDA.  ``is_all``: read again what is known."""

    index: Index
    builds: Index | None
    today: date
    is_all: bool = False


@dataclass(frozen=True)
class Renewed:
    """One table after a refresh.  ``unread`` says why a source gave nothing: the old rows hold."""

    table: Table
    rows: tuple[Row, ...] = ()
    changes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def _torch(sources: Sources, known: tuple[Row, ...], unread: list[str]) -> Iterator[Row]:
    try:
        local = torch.local_builds(sources.builds) if sources.builds else {}
    except NotRead as e:
        local = {}
        unread.append(f"builds for each CUDA: {e}")
    yield from torch.rows(sources.index, local, known, sources.today, is_all=sources.is_all)  # type: ignore[arg-type]


def _releases(package: str, sources: Sources, known: tuple[Row, ...], unread: list[str]) -> Iterator[Row]:
    mine = [row for row in known if getattr(row, "package", "") == package]
    oldest, is_all = OLDEST.get(package, "0"), sources.is_all
    yield from releases.rows(sources.index, package, mine, sources.today, oldest=oldest, is_all=is_all)  # type: ignore[arg-type]


def _breaks(sources: Sources, known: tuple[Row, ...], unread: list[str]) -> Iterator[Row]:
    yield from breaks.rows(sources.index, known, sources.today)  # type: ignore[arg-type]


def _builders(sources: Sources, known: tuple[Row, ...], unread: list[str]) -> Iterator[Row]:
    yield from builders.rows(sources.index, known, sources.today)  # type: ignore[arg-type]


def _compat(sources: Sources, known: tuple[Row, ...], unread: list[str]) -> Iterator[Row]:
    """``today`` is what the index has; the rest of a row is nobody's to read."""
    for row in known:
        if isinstance(row, types.Need) and row.today:
            newest = newest_wheel(sources.index, row.other).version
            row = msgspec.structs.replace(row, today=str(newest), seen=sources.today)
        yield row


Generator = Callable[[Sources, tuple[Row, ...], list[str]], Iterable[Row]]  # the last: what could not be read
GENERATORS: dict[Table, tuple[Generator, ...]] = {
    types.TORCH: (_torch,),
    types.BREAKS: (_breaks,),
    types.BUILDERS: (_builders,),
    types.COMPAT: (_compat,),
}
for _package, _table in TABLE_OF.items():
    GENERATORS[_table] = (*GENERATORS.get(_table, ()), partial(_releases, _package))


def renew(sources: Sources, tables: Iterable[Table] = ()) -> Iterator[Renewed]:
    """Each table that has a generator.  A source that can't be read leaves its rows as they are, and is named."""
    for table in tables or GENERATORS:
        known = rows(table)
        found: list[Row] = []
        unread: list[str] = []
        for generator in GENERATORS[table]:
            try:
                found += list(generator(sources, known, unread))
            except (NotRead, WrongRow) as e:
                unread.append(str(e))
        yield Renewed(table, tuple(found), tuple(differences(table, known, found)), tuple(unread))


def write(folder: Path, renewed: Renewed, known: tuple[Row, ...] = (), head: str = "") -> None:
    """The table's file in ``folder``: whole or not at all.  Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / renewed.table.file
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.write_text(table_text(renewed.table, merged(renewed.table, known, renewed.rows), head), "utf-8")
    part.replace(file)
