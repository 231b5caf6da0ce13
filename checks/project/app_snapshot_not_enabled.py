"""A hook that runs before a snapshot has a snapshot to run before.

Looks at
    `@modal.enter(snap=True)` in classes, and `enable_memory_snapshot=` of `@app.cls(…)`.
Why it matters
    Without `enable_memory_snapshot=True` the client refuses the class: an InvalidError when the file is imported,
    and nothing of the app runs.
Example
    before   @app.cls(gpu="A100")                                 # with @modal.enter(snap=True) inside
    after    @app.cls(gpu="A100", enable_memory_snapshot=True)
Source
    modal/cls.py 1.6.4, run with and without the option.
"""

from collections.abc import Iterator

from preflight.api import Context, Finding, Function, Recipe, counted, error, rule


def applies(recipe: Recipe) -> str:
    return counted(len(_classes(recipe)), "class with hooks", "classes with hooks")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for function in _classes(recipe):
        if function.call.has_spread or "enable_memory_snapshot" in function.call.kwargs:
            continue
        for hook in function.decorators:
            if hook.name == "modal.enter" and hook.kwargs.get("snap") is True:
                yield error(
                    f"enter(snap=True) in {function.name}, which has no enable_memory_snapshot=True",
                    "add enable_memory_snapshot=True to the class's decorator, or leave snap=True out",
                    hook.where,
                    why="an InvalidError when the file is imported: nothing of the app runs",
                )


def _classes(recipe: Recipe) -> list[Function]:
    return [f for f in recipe.functions if f.kind == "cls" and any(d.name == "modal.enter" for d in f.decorators)]


CHECK = rule(
    id="PRJ985",
    name="app-snapshot-not-enabled",
    title="a hook that runs before a snapshot has a snapshot to run before",
    find=find,
    applies=applies,
)
