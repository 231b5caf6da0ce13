"""The autoscaler's keywords have their names of today.

Looks at
    `keep_warm`, `concurrency_limit` and `container_idle_timeout` on functions, classes and `with_options`.
Why it matters
    They are refused since 1.4.0: an error when the file is imported.
Example
    before   @app.function(keep_warm=1, concurrency_limit=4, container_idle_timeout=300)
    after    @app.function(min_containers=1, max_containers=4, scaledown_window=300)
Source
    modal 1.6.4 _utils/deprecation.py handle_deprecated_parameters.
"""

from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Recipe,
    counted,
    error,
    is_guarded,
    keyword_renamed,
    keyword_where,
    resource_calls,
    rule,
    syntax_of,
)

TODAY = {
    "keep_warm": "min_containers",
    "concurrency_limit": "max_containers",
    "container_idle_timeout": "scaledown_window",
}


def applies(recipe: Recipe) -> str:
    return counted(len(resource_calls(recipe)), "call that may scale", "calls that may scale")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in resource_calls(recipe):
        for old, new in TODAY.items():
            if old in call.kwargs and not _is_guarded(recipe, call):
                yield error(
                    f"{old} was renamed to {new}; the old name is refused since 1.4.0",
                    f"write {new}=",
                    keyword_where(recipe, call, old),
                    why="an error when the file is imported: nothing of the app runs",
                    fix=None if new in call.kwargs else keyword_renamed(call, old, new, is_safe=True),
                )


def _is_guarded(recipe: Recipe, call: Call) -> bool:
    syntax = syntax_of(recipe.source)
    return syntax is not None and call.node is not None and is_guarded(syntax, call.node)


CHECK = rule(
    id="PRJ750",
    name="dep-autoscaler-kwarg",
    title="the autoscaler's keywords have their names of today",
    find=find,
    applies=applies,
)
