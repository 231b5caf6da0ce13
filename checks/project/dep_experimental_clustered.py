"""Nothing uses what the client warns about.

Looks at
    `modal.experimental.clustered` and `stop_app`, `max_inputs=` on functions and classes, `update_autoscaler`,
    the `registered_*` properties of an App, and `wrap_returned_exceptions=`.
Why it matters
    Each still works and prints a deprecation; a later client refuses it.
Example
    before   @modal.experimental.clustered(size=2)
    after    @modal.clustered(size=2)
Source
    Modal Python release notes, 2026-09-14 (clustered) and 2026-10-16 (update_autoscaler); modal 1.6.4 app.py.
"""

import ast
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Fix,
    Recipe,
    Syntax,
    Use,
    counted,
    is_certain,
    keyword_where,
    replaced,
    resource_calls,
    rule,
    syntax_of,
    uses_of_modal,
    warning,
)

NAMES = {
    "modal.experimental.clustered": "modal.clustered",
    "modal.experimental.stop_app": "App.stop (`modal app stop`)",
}
METHODS = {
    "update_autoscaler": "with_options, or the settings of the decorator",
}
PROPERTIES = ("registered_functions", "registered_classes", "registered_entrypoints", "registered_web_endpoints")
WHY = "it prints a deprecation today; a later client refuses it"


def applies(recipe: Recipe) -> str:
    return counted(len(uses_of_modal(recipe)), "use of Modal's names", "uses of Modal's names")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    if syntax is None:
        return
    for use in uses_of_modal(recipe):
        if use.name in NAMES and not use.is_guarded:
            yield warning(
                f"{use.name} is deprecated",
                f"use {NAMES[use.name]}",
                syntax.where(use.node),
                why=WHY,
                fix=_fix(syntax, use),
            )
    for call in resource_calls(recipe):
        if "max_inputs" in call.kwargs and call.name in ("modal.App.function", "modal.App.cls"):
            yield warning(
                "max_inputs= is deprecated",
                "set single_use_containers=True for one input a container",
                keyword_where(recipe, call, "max_inputs"),
                why=WHY,
            )
    for call in recipe.calls:
        method = call.name.rsplit(".", 1)[-1]
        if method in METHODS:
            yield warning(f"{method} is deprecated", f"use {METHODS[method]}", call.where, why=WHY)
        if "wrap_returned_exceptions" in call.kwargs and is_certain(recipe, call):
            yield warning(
                "wrap_returned_exceptions= is deprecated",
                "leave it out",
                keyword_where(recipe, call, "wrap_returned_exceptions"),
                why=WHY,
            )
    apps = {a.variable for a in recipe.apps}
    for node in syntax.every(ast.Attribute):
        if node.attr in PROPERTIES and isinstance(node.value, ast.Name) and node.value.id in apps:
            yield warning(
                f"App.{node.attr} is deprecated and goes in 1.7.0", "use App.info()", syntax.where(node), why=WHY
            )


def _fix(syntax: Syntax, use: Use) -> Fix | None:
    if use.name != "modal.experimental.clustered" or not isinstance(use.node, ast.Attribute):
        return None
    if syntax.text(use.node) != "modal.experimental.clustered":
        return None
    return replaced(syntax.source.path, syntax.span(use.node), "modal.clustered", is_safe=True)


CHECK = rule(
    id="PRJ770",
    name="dep-experimental-clustered",
    title="nothing uses what the client warns about",
    find=find,
    applies=applies,
)
