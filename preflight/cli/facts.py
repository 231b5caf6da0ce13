"""`preflight facts`: the dated tables that the verdicts rest on, and how old they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import click

from preflight.model import Exit


@click.command("facts")
@click.option("--stale", "stale_days", type=click.IntRange(min=0), metavar="DAYS", help="Only rows older than DAYS.")
@click.option("--json", "as_json", is_flag=True, help="Every row as JSON.")
def facts_command(stale_days: int | None, as_json: bool) -> int:
    """List the fact tables: rows, when they were last seen, how, and from where.

    With --stale, exit 1 when a row is older than DAYS.
    """
    from preflight.facts.in_force import digest
    from preflight.facts.load import rows
    from preflight.facts.types import TABLES

    today = datetime.now(UTC).date()
    tables = []
    for table in TABLES:
        found = [r for r in rows(table) if stale_days is None or (today - r.seen).days > stale_days]
        tables.append((table, found))
    if as_json:
        click.echo(
            json.dumps({"facts_digest": digest(), "tables": [_json(t.file, t.key, f) for t, f in tables]}, indent=2)
        )
    else:
        _show(tables, digest(), today, stale_days)
    is_stale = stale_days is not None and any(found for _, found in tables)
    return Exit.FINDINGS if is_stale else Exit.READY


def _json(file: str, key: str, rows: Sequence[Any]) -> dict[str, object]:
    import dataclasses

    def plain(value: object) -> object:
        return value.isoformat() if isinstance(value, date) else value

    return {
        "file": file,
        "rows": [{k: plain(v) for k, v in dataclasses.asdict(row).items()} for row in rows],
        "key": key,
    }


def _show(tables: Sequence[Any], digest: str, today: date, stale_days: int | None) -> None:
    from rich.table import Table as Grid
    from rich.text import Text

    from preflight.report.console import stdout_console

    grid = Grid("table", "rows", "seen", "age", "how", "what", box=None, pad_edge=False)
    for table, found in tables:
        if not found:
            continue
        oldest, newest = min(r.seen for r in found), max(r.seen for r in found)
        seen = f"{oldest}" if oldest == newest else f"{oldest} to {newest}"
        how = ", ".join(sorted({str(r.how) for r in found}))
        age = f"{(today - oldest).days} d"
        cells = (table.file.removesuffix(".toml"), str(len(found)), seen, age, how, table.about)
        grid.add_row(*(Text(c) for c in cells))
    console = stdout_console()
    if grid.row_count:
        console.print(grid)
    count = sum(len(found) for _, found in tables)
    said = f"{count} rows" if stale_days is None else f"{count} rows older than {stale_days} days"
    console.print(Text(f"{said} · facts digest {digest}"))
