"""The fact tables on the screen: all of them, the rows of one, and what a refresh has found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Column
from rich.table import Table as Grid
from rich.text import Text

from preflight.facts.in_force import digest
from preflight.facts.load import identity
from preflight.facts.types import PROVENANCE, Row, Table
from preflight.report.plain_console import stdout_console

if TYPE_CHECKING:
    from preflight.facts.refresh.renew import Renewed


def show(tables: Sequence[tuple[Table[Row], Sequence[Row]]], today: date, stale_days: int | None) -> None:
    grid = Grid(Column("table", no_wrap=True, overflow="ignore"), "rows", "seen", "age", "how", "what", box=None)
    grid.pad_edge = False
    for table, found in tables:
        if not found:
            continue
        oldest, newest = min(r.seen for r in found), max(r.seen for r in found)
        seen = f"{oldest}" if oldest == newest else f"{oldest} to {newest}"
        how = ", ".join(sorted({str(r.how) for r in found}))
        grid.add_row(*map(Text, (table.name, str(len(found)), seen, f"{(today - oldest).days} d", how, table.about)))
    console = stdout_console()
    if grid.row_count:
        console.print(grid)
    count = sum(len(found) for _, found in tables)
    counted = f"{count} rows" if stale_days is None else f"{count} rows older than {stale_days} days"
    console.print(Text(f"{counted} · facts digest {digest()}"))


def show_rows(table: Table[Row], found: Sequence[Row]) -> None:
    """Every row with what it says, and where, when and how that was seen."""
    console = stdout_console()
    console.print(Text(f"{table.name}: {table.about}"))
    for row in found:
        console.print(Text(" ".join(identity(table, row)), style="bold"))
        fields = (f for f in row.__struct_fields__ if f not in PROVENANCE and f not in table.by)
        values = " · ".join(f"{f} {_spoken(v)}" for f in fields if (v := getattr(row, f)) not in ("", (), None, {}))
        console.print(Padding(Text(values), (0, 0, 0, 2)))
        console.print(Padding(Text(f"{row.how} {row.seen}: {row.source}", style="dim"), (0, 0, 0, 2)))
    console.print(Text(f"{len(found)} rows · facts digest {digest()}"))


def _spoken(value: object) -> str:
    if isinstance(value, tuple) and value and hasattr(value[0], "__struct_fields__"):
        return f"{len(value)} sets"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def show_renewed(found: Sequence[Renewed], folder: Path | None) -> None:
    """``folder`` is where the overlay is, None when nothing was written."""
    console = stdout_console()
    for renewed in found:
        for line in renewed.changes:
            console.print(Text(f"+ {line}"))
        for line in renewed.unread:
            console.print(Text(f"? {renewed.table.name}: not read, its rows stay: {line}"))
    changes, rows = sum(len(r.changes) for r in found), sum(len(r.rows) for r in found)
    console.print(Text(f"{rows} rows read of {len(found)} tables, {changes} changes · facts digest {digest()}"))
    if folder is not None:
        console.print(Text(f"written to {folder}; remove that folder to go back to the tables of this version"))
    elif changes:
        console.print(Text("next: preflight facts --refresh"))
