"""Nothing asks for a GPU that can't be preempted.

Looks at
    `nonpreemptible=True` together with `gpu=`.
Why it matters
    Only CPU functions can be non-preemptible; the service refuses the pair at deploy.  A long GPU run lives
    through a preemption by resuming from a checkpoint.
Example
    before   @app.function(gpu="H100", nonpreemptible=True)
    after    @app.function(gpu="H100", retries=3)   # and resume from a checkpoint
Source
    modal.com/docs/guide/preemption, read 2026-08-22.
"""

from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Recipe,
    Unresolved,
    counted,
    error,
    keyword_where,
    resource_calls,
    rule,
)


def applies(recipe: Recipe) -> str:
    return counted(len(_asked(recipe)), "non-preemptible function")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in _asked(recipe):
        gpu = call.kwargs.get("gpu")
        if not gpu or isinstance(gpu, Unresolved) or not isinstance(gpu, str | list | tuple):
            continue
        yield error(
            f"nonpreemptible=True with gpu={gpu!r}; only functions without a GPU can be non-preemptible",
            "leave nonpreemptible out, and resume from a checkpoint after a preemption",
            keyword_where(recipe, call, "nonpreemptible"),
            why="the deploy is refused after the image was built",
        )


def _asked(recipe: Recipe) -> list[Call]:
    return [c for c in resource_calls(recipe) if c.kwargs.get("nonpreemptible") is True]


CHECK = rule(
    id="RES630",
    name="res-nonpreemptible-gpu",
    title="nothing asks for a GPU that can't be preempted",
    find=find,
    applies=applies,
)
