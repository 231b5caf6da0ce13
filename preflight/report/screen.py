"""Lines for a terminal, as wide as it is.  Loads no Rich console: `list` and `explain` start fast."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

NARROWEST, WIDEST = 40, 120
LABEL = re.compile(r"(\s*)([A-Z][\w ]*?)(\s{2,})(?=\S)")  # "Looks at   what stands beside it"
LABEL_ALONE = re.compile(r"[A-Z][\w ]*")
EXAMPLES = frozenset({"Example", "Before", "After", "before", "after"})
NARROWEST_TEXT = 24


def columns(*, off_terminal: int = 100) -> int:
    """How wide our lines on stdout may be: COLUMNS where it is set, the terminal's width, else that of a pipe."""
    is_told = os.environ.get("COLUMNS", "").isdigit() or (sys.stdout is not None and sys.stdout.isatty())
    size = shutil.get_terminal_size().columns if is_told else off_terminal
    return max(NARROWEST, min(max(WIDEST, off_terminal), size))


def wrapped(words: Sequence[str], width: int, between: str = " ", *, behind: int = 0) -> list[str]:
    """Lines of at most ``width`` cells, broken between words; a longer word is broken where the line ends.

    The first line is shorter by what it stands ``behind``.
    """
    width = max(width, 16)
    lines, line, room = [], "", max(width - behind, 8)
    for word in words:
        joined = f"{line}{between}{word}" if line else word
        if line and cell_len(joined) > room:
            lines.append(line)
            joined, room = word, width
        while cell_len(joined) > room:
            head, joined = _cut(joined, room)
            lines.append(head.rstrip())
            room = width
        line = joined
    return [*lines, line]


def _cut(word: str, width: int) -> tuple[str, str]:
    """At the last place of at most ``width`` cells, behind a mark of a path where there is one."""
    head = set_cell_size(word, width).rstrip()
    at = max((head.rfind(mark) + 1 for mark in "/,=+: "), default=0)
    at = at if at > width // 2 else max(1, len(head))
    return word[:at], word[at:].lstrip()


def paged(page: str, width: int) -> Iterator[str]:
    """The page's lines, none wider than ``width`` where a word can be broken."""
    label = ""
    lines = page.splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        indent, head = _hanging(line)
        if head or LABEL_ALONE.fullmatch(line):
            label = (head or line).strip()
        block = [line[indent:]]
        at += 1
        is_prose = label not in EXAMPLES and bool(line.strip())
        while is_prose and at < len(lines) and lines[at].strip() and _indent(lines[at]) == indent and not (
            _hanging(lines[at])[1] or LABEL_ALONE.fullmatch(lines[at])
        ):  # fmt: skip
            block.append(lines[at][indent:])
            at += 1
        yield from _flowed(line[:indent], block, indent, width, is_prose=is_prose)


def _flowed(head: str, block: list[str], indent: int, width: int, *, is_prose: bool) -> Iterator[str]:
    margin = " " * min(indent, max(0, width - NARROWEST_TEXT))
    if all(len(part) + indent <= width for part in block):
        texts = block
    elif is_prose:
        texts = wrapped(" ".join(" ".join(block).split()).split(" "), width - len(margin))
    else:
        texts = [t for part in block for t in wrapped(part.split(" "), width - len(margin))]
    for number, text in enumerate(texts):
        yield ((head if number == 0 and len(head) <= len(margin) else margin) + text).rstrip()


def _hanging(line: str) -> tuple[int, str]:
    """The column where the line's text starts, and its label where it has one before it."""
    found = LABEL.match(line)
    return (found.end(), found.group(2)) if found else (_indent(line), "")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
