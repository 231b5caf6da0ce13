"""A GPU run of hours keeps its checkpoints outside the container.

Looks at
    Functions with `gpu=` that train for up to 4 h or more (by `timeout=`) and mount neither a Volume nor a bucket.
Why it matters
    A GPU container can be preempted at any time and is then started again from the beginning. What it wrote to its
    own disk is lost.
Example
    before   @app.function(gpu="H100", timeout=86400)
    after    @app.function(gpu="H100", timeout=86400, volumes={"/ckpt": modal.Volume.from_name("ckpt")})
How to fix
    Mount a Volume, write a checkpoint to it every few minutes, and resume from the newest one at the start.
Source
    modal.com/docs/guide/preemption.
"""

from preflight.api import Findings, Function, Recipe, advice, app, rule
from preflight.rules.subjects import GPU_FUNCTIONS

LONG_S = 4 * 3600
LONG = GPU_FUNCTIONS.only(
    lambda f: isinstance(f.timeout_s, app.Known) and f.timeout_s.value >= LONG_S and not app.is_web(f),
    "GPU function of 4 h or more",
)


@rule("RES651", LONG)
def find(recipe: Recipe, function: Function) -> Findings:
    if function.volumes or function.call.has_spread or not app.training_of(function):
        return
    assert isinstance(function.timeout_s, app.Known)
    yield advice(
        f"{function.name} may train for {function.timeout_s.value / 3600:g} h and mounts no Volume and no bucket",
        "mount a Volume and write checkpoints there",
        function.call.where,
        why="after a preemption it starts again from the beginning",
    )
