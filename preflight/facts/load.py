"""Loads the dated tables, each only when somebody asks for it: what is shipped, under what a refresh has found since.

Of two rows of one thing the later seen holds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import TypeVar

from packaging.version import InvalidVersion, Version

from preflight.facts.in_force import FOLDER, ignored, kept, overlay_file
from preflight.facts.types import RELEASE, Row, Table
from preflight.toml_rows import WrongRow, typed

R = TypeVar("R", bound=Row)


@kept
def rows(table: Table[R]) -> tuple[R, ...]:
    """Every row in force, typed.  Raises WrongRow for a shipped table; an overlay that is wrong is not used."""
    shipped = shipped_rows(table)
    file = overlay_file(table.file)
    if file is None:
        return shipped
    try:
        return merged(table, shipped, read(file.read_text("utf-8"), table))
    except (OSError, UnicodeDecodeError, WrongRow) as e:
        ignored[table.file] = str(e)
        return shipped


@kept
def _by_identity(table: Table[R]) -> Mapping[tuple[str, ...], R]:
    return {identity(table, row): row for row in rows(table)}


def row_of(table: Table[R], *names: str) -> R | None:
    """The row that these values of the fields ``table.by`` tell from the others; None when there is none."""
    return _by_identity(table).get(names)


def shipped_rows(table: Table[R]) -> tuple[R, ...]:
    return read((FOLDER / table.file).read_text("utf-8"), table)


def read(text: str, table: Table[R]) -> tuple[R, ...]:
    """The rows of a table's text.  Raises WrongRow for a key or a value that does not belong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise WrongRow(f"{table.file}: {e}") from e
    found = document.pop(table.key, None)
    if document or not isinstance(found, list):
        raise WrongRow(f"{table.file}: wanted [[{table.key}]] rows and nothing else, found {sorted(document)}")
    return tuple(typed(row, table.row, f"{table.file}, row {n}") for n, row in enumerate(found, 1))


def identity(table: Table[R], row: Row) -> tuple[str, ...]:
    return tuple(str(getattr(row, name)) for name in table.by)


def merged(table: Table[R], old: Sequence[R], new: Sequence[R]) -> tuple[R, ...]:
    """One row a thing, the later seen; in the order of versions where rows are of versions."""
    found = {identity(table, row): row for row in old}
    for row in new:
        before = found.get(identity(table, row))
        if before is None or row.seen >= before.seen:
            found[identity(table, row)] = row
    if table.by in (("minor",), ("version",), RELEASE):
        return tuple(row for _, row in sorted(found.items(), key=lambda item: (item[0][:-1], _version(item[0][-1]))))
    return tuple(found.values())


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")
