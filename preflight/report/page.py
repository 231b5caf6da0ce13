"""A check's page at the width of the terminal: prose flows anew, examples keep their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from preflight.report.screen import wrapped

LABEL = re.compile(r"(\s*)([A-Z][\w ]*?)(\s{2,})(?=\S)")  # "Looks at   what stands beside it"
LABEL_ALONE = re.compile(r"[A-Z][\w ]*")
EXAMPLES = frozenset({"Example", "Before", "After", "before", "after"})
NARROWEST_TEXT = 24


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
