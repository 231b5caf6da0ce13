"""GPUs are asked for by the name that Modal's documents use today.

Looks at
    The strings of `gpu=`: `A10G` is still taken for `A10`.
Why it matters
    An alias that is no longer documented can go without notice.
Example
    before   @app.function(gpu="A10G")
    after    @app.function(gpu="A10")
Source
    modal.com/docs/guide/gpu, read 2026-08-22, lists A10; A10G is in older code and still accepted.
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    GpuText,
    Recipe,
    advice,
    counted,
    gpu_texts,
    quoted_like,
    replaced,
    resource_calls,
    rule,
)

ALIASES = {"A10G": "A10"}


def applies(recipe: Recipe) -> str:
    return counted(len(_asked(recipe)), "GPU")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for gpu in _asked(recipe):
        today = ALIASES.get(gpu.type)
        if today is None:
            continue
        text = today + (f":{gpu.count}" if gpu.count else "")
        yield advice(
            f"gpu {gpu.written!r} is the older name of {today}",
            f"write {text!r}",
            gpu.where,
            fix=replaced(gpu.where.path, gpu.span, quoted_like(gpu.literal, text), is_safe=True),
        )


def _asked(recipe: Recipe) -> list[GpuText]:
    return [gpu for call in resource_calls(recipe) for gpu in gpu_texts(recipe, call)]


CHECK = rule(
    id="RES561",
    name="res-gpu-alias",
    title="GPUs have the names of Modal's documents",
    find=find,
    applies=applies,
)
