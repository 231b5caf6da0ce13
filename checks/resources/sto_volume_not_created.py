"""A Volume is there, or is made when it is missing.

Looks at
    `Volume.from_name` and `NetworkFileSystem.from_name` without `create_if_missing=`.
Why it matters
    On an environment where nobody made it, the app stops at its start with NotFound.
Example
    before   modal.Volume.from_name("checkpoints")
    after    modal.Volume.from_name("checkpoints", create_if_missing=True)
Source
    modal 1.6.4 Volume.from_name.
"""

from collections.abc import Iterator

from preflight.api import Call, Context, Finding, Recipe, advice, counted, rule


def applies(recipe: Recipe) -> str:
    return counted(len(_named(recipe)), "named volume")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in _named(recipe):
        if "create_if_missing" in call.kwargs or call.has_spread or len(call.args) > 1:
            continue
        name = call.args[0] if call.args else call.kwargs.get("name", call.kwargs.get("label"))
        shown = repr(str(name)) if isinstance(name, str) else "of that name"
        yield advice(
            f"the Volume {shown} must exist already: create_if_missing is not given",
            "add create_if_missing=True, or make it once with `modal volume create`",
            call.where,
        )


def _named(recipe: Recipe) -> list[Call]:
    return [c for c in recipe.calls if c.name in ("modal.Volume.from_name", "modal.NetworkFileSystem.from_name")]


CHECK = rule(
    id="RES710",
    name="sto-volume-not-created",
    title="a Volume is there, or is made when it is missing",
    find=find,
    applies=applies,
)
