"""A Rich console of our own: nothing that ends the process when its reader has gone."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from preflight.report.screen import columns
from preflight.report.text import inert


class PlainConsole(Console):
    """A console whose closed pipe is an error like any other, and on which no line is a command to GitHub's runner."""

    def print(self, *objects: Any, **more: Any) -> None:
        super().print(*(_inert(o) for o in objects), **more)

    def on_broken_pipe(self) -> None:
        """Rich would end the process with 1, which is a verdict here."""
        raise BrokenPipeError


def _inert(shown: Any) -> Any:
    if isinstance(shown, str):
        return inert(shown)
    if isinstance(shown, Text) and (now := inert(shown.plain)) != shown.plain:
        return Text(now, style=shown.style)
    return shown


def stdout_console(*, off_terminal: int = 100) -> PlainConsole:
    """For a command's own screen: as wide as the terminal within reason, ``off_terminal`` columns in a pipe."""
    return PlainConsole(
        file=sys.stdout, width=columns(off_terminal=off_terminal), highlight=False, markup=False, emoji=False
    )


def labelled(console: Console, label: str, text: Text, *, margin: int, column: int, style: str = "") -> None:
    """A text at ``column`` behind its label, as many lines as it needs; no line ends in blanks."""
    for number, row in enumerate(text.wrap(console, max(20, console.width - column), overflow="fold")):
        row.rstrip()
        head = " " * margin + (label if number == 0 else "")
        console.print(Text(f"{head:<{column}}", style=style).append_text(row), soft_wrap=True)
