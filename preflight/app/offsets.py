"""Places in a source: from the parser's lines and UTF-8 columns to characters, and back."""

from __future__ import annotations

import ast
import bisect
import itertools
import re
from dataclasses import dataclass, field

from preflight.app.model import Source, Span
from preflight.model import Where


@dataclass(frozen=True, eq=False)
class Offsets:
    """Where the lines of one source start, in characters of its text."""

    source: Source
    starts: tuple[int, ...] = field(repr=False)
    lines: tuple[str, ...] = field(repr=False)
    is_ascii: bool = False
    columns: dict[int, tuple[int, ...]] = field(repr=False, default_factory=dict)  # of lines that are not ASCII

    @staticmethod
    def of(source: Source) -> Offsets:
        return source.kept(Offsets, lambda: Offsets.made(source))

    @staticmethod
    def made(source: Source) -> Offsets:
        lines = _lines(source.text)
        starts, total = [], 0
        for line in lines:
            starts.append(total)
            total += len(line)
        return Offsets(source, tuple(starts), lines, source.text.isascii())

    def at(self, line: int, utf8_column: int) -> int:
        """The character offset of a position as ``ast`` gives it: line from 1, column in UTF-8 bytes."""
        if not 1 <= line <= len(self.lines):
            return len(self.source.text)
        if self.is_ascii:
            return self.starts[line - 1] + utf8_column
        text = self.lines[line - 1]
        if text.isascii():
            return self.starts[line - 1] + min(utf8_column, len(text))
        ends = self.columns.get(line)
        if ends is None:
            ends = self.columns[line] = tuple(itertools.accumulate(map(_utf8_bytes, text)))
        return self.starts[line - 1] + bisect.bisect_right(ends, utf8_column)

    def span(self, node: ast.AST) -> Span | None:
        end_line = getattr(node, "end_lineno", None)
        if end_line is None:
            return None
        return Span(
            self.at(node.lineno, node.col_offset),  # type: ignore[attr-defined]
            self.at(end_line, node.end_col_offset),  # type: ignore[attr-defined]
        )

    def where(self, node: ast.AST) -> Where:
        line = getattr(node, "lineno", 0)
        column = self.at(line, node.col_offset) - self.starts[line - 1] + 1 if line else 0  # type: ignore[attr-defined]
        return Where(self.source.path, line, column)

    def may_hold(self, node: ast.AST, pattern: re.Pattern[str]) -> bool:
        """Whether the lines of a statement, decorators included, hold what the pattern looks for; True for the rest."""
        if not isinstance(node, ast.stmt):
            return True
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or node.lineno
        end = self.starts[last] if last < len(self.starts) else len(self.source.text)
        return pattern.search(self.source.text, self.starts[first - 1], end) is not None

    def where_at(self, offset: int) -> Where:
        line = bisect.bisect_right(self.starts, offset)
        return Where(self.source.path, line, offset - self.starts[line - 1] + 1)

    def method(self, call: ast.Call) -> Where:
        """Line and column of the name before the call's parenthesis: chains start many lines above."""
        func = call.func
        if isinstance(func, ast.Attribute) and func.end_lineno is not None and func.end_col_offset is not None:
            end = self.at(func.end_lineno, func.end_col_offset)
            return self.where_at(end - len(func.attr))
        return self.where(func)


LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")


def _lines(text: str) -> tuple[str, ...]:
    """Lines as Python's tokenizer counts them: only \\n, \\r\\n and \\r end one (not \\f or U+2028)."""
    lines = [m[0] for m in LINE.finditer(text) if m[0]]
    return tuple(lines) or ("",)


def _utf8_bytes(character: str) -> int:
    code = ord(character)
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
