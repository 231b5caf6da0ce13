"""A GPU run of hours is guarded from inside.

Looks at
    Functions with `gpu=` that train for an hour or more (by `timeout=`), in an app of whose project no file imports
    `preflight.guard`.
Why it matters
    The probe proves the kernels in a container of its own. In the run's container the GPU is another one, and a
    fallback, a gradient that is not finite or a pace that will not fit the hours costs all of them.
Example
    before   model = Net().cuda()
    after    model = guard(Net().cuda(), total_steps=100 * len(loader), hours=24)
How to fix
    Wrap the model as above (`from preflight.guard import guard`) and add `.add_local_python_source("preflight")` to
    its image. The guard stops the run in its first minutes, or only warns with `warn_only=True`.
Source
    preflight/guard.py: standard library and torch only; it was run on an H200 (2026-11-28).
"""

from preflight.api import Context, Findings, Function, Recipe, advice, app, rule
from preflight.guard import IMAGE_LINE
from preflight.probe.request import python_files
from preflight.rules.subjects import GPU_FUNCTIONS

LONG_S = 3600
LONG = GPU_FUNCTIONS.only(
    lambda f: isinstance(f.timeout_s, app.Known) and f.timeout_s.value >= LONG_S and not app.is_web(f),
    "GPU function of an hour or more",
)
GUARDS = (b"preflight.guard", b"preflight_guard")


@rule("RES720", LONG)
def find(recipe: Recipe, function: Function, context: Context) -> Findings:
    how = app.training_of(function)
    if not how or any(g.decode() in recipe.source.text for g in GUARDS) or _is_guarded(context):
        return
    yield advice(
        f"{function.name} trains on a GPU ({how}) and nothing guards the run from inside",
        f"model = guard(model, total_steps=…, hours=…) from preflight.guard, and {IMAGE_LINE} on its image",
        function.call.where,
        why="a fallback or a pace that does not fit is seen in the first minutes, or after the last dollar",
    )


def _is_guarded(context: Context) -> bool:
    for path in python_files(context.project):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if any(g in text for g in GUARDS) and b"modal.App(" not in text:  # another app's guard is not this one's
            return True
    return False
