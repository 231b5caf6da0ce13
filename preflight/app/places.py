"""Places in a source: from the parser's lines and UTF-8 columns to characters and back; and which line of a step a
finding stands at: that of the argument that is wrong, where the step has lines of its own.
"""

from __future__ import annotations

import ast
import bisect
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from preflight.app.model import PipInstall, PipPackage, Recipe, Source, Span, Step
from preflight.model import Where

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")  # as Python's tokenizer counts them: \f or U+2028 end none


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
        lines = tuple(m[0] for m in LINE.finditer(source.text) if m[0]) or ("",)
        starts = itertools.accumulate(map(len, lines[:-1]), initial=0)
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
            sizes = (len(c.encode("utf-8", "surrogatepass")) for c in text)
            ends = self.columns[line] = tuple(itertools.accumulate(sizes))
        return self.starts[line - 1] + bisect.bisect_right(ends, utf8_column)

    def span(self, node: ast.AST) -> Span | None:
        end_line = getattr(node, "end_lineno", None)
        if end_line is None:
            return None
        return Span(
            self.at(node.lineno, node.col_offset),  # type: ignore[attr-defined]
            self.at(end_line, node.end_col_offset),  # type: ignore[attr-defined]
        )

    def keywords(self, call: ast.Call) -> dict[str, Span]:
        """Of each ``name=value`` in the call."""
        return {k.arg: span for k in call.keywords if k.arg and (span := self.span(k)) is not None}

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


def source_of(recipe: Recipe, where: Where) -> Source | None:
    """The file that a place is in, when it is one of those that were read."""
    return next((s for s in (recipe.source, *recipe.siblings) if s.path == where.path), None)


def flat(value: object) -> Iterator[str]:
    """The strings of arguments, those of lists and tuples too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from flat(each)


def package_where(step: Step, install: PipInstall, package: PipPackage | None = None) -> Where:
    """Of the requirement as it is written; of the command or the step when a file or a ``*`` holds it."""
    for where in (package.where if package is not None else None, install.where):
        if where is not None and where.path == step.where.path:
            return where
    return step.where


def argument_where(recipe: Recipe, step: Step, keyword: str, position: int = -1) -> Where:
    """Of ``keyword=…``, or of the argument at ``position``; of the step's name when the call has neither."""
    source = source_of(recipe, step.where)
    if source is None or step.node is None:
        return step.where
    found: ast.AST | None = next((k for k in step.node.keywords if k.arg == keyword), None)
    if found is None and 0 <= position < len(step.node.args):
        found = step.node.args[position]
    return Offsets.of(source).where(found) if found is not None else step.where


def word_where(recipe: Recipe, step: Step, word: str) -> Where:
    """Of the first string or keyword in the step's call that is ``word``, else that holds it; else of its name."""
    source = source_of(recipe, step.where)
    if source is None or step.node is None:
        return step.where
    literals = list(_literals(step.node))
    for is_it in (lambda s: s == word, lambda s: word in s):
        for text, node in literals:
            if is_it(text):
                return Offsets.of(source).where(node)
    return step.where


def _literals(call: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    for argument in [*call.args, *call.keywords]:
        for node in ast.walk(argument):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value, node
            elif isinstance(node, ast.keyword) and node.arg:
                yield node.arg, node
