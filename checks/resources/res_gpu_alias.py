"""GPUs have the names of Modal's documents.

Looks at
    The strings of `gpu=`: `A10G` is still taken for `A10`.
Why it matters
    A name that is no longer documented can stop working without notice.
Example
    before   @app.function(gpu="A10G")
    after    @app.function(gpu="A10")
How to fix
    Write the name of today.
Source
    modal.com/docs/guide/gpu, read 2026-08-22, lists A10; A10G is in older code and still accepted.
"""

from preflight.api import Call, Findings, Recipe, advice, app, facts, rule
from preflight.rules.subjects import GPUS

OLDER = frozenset({"A10G"})


@rule("RES561", GPUS)
def find(recipe: Recipe, asked: tuple[Call, app.GpuText]) -> Findings:
    text = asked[1]
    row = facts.gpu(text.type) if text.type in OLDER else None
    if row is not None:
        today = row.name + (f":{text.count}" if text.count else "")
        yield advice(
            f"gpu {text.written!r} is the older name of {row.name}",
            f"write {today!r}",
            text.where,
            fix=app.replaced(text.where.path, text.span, app.quoted_like(text.literal, today), is_safe=True),
        )
