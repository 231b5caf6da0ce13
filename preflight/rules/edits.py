"""Text edits for rules: they touch the words that are wrong and nothing beside them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from preflight.app.model import Call, Source, Span
from preflight.app.syntax import syntax_of
from preflight.model import Edit, Fix

QUOTED = re.compile(r"""(?s)([A-Za-z]{0,2})('''|\"\"\"|'|")(.*)\2""")
IDENTIFIER = re.compile(r"[^\W\d]\w*")


def replaced(path: str, span: Span | None, text: str, *, is_safe: bool) -> Fix | None:
    """One replacement; None when the text has no single place for it."""
    return None if span is None else Fix(edits=(Edit(path, span.start, span.end, text),), is_safe=is_safe)


def together(fixes: Iterable[Fix | None], *, is_safe: bool) -> Fix | None:
    """Edits that only make sense in one go; None when one of them has no place."""
    edits: list[Edit] = []
    for fix in fixes:
        if fix is None:
            return None
        edits += fix.edits
    return Fix(edits=tuple(sorted(set(edits))), is_safe=is_safe) if edits else None


def keyword_node(call: Call, name: str) -> ast.keyword | None:
    """The ``name=value`` as it is written in the call itself; None when it comes from ``**``."""
    if not isinstance(call.node, ast.Call):
        return None
    return next((k for k in call.node.keywords if k.arg == name), None)


def keyword_renamed(call: Call, name: str, new: str, *, is_safe: bool) -> Fix | None:
    span = call.kwarg_spans.get(name)
    if span is None:
        return None
    return replaced(call.where.path, Span(span.start, span.start + len(name)), new, is_safe=is_safe)


def keyword_value(source: Source, call: Call, name: str, new: str, *, is_safe: bool) -> Fix | None:
    """``name=`` gets another value, where the value is written in the call."""
    syntax, node = syntax_of(source), keyword_node(call, name)
    if syntax is None or node is None or call.where.path != source.path:
        return None
    return replaced(source.path, syntax.span(node.value), new, is_safe=is_safe)


def keyword_dropped(source: Source, call: Call, name: str, *, is_safe: bool) -> Fix | None:
    """Without ``name=value`` and one of the commas beside it; a comment on its line keeps the edit from being made."""
    span = call.kwarg_spans.get(name)
    if span is None or call.where.path != source.path or call.span is None:
        return None
    return argument_dropped(source, span, call.span, is_safe=is_safe)


def argument_dropped(source: Source, span: Span, within: Span, *, is_safe: bool) -> Fix | None:
    """Without the argument at ``span`` of the call at ``within``."""
    text = source.text
    after = re.compile(r"[ \t]*,[ \t]*").match(text, span.end)
    start, end = span.start, span.end
    line = re.compile(r"[ \t]*").match(text, text.rfind("\n", 0, start) + 1)
    assert line is not None  # the pattern matches the empty text too
    if after is not None:
        end = after.end()
        rest = re.compile(r"\r?\n|\r").match(text, end)
        if line.end() == start and rest is not None:  # it has its line to itself
            start, end = line.start(), rest.end()
    else:
        before = re.compile(r",\s*$").search(text, within.start, start)
        if before is not None:
            start = before.start()
    if "#" in text[start : span.start] or end > within.end:
        return None
    return Fix(edits=(Edit(source.path, start, end, ""),), is_safe=is_safe)


def quoted_like(written: str, value: str) -> str:
    """A string literal of ``value`` with the prefix and the quotes of ``written``."""
    match = QUOTED.fullmatch(written)
    quote = match[2] if match else '"'
    if quote in value or "\\" in value or "\n" in value:
        return repr(value)
    return f"{quote}{value}{quote}"


def name_before_parenthesis(source: Source, node: ast.Call, new: str, *, is_safe: bool) -> Fix | None:
    """``x.old(…)`` becomes ``x.new(…)``; for a bare name, the name itself."""
    syntax = syntax_of(source)
    span = syntax.span(node.func) if syntax is not None else None
    if span is None:
        return None
    old = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    start = span.end - len(old) if old else span.start
    return replaced(source.path, Span(start, span.end), new, is_safe=is_safe)


def newline_of(text: str) -> str:
    """The line ending that the file has."""
    return "\r\n" if "\r\n" in text else "\n"
