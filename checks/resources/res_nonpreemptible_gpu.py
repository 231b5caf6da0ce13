"""Nothing asks for a GPU that can't be preempted.

Looks at
    `nonpreemptible=True` together with `gpu=`.
Why it matters
    Only CPU functions can be non-preemptible; the service refuses the pair at deploy. A long GPU run survives a
    preemption when it resumes from a checkpoint.
Example
    before   @app.function(gpu="H100", nonpreemptible=True)
    after    @app.function(gpu="H100", retries=3)   # and resume from a checkpoint
How to fix
    Leave `nonpreemptible` out, and resume from a checkpoint after a preemption.
Source
    modal.com/docs/guide/preemption, read 2026-08-22.
"""

from preflight.api import Call, Findings, Recipe, app, error, rule
from preflight.rules.subjects import RESOURCE_CALLS


@rule("RES630", RESOURCE_CALLS.only(lambda c: c.kwargs.get("nonpreemptible") is True, "non-preemptible function"))
def find(recipe: Recipe, call: Call) -> Findings:
    gpu = call.kwargs.get("gpu")
    if gpu and isinstance(gpu, str | list | tuple):
        yield error(
            f"nonpreemptible=True with gpu={gpu!r}; only functions without a GPU can be non-preemptible",
            "leave nonpreemptible out, and resume from a checkpoint after a preemption",
            app.keyword_where(recipe, call, "nonpreemptible"),
            why="the deploy is refused after the image was built",
        )
