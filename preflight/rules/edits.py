"""Text edits for rules: they touch the words that are wrong and nothing beside them.

A function gives None where the text has no single, safe place for its edit.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from preflight.app.model import Call, PipPackage, Recipe, Source, Span, Step
from preflight.app.places import source_of
from preflight.app.syntax import syntax_of
from preflight.app.uses import Use
from preflight.model import Edit, Fix, Where

QUOTED = re.compile(r"""(?s)([A-Za-z]{0,2})('''|\"\"\"|'|")(.*)\2""")
BEFORE_DOT = re.compile(r"\s*(?:#[^\n]*\n\s*)*\.")


def replaced(path: str, span: Span | None, text: str, *, is_safe: bool) -> Fix | None:
    """One replacement."""
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
    keywords = call.node.keywords if isinstance(call.node, ast.Call) else []
    return next((k for k in keywords if k.arg == name), None)


def keyword_renamed(call: Call, name: str, new: str, *, is_safe: bool) -> Fix | None:
    span = call.kwarg_spans.get(name)
    return replaced(call.where.path, span and Span(span.start, span.start + len(name)), new, is_safe=is_safe)


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
    elif (before := re.compile(r",\s*$").search(text, within.start, start)) is not None:
        start = before.start()
    if "#" in text[start : span.start] or end > within.end:
        return None
    return replaced(source.path, Span(start, end), "", is_safe=is_safe)


def remove_keyword(recipe: Recipe, step: Step, name: str, *, is_safe: bool) -> Fix | None:
    """``name=value`` taken out of the step's call, with its comma."""
    source, span = source_of(recipe, step.where), step.kwarg_spans.get(name)
    if source is None or span is None:
        return None
    before = re.search(r",\s*$", source.text[: span.start])
    after = re.match(r"\s*,[ \t]*", source.text[span.end :])
    start = before.start() if before else span.start
    end = span.end + (after.end() if after and not before else 0)
    return replaced(source.path, Span(start, end), "", is_safe=is_safe)


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
    if span is not None and isinstance(node.func, ast.Attribute):
        span = Span(span.end - len(node.func.attr), span.end)
    return replaced(source.path, span, new, is_safe=is_safe)


def newline_of(text: str) -> str:
    """The line ending that the file has."""
    return "\r\n" if "\r\n" in text else "\n"


def insert_link(recipe: Recipe, step: Step, link: str, *, is_safe: bool) -> Fix | None:
    """``link`` (".env({…})") put into the chain right before ``step``."""
    source = source_of(recipe, step.where)
    if source is None or step.link is None or (found := BEFORE_DOT.match(source.text, step.link.start)) is None:
        return None
    dot = found.end() - 1
    indent = re.search(r"\n[ \t]*$", source.text[step.link.start : dot])
    return replaced(source.path, Span(dot, dot), link + (indent[0] if indent else ""), is_safe=is_safe)


def add_argument(recipe: Recipe, step: Step, argument: str, *, is_safe: bool) -> Fix | None:
    """``argument`` ("copy=True") put at the end of the step's call."""
    source = source_of(recipe, step.where)
    if source is None or step.call is None or source.text[step.call.end - 1 : step.call.end] != ")":
        return None
    before = source.text[: step.call.end - 1].rstrip()
    if "#" in before.rsplit("\n", 1)[-1]:
        return None
    separator = "" if before.endswith("(") else (" " if before.endswith(",") else ", ")
    return replaced(source.path, Span(len(before), len(before)), separator + argument, is_safe=is_safe)


def replace_package(recipe: Recipe, package: PipPackage, text: str, *, is_safe: bool) -> Fix | None:
    """The requirement's own characters replaced; its quotes stay."""
    return replace_span(recipe, package.where, package.span, package.written, text, is_safe=is_safe)


def replace_span(
    recipe: Recipe, where: Where | None, span: Span | None, old: str, new: str, *, is_safe: bool
) -> Fix | None:
    """``old`` inside ``span`` replaced by ``new``; None unless it stands there exactly once."""
    source = source_of(recipe, where) if where is not None else None
    if source is None or span is None or not old or source.text[span.start : span.end].count(old) != 1:
        return None
    start = source.text.index(old, span.start)
    return replaced(source.path, Span(start, start + len(old)), new, is_safe=is_safe)


def renamed_everywhere(recipe: Recipe, uses: list[Use], old: str, new: str, *, is_safe: bool) -> Fix | None:
    """``modal.old`` becomes ``modal.new`` in imports and at ``uses``; None when one of them is written otherwise."""
    syntax, path = syntax_of(recipe.source), recipe.source.path
    if syntax is None:
        return None
    other_names = {u.node.asname for u in uses if isinstance(u.node, ast.alias)}
    edits: list[Fix | None] = []
    for use in uses:
        node, span = use.node, None
        if isinstance(node, ast.alias):
            if node.name == old and (of := syntax.span(node)) is not None:
                span = Span(of.start, of.start + len(old))
        else:
            while isinstance(node, ast.Attribute) and node.attr != old:
                node = node.value
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            if name != old and name in other_names:
                continue  # called otherwise here: the import alone changes
            if name == old and (of := syntax.span(node)) is not None:
                span = Span(of.end - len(old), of.end)
        edits.append(replaced(path, span, new, is_safe=is_safe))
    return together(edits, is_safe=is_safe)
