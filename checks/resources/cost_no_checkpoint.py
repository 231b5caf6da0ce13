"""A GPU run of hours keeps its checkpoints where they outlive the container.

Looks at
    Functions with `gpu=` that train for up to 4 h or more (by `timeout=`) and mount neither a Volume nor a bucket.
Why it matters
    A GPU container can be preempted at any time and is started again from nothing; what it wrote to its own disk
    is gone.
Example
    before   @app.function(gpu="H100", timeout=86400)
    after    @app.function(gpu="H100", timeout=86400, volumes={"/ckpt": modal.Volume.from_name("ckpt")})
Source
    modal.com/docs/guide/preemption.
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Function,
    Known,
    Recipe,
    advice,
    counted,
    functions_of,
    is_web,
    rule,
    training_of,
)

LONG_S = 4 * 3600


def applies(recipe: Recipe) -> str:
    return counted(len(_long(recipe)), "GPU function of 4 h or more", "GPU functions of 4 h or more")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for function in _long(recipe):
        if function.volumes or function.call.has_spread or not training_of(function):
            continue
        assert isinstance(function.timeout_s, Known)
        yield advice(
            f"{function.name} may train for {function.timeout_s.value / 3600:g} h and mounts no Volume and no bucket",
            "mount a Volume and write checkpoints there",
            function.call.where,
            why="a preemption starts it again from nothing",
        )


def _long(recipe: Recipe) -> list[Function]:
    return [
        f
        for f in functions_of(recipe)
        if isinstance(f.gpu, tuple)
        and f.gpu
        and isinstance(f.timeout_s, Known)
        and f.timeout_s.value >= LONG_S
        and not is_web(f)
    ]


CHECK = rule(
    id="RES651",
    name="cost-no-checkpoint",
    title="a GPU run of hours keeps its checkpoints outside the container",
    find=find,
    applies=applies,
)
