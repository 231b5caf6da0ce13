"""No container asks for more GPUs than a host has.

Looks at
    The number after the colon of `gpu=`.
Why it matters
    A container gets at most 8 GPUs of a type, 4 of A10.  The service refuses more when the function is created;
    a count that is no number is refused by the client.
Example
    before   @app.function(gpu="H100:16")
    after    @app.function(gpu="H100:8")
Source
    modal.com/docs/guide/gpu, read 2026-08-22; modal 1.6.4 parse_gpu_config for counts that are no number.
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Fix,
    GpuText,
    Recipe,
    counted,
    error,
    gpu_texts,
    quoted_like,
    replaced,
    resource_calls,
    rule,
)

MOST = 8
FEWER = {"A10": 4, "A10G": 4}


def applies(recipe: Recipe) -> str:
    return counted(len(_counted(recipe)), "GPU count")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for gpu in _counted(recipe):
        most = FEWER.get(gpu.type, MOST)
        try:
            count = int(gpu.count)
        except ValueError:
            yield error(
                f"{gpu.written!r}: {gpu.count!r} is no number of GPUs",
                f"write a number from 1 to {most} after the colon",
                gpu.where,
                why="the client refuses it before anything is deployed",
            )
            continue
        if not 1 <= count <= most:
            wanted = most if count > most else 1
            yield error(
                f"{gpu.written!r} asks for {count} GPUs; a container has 1 to {most} of {gpu.type}",
                f"write {gpu.written.partition(':')[0]}:{wanted}; more need several containers (modal.clustered)",
                gpu.where,
                why="the service refuses it when the app is deployed, after the image was built",
                fix=_fix(gpu, wanted),
            )


def _counted(recipe: Recipe) -> list[GpuText]:
    return [g for call in resource_calls(recipe) for g in gpu_texts(recipe, call) if ":" in g.written]


def _fix(gpu: GpuText, count: int) -> Fix | None:
    text = f"{gpu.written.partition(':')[0]}:{count}"
    return replaced(gpu.where.path, gpu.span, quoted_like(gpu.literal, text), is_safe=True)


CHECK = rule(
    id="RES570",
    name="res-gpu-count",
    title="no container asks for more GPUs than a host has",
    find=find,
    applies=applies,
)
