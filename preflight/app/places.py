"""Which line of a step a finding stands at: that of the argument that is wrong, where the step has lines of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from preflight.app.model import PipInstall, PipPackage, Recipe, Source, Step
from preflight.app.offsets import Offsets
from preflight.model import Where


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
