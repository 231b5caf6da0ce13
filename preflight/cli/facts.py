"""`preflight facts`: the dated tables that the verdicts rest on, how old they are, and what a refresh finds."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from preflight.cli.running.options import document_option, print_document
from preflight.model import Exit, Json

if TYPE_CHECKING:
    from preflight.facts.refresh.renew import Renewed
    from preflight.facts.refresh.source import Sources
    from preflight.facts.types import Row, Table

SCHEMA = "preflight.facts/1"
SYMBOL_TABLE = "torch_symbols"


@click.command("facts")
@click.argument("name", required=False, metavar="[TABLE]")
@click.option("--stale", "stale_days", type=click.IntRange(min=0), metavar="DAYS", help="Only rows older than DAYS.")
@click.option("--refresh", "is_refresh", is_flag=True, help="Read the package indexes, and keep what is new.")
@click.option("--check", "is_check", is_flag=True, help="Read the package indexes, and write nothing.")
@document_option("preflight.facts/1")
def facts_command(name: str | None, stale_days: int | None, is_refresh: bool, is_check: bool, is_json: bool) -> int:
    """List the fact tables: rows, when they were last seen, how, and from where; of one TABLE, row by row.

    \b
    preflight facts torch        every number of a table with its source and date
    preflight facts --stale 30   exit 1 when a row is older than 30 days
    preflight facts --check      exit 1 when the indexes know something that the tables do not
    preflight facts --refresh    rules use what was found at once; exit 3 when a source could not be read
    preflight facts torch_symbols --refresh    the libraries of torch releases that `link` does not know, 0.5 GB each
    """
    from preflight.facts.load import rows
    from preflight.facts.types import TABLES

    if name == SYMBOL_TABLE and (is_refresh or is_check):
        return _renewed_symbols(is_kept=not is_check)
    wanted = tuple(t for t in TABLES if name is None or t.name == name.removesuffix(".toml"))
    if not wanted:
        raise click.BadParameter(f"no table {name!r}; there are {', '.join(t.name for t in TABLES)}")
    if is_refresh or is_check:
        return _renewed(wanted, is_json=is_json, is_kept=not is_check)
    today = datetime.now(UTC).date()
    tables = [(t, [r for r in rows(t) if stale_days is None or (today - r.seen).days > stale_days]) for t in wanted]
    if is_json:
        import msgspec

        of = [{"file": t.file, "key": t.key, "about": t.about, "rows": msgspec.to_builtins(r)} for t, r in tables]
        _print({"tables": of})
    else:
        from preflight.report.screens import facts as facts_screen

        if name is None:
            facts_screen.show(tables, today, stale_days)
        else:
            facts_screen.show_rows(*tables[0])
    is_stale = stale_days is not None and any(found for _, found in tables)
    return Exit.FINDINGS if is_stale else Exit.READY


def _renewed(wanted: tuple[Table[Row], ...], *, is_json: bool, is_kept: bool) -> int:
    """Exit 1 for something new that is not kept, 3 for a source that could not be read."""
    from preflight.facts.in_force import put_in_force
    from preflight.facts.refresh.renew import GENERATORS, renew, write

    tables = tuple(t for t in wanted if t in GENERATORS)
    if not tables:
        raise click.UsageError(f"{wanted[0].file} is kept by hand: no source that can be read has it")
    found: list[Renewed] = []
    with _sources() as sources:
        for table in tables:
            if not is_json:
                click.echo(f"reading {table.name} …", err=True)
            found += renew(sources, (table,))
            if is_kept and found[-1].rows:
                with _writing():
                    write(overlay_folder(), found[-1])
    put_in_force(overlay_folder())
    if is_json:
        changes: list[Json] = [{"file": r.table.file, "changes": [*r.changes], "unread": [*r.unread]} for r in found]
        _print({"refreshed": changes})
    else:
        from preflight.report.screens import facts as facts_screen

        facts_screen.show_renewed(found, overlay_folder() if is_kept else None)
    if not is_kept and any(r.changes for r in found):
        return Exit.FINDINGS
    return Exit.INCOMPLETE if any(r.unread for r in found) else Exit.READY


def _renewed_symbols(*, is_kept: bool) -> int:
    """torch_symbols.bin with the minors of torch that the index has and it lacks."""
    from preflight.binary.elf import exported
    from preflight.facts.in_force import SYMBOLS, put_in_force
    from preflight.facts.refresh import symbols
    from preflight.facts.refresh.source import NotRead
    from preflight.facts.symbols import table
    from preflight.store import write_whole

    known = symbols.of_table(table())
    with _sources() as sources:
        try:
            new = [wheel.filename for minor, wheel, _ in symbols.wheels(sources.index) if minor not in known.columns]
            if is_kept and new:
                found = symbols.renewed(sources.index, exported, known, lambda t: click.echo(t, err=True))
                with _writing():
                    write_whole(overlay_folder() / SYMBOLS, found.written(sources.today))
        except NotRead as e:
            click.echo(f"not read: {e}")
            return Exit.INCOMPLETE
    put_in_force(overlay_folder())
    click.echo("\n".join(f"+ {name}" for name in new) or "no release of torch is missing")
    return Exit.FINDINGS if new and not is_kept else Exit.READY


@contextlib.contextmanager
def _sources() -> Iterator[Sources]:
    import platformdirs

    from preflight.facts.refresh.source import Sources
    from preflight.facts.torch import INDEX
    from preflight.remote.index.configured import NoIndex, pip_indexes
    from preflight.remote.index.packages import PackageIndex

    try:
        urls = pip_indexes(os.environ)
    except NoIndex as e:
        raise click.UsageError(str(e)) from e
    kept = platformdirs.user_cache_path("preflight") / "index"
    with PackageIndex(urls, kept) as index, PackageIndex((INDEX,), kept) as builds:
        yield Sources(index, builds, datetime.now(UTC).date())


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Raises UsageError where the folder of the refreshed tables can't be written."""
    try:
        yield
    except OSError as e:
        raise click.UsageError(f"what was read can't be kept: {e.filename}: {e.strerror}; --check keeps nothing") from e


def overlay_folder() -> Path:
    import platformdirs

    return platformdirs.user_state_path("preflight") / "facts"


def _print(document: dict[str, Any]) -> None:
    from preflight.facts.in_force import digest

    print_document({"schema": SCHEMA, "facts_digest": digest(), **document})
