"""The rules on what the Modal client has no more: one engine, and a row of facts/modal_removed.toml for each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from preflight.app.model import Call, Recipe, Span
from preflight.app.uses import Use, is_certain, is_guarded
from preflight.facts.removed import Removed, RemovedUse, removed
from preflight.model import Finding, Fix, Where
from preflight.rules.edits import keyword_renamed, name_before_parenthesis, renamed_everywhere, replaced, together
from preflight.rules.findings import error, warning
from preflight.rules.form import Rule, Subject, rule_of
from preflight.rules.subjects import USES, keyword_where, resource_calls, syntax

MODAL_NAMES: Subject[Recipe] = Subject(
    lambda r: [r] if r.source.tree and (r.calls or USES.of(r)) else [],
    "use of Modal's names",
    amount=lambda files: sum(len(USES.of(r)) or len(r.calls) for r in files),
)


def rules() -> tuple[Rule, ...]:
    return tuple(_rule(row) for row in removed())


def _rule(row: Removed) -> Rule:
    def find(recipe: Recipe, _: Recipe) -> Iterator[Finding]:
        lines: set[int] = set()
        for use in row.uses:
            for where, name, fix in _found(recipe, use):
                if use.keyword and where.line in lines:
                    continue  # its line has been told of
                lines.add(where.line)
                words = {"name": name, "class": name.partition(".")[0]}
                say = warning if row.is_warning else error
                yield say(use.message.format(**words), use.remedy.format(**words), where, why=use.why, fix=fix)

    return rule_of(row.id, row.name, row.page, MODAL_NAMES, find)


def _found(recipe: Recipe, use: RemovedUse) -> Iterator[tuple[Where, str, Fix | None]]:
    """Each place where it is used and nobody asks first, what is used there, and what puts it right."""
    if use.names:
        yield from _names(recipe, use)
    elif use.keyword:
        yield from _keywords(recipe, use)
    elif use.methods:
        yield from _methods(recipe, use)
    for node in syntax(recipe).every(ast.Attribute) if use.properties else ():
        apps = {a.variable for a in recipe.apps}
        if node.attr in use.properties and isinstance(node.value, ast.Name) and node.value.id in apps:
            yield syntax(recipe).where(node), node.attr, None


def _names(recipe: Recipe, use: RemovedUse) -> Iterator[tuple[Where, str, Fix | None]]:
    found = [u for u in USES.of(recipe) if any(f"{u.name}.".startswith(f"modal.{name}.") for name in use.names)]
    fix = None if any(u.is_guarded for u in found) else _renamed(recipe, found, use)
    is_used = any(not u.is_import for u in found)
    for each in found:
        if not each.is_guarded and not (use.is_importable and each.is_import and is_used):
            yield syntax(recipe).where(each.node), ".".join(each.name.split(".")[:2]), fix


def _renamed(recipe: Recipe, found: list[Use], use: RemovedUse) -> Fix | None:
    """The name alone where it stays at its place, the whole ``modal.experimental.x`` where it moves."""
    old = use.names[0]
    if not use.new:
        return None
    if "." not in old:
        return renamed_everywhere(recipe, found, old, use.new, is_safe=True)
    tree, path = syntax(recipe), recipe.source.path
    if any(tree.text(u.node) != f"modal.{old}" for u in found):
        return None
    return together((replaced(path, tree.span(u.node), f"modal.{use.new}", is_safe=True) for u in found), is_safe=True)


def _keywords(recipe: Recipe, use: RemovedUse) -> Iterator[tuple[Where, str, Fix | None]]:
    calls = recipe.calls if use.of == ("*",) else resource_calls(recipe)
    names = {f"modal.{name}" for name in use.of if name != "*"}
    for call in calls:
        if use.keyword not in call.kwargs or (names and call.name not in names) or _asks_first(recipe, call):
            continue
        if use.of == ("*",) and not is_certain(recipe, call):
            continue
        has_both = not use.new or use.new in call.kwargs
        fix = None if has_both else keyword_renamed(call, use.keyword, use.new, is_safe=True)
        yield keyword_where(recipe, call, use.keyword), use.keyword, fix


def _methods(recipe: Recipe, use: RemovedUse) -> Iterator[tuple[Where, str, Fix | None]]:
    for call in recipe.calls:
        name = call.name.removeprefix("modal.")
        is_it = name in use.methods or "." + name.rpartition(".")[2] in use.methods
        if is_it and isinstance(call.node, ast.Call) and not _asks_first(recipe, call):
            yield call.where, name, _method_fixed(recipe, call, call.node, use) if use.new else None


def _method_fixed(recipe: Recipe, call: Call, node: ast.Call, use: RemovedUse) -> Fix | None:
    renamed = name_before_parenthesis(recipe.source, node, use.new, is_safe=True)
    if not use.adds:
        return renamed
    remote = call.args[1] if len(call.args) > 1 else call.kwargs.get("remote_path")
    is_right = {
        "one argument": len(node.args) == 1 and not node.keywords,
        "absolute remote_path": isinstance(remote, str) and remote.startswith("/"),
    }
    if call.span is None or not is_right[use.when]:
        return None
    text, end = recipe.source.text, call.span.end - 1
    if "#" in text[call.span.start : end].rsplit("\n", 1)[-1]:
        return None
    comma = re.compile(r",?\s*$").search(text, call.span.start, end)
    at = comma.start() if comma else end
    return together([renamed, replaced(call.where.path, Span(at, at), f", {use.adds}", is_safe=True)], is_safe=True)


def _asks_first(recipe: Recipe, call: Call) -> bool:
    return call.node is not None and is_guarded(syntax(recipe), call.node)
