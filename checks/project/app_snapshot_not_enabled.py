"""A hook that runs before a snapshot has a snapshot to run before.

Looks at
    `@modal.enter(snap=True)` in classes, and `enable_memory_snapshot=` of `@app.cls(…)`.
Why it matters
    Without `enable_memory_snapshot=True` the client refuses the class: an InvalidError when the file is imported,
    and nothing of the app runs.
Example
    before   @app.cls(gpu="A100")                                 # with @modal.enter(snap=True) inside
    after    @app.cls(gpu="A100", enable_memory_snapshot=True)
How to fix
    Add `enable_memory_snapshot=True` to the class's decorator, or leave `snap=True` out.
Source
    modal/cls.py 1.6.4, run with and without the option.
"""

from preflight.api import Findings, Function, Recipe, error, rule
from preflight.rules.subjects import FUNCTIONS

WITH_HOOKS = FUNCTIONS.only(
    lambda f: f.kind == "cls" and any(d.name == "modal.enter" for d in f.decorators), "class with hooks"
)


@rule("PRJ985", WITH_HOOKS)
def find(recipe: Recipe, function: Function) -> Findings:
    if function.call.has_spread or "enable_memory_snapshot" in function.call.kwargs:
        return
    for hook in function.decorators:
        if hook.name == "modal.enter" and hook.kwargs.get("snap") is True:
            yield error(
                f"enter(snap=True) in {function.name}, which has no enable_memory_snapshot=True",
                "add enable_memory_snapshot=True to the class's decorator, or leave snap=True out",
                hook.where,
                why="an InvalidError when the file is imported: nothing of the app runs",
            )
