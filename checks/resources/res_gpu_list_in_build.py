"""Build steps ask for one GPU, not for a list of alternatives.

Looks at
    `gpu=` of the image's steps (`pip_install`, `run_commands`, `uv_sync` …).  `run_function` takes a list.
Why it matters
    Only functions, classes and `run_function` accept alternatives. A build step with a list fails when the image is
    built.
Example
    before   image.run_commands("python build.py", gpu=["H100", "A100"])
    after    image.run_commands("python build.py", gpu="H100")
How to fix
    Name one GPU.
Source
    modal 1.6.4 _image.py: steps hand `gpu` to parse_gpu_config, which takes a string or None.
"""

from preflight.api import Call, Findings, Recipe, app, error, rule
from preflight.rules.subjects import IMAGE_CALLS

STEPS_WITH_GPU = IMAGE_CALLS.only(
    lambda c: not c.name.endswith("run_function") and "gpu" in c.kwargs, "build step with a GPU"
)


@rule("RES580", STEPS_WITH_GPU)
def find(recipe: Recipe, call: Call) -> Findings:
    value = call.kwargs["gpu"]
    if not isinstance(value, list | tuple):
        return
    first = value[0] if value and isinstance(value[0], str) else None
    yield error(
        f"{call.name.rsplit('.', 1)[-1]} gets a list of GPUs; a build step takes one",
        f"write gpu={first!r}" if first else "name one GPU",
        app.keyword_where(recipe, call, "gpu"),
        why="the image build stops at this step",
        fix=app.keyword_value(recipe.source, call, "gpu", f'"{first}"', is_safe=True) if first else None,
    )
