"""A Volume exists, or is made when it is missing.

Looks at
    `Volume.from_name` and `NetworkFileSystem.from_name` without `create_if_missing=`.
Why it matters
    In an environment where nobody made it, the app stops at its start with NotFound.
Example
    before   modal.Volume.from_name("checkpoints")
    after    modal.Volume.from_name("checkpoints", create_if_missing=True)
How to fix
    Add `create_if_missing=True`, or make the Volume once with `modal volume create`.
Source
    modal 1.6.4 Volume.from_name.
"""

from preflight.api import Call, Findings, Recipe, advice, rule
from preflight.rules.subjects import CALLS

NAMED = CALLS.only(lambda c: c.name in ("modal.Volume.from_name", "modal.NetworkFileSystem.from_name"), "named volume")


@rule("RES710", NAMED)
def find(recipe: Recipe, call: Call) -> Findings:
    if "create_if_missing" in call.kwargs or call.has_spread or len(call.args) > 1:
        return
    name = call.args[0] if call.args else call.kwargs.get("name", call.kwargs.get("label"))
    yield advice(
        f"the Volume {repr(str(name)) if isinstance(name, str) else 'of that name'} must exist already: "
        "create_if_missing is not given",
        "add create_if_missing=True, or make it once with `modal volume create`",
        call.where,
    )
