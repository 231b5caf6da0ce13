"""Edits of an image's chain: what a rule's fix puts in, takes out or moves.  None where the text gives no safe hold."""

from __future__ import annotations

import re

from preflight.app.model import PipPackage, Recipe, Span, Step
from preflight.app.places import source_of
from preflight.model import Edit, Fix, Where

BEFORE_DOT = re.compile(r"\s*(?:#[^\n]*\n\s*)*\.")


def insert_link(recipe: Recipe, step: Step, link: str, *, is_safe: bool) -> Fix | None:
    """``link`` (".env({…})") put into the chain right before ``step``."""
    source = source_of(recipe, step.where)
    if source is None or step.link is None:
        return None
    found = BEFORE_DOT.match(source.text, step.link.start)
    if found is None:
        return None
    dot = found.end() - 1
    indent = re.search(r"\n[ \t]*$", source.text[step.link.start : dot])
    text = link + (indent[0] if indent else "")
    return Fix(edits=(Edit(source.path, dot, dot, text),), is_safe=is_safe)


def add_argument(recipe: Recipe, step: Step, argument: str, *, is_safe: bool) -> Fix | None:
    """``argument`` ("copy=True") put at the end of the step's call."""
    source = source_of(recipe, step.where)
    if source is None or step.call is None:
        return None
    end = step.call.end - 1
    if source.text[end : end + 1] != ")":
        return None
    before = source.text[:end].rstrip()
    if "#" in source.text[before.rfind("\n") + 1 : len(before)] and "#" in before.rsplit("\n", 1)[-1]:
        return None
    separator = "" if before.endswith("(") else (" " if before.endswith(",") else ", ")
    at = len(before)
    return Fix(edits=(Edit(source.path, at, at, separator + argument),), is_safe=is_safe)


def replace_package(recipe: Recipe, package: PipPackage, text: str, *, is_safe: bool) -> Fix | None:
    """The requirement's own characters replaced; its quotes stay."""
    return replace_span(recipe, package.where, package.span, package.written, text, is_safe=is_safe)


def replace_span(
    recipe: Recipe, where: Where | None, span: Span | None, old: str, new: str, *, is_safe: bool
) -> Fix | None:
    """``old`` inside ``span`` replaced by ``new``; None unless it stands there exactly once."""
    source = source_of(recipe, where) if where is not None else None
    if source is None or span is None or not old:
        return None
    inside = source.text[span.start : span.end]
    if inside.count(old) != 1:
        return None
    start = span.start + inside.index(old)
    return Fix(edits=(Edit(source.path, start, start + len(old), new),), is_safe=is_safe)


def remove_keyword(recipe: Recipe, step: Step, name: str, *, is_safe: bool) -> Fix | None:
    """``name=value`` taken out of the step's call, with its comma."""
    source, span = source_of(recipe, step.where), step.kwarg_spans.get(name)
    if source is None or span is None:
        return None
    start, end = span.start, span.end
    before = re.search(r",\s*$", source.text[:start])
    after = re.match(r"\s*,[ \t]*", source.text[end:])
    if before:
        start = before.start()
    elif after:
        end += after.end()
    return Fix(edits=(Edit(source.path, start, end, ""),), is_safe=is_safe)
