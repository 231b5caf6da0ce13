"""No container asks for more GPUs than a host has.

Looks at
    The number after the colon of `gpu=`.
Why it matters
    A container gets a limited number of GPUs of a type: 8 of most, 4 of A10. The service refuses more when the
    function is created; the client refuses a count that is not a number.
Example
    before   @app.function(gpu="H100:16")
    after    @app.function(gpu="H100:8")
How to fix
    Write a count within the limit. More GPUs need several containers (`modal.clustered`).
Source
    modal.com/docs/guide/gpu, read 2026-08-22 (the table of `preflight facts`); modal 1.6.4 parse_gpu_config.
"""

from preflight.api import Call, Findings, Recipe, app, error, facts, rule
from preflight.rules.subjects import GPUS

MOST = 8  # of a GPU that is not in our table


@rule("RES570", GPUS.only(lambda asked: ":" in asked[1].written, "GPU count"))
def find(recipe: Recipe, asked: tuple[Call, app.GpuText]) -> Findings:
    text = asked[1]
    row = facts.gpu(text.type)
    if row is None and text.type not in ("", "ANY"):
        return  # what Modal does not have is the finding of res-gpu-unknown
    most = row.most if row is not None else MOST
    name = text.written.partition(":")[0]
    try:
        count = int(text.count)
    except ValueError:
        yield error(
            f"{text.written!r}: {text.count!r} is not a GPU count",
            f"write a number from 1 to {most} after the colon",
            text.where,
            why="the client refuses it before anything is deployed",
        )
        return
    if not 1 <= count <= most:
        wanted = f"{name}:{most if count > most else 1}"
        yield error(
            f"{text.written!r} asks for {count} GPUs; a container has 1 to {most} of {text.type}",
            f"write {wanted}; more need several containers (modal.clustered)",
            text.where,
            why="the service refuses it when the app is deployed, after the image was built",
            fix=app.replaced(text.where.path, text.span, app.quoted_like(text.literal, wanted), is_safe=True),
        )
