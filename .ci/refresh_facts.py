"""Renews the shipped fact tables from the package index, and prints the difference in words (Markdown).

Run: python .ci/refresh_facts.py [--all] [--symbols]
--all reads again what is known; --symbols also reads the libraries of new minors of torch (0.5 GB each).
Exit 1 when a source could not be read: what was read is written.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from preflight.binary.elf import exported
from preflight.facts.in_force import FOLDER, SYMBOLS
from preflight.facts.load import merged, shipped_rows
from preflight.facts.refresh import symbols
from preflight.facts.refresh.renew import Renewed, renew, table_text
from preflight.facts.refresh.source import Sources
from preflight.facts.symbols import read_table
from preflight.facts.torch import INDEX
from preflight.remote.index.configured import pip_indexes
from preflight.remote.index.packages import PackageIndex


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--symbols", action="store_true")
    given = parser.parse_args()
    today, unread = datetime.now(UTC).date(), []
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(os.environ.get("KEPT_FOLDER", folder))
        with PackageIndex(pip_indexes(os.environ), kept) as index, PackageIndex((INDEX,), kept) as builds:
            for one in renew(Sources(index, builds, today, given.all)):
                if one.changes:
                    print(f"\n### {one.table.name}\n", *(f"- {line}" for line in one.changes), sep="\n")
                unread += [f"{one.table.name}: {line}" for line in one.unread]
                if one.changes or given.all:
                    write(one)
            if given.symbols:
                table = symbols.of_table(read_table(FOLDER / SYMBOLS))
                before = list(table.columns)
                after = symbols.renewed(index, exported, table, lambda s: None)
                new = [c for c in after.columns if c not in before]
                if new:
                    (FOLDER / SYMBOLS).write_bytes(after.written(today))
                    print(f"\n### torch_symbols\n\n- torch {', '.join(new)} measured")
    if unread:
        print("\n### Not read: these rows stay as they were\n", *(f"- {line}" for line in unread), sep="\n")
    return 1 if unread else 0


def write(one: Renewed) -> None:
    """The shipped table with its new rows, below the comment that stands above its first row."""
    file = FOLDER / one.table.file
    above = file.read_text("utf-8").partition("[[")[0].splitlines()
    head = "\n".join(line for line in above if line.startswith("#"))
    text = table_text(one.table, merged(one.table, shipped_rows(one.table), one.rows))
    file.write_text("\n\n".join(filter(None, (head, text))), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
