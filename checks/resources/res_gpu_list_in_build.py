"""Build steps ask for one GPU, not for a list of alternatives.

Looks at
    `gpu=` of the image's steps (`pip_install`, `run_commands`, `uv_sync` …).  `run_function` takes a list.
Why it matters
    Only functions, classes and `run_function` take alternatives; a build step with a list fails at the build.
Example
    before   image.run_commands("python build.py", gpu=["H100", "A100"])
    after    image.run_commands("python build.py", gpu="H100")
Source
    modal 1.6.4 _image.py: steps hand `gpu` to parse_gpu_config, which takes a string or None.
"""

from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Recipe,
    counted,
    error,
    keyword_value,
    keyword_where,
    rule,
)


def applies(recipe: Recipe) -> str:
    return counted(len(_with_gpu(recipe)), "build step with a GPU", "build steps with a GPU")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in _with_gpu(recipe):
        value = call.kwargs["gpu"]
        if not isinstance(value, list | tuple):
            continue
        first = value[0] if value and isinstance(value[0], str) else None
        yield error(
            f"{call.name.rsplit('.', 1)[-1]} gets a list of GPUs; a build step takes one",
            f"write gpu={first!r}" if first else "name one GPU",
            keyword_where(recipe, call, "gpu"),
            why="the image build stops at this step",
            fix=keyword_value(recipe.source, call, "gpu", f'"{first}"', is_safe=True) if first else None,
        )


def _with_gpu(recipe: Recipe) -> list[Call]:
    return [
        c
        for c in recipe.calls
        if c.name.startswith("modal.Image.") and not c.name.endswith("run_function") and "gpu" in c.kwargs
    ]


CHECK = rule(
    id="RES580",
    name="res-gpu-list-in-build",
    title="build steps ask for one GPU",
    find=find,
    applies=applies,
)
