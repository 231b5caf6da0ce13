"""Ephemeral disk is between the 512 GiB every container has and the 3 TiB a host has.

Looks at
    `ephemeral_disk=`, in MiB.
Why it matters
    More than 3,145,728 MiB is refused at deploy.  Less than the default of 524,288 MiB asks for what is there
    anyway.
Example
    before   @app.function(ephemeral_disk=4 * 1024 * 1024)
    after    @app.function(ephemeral_disk=3 * 1024 * 1024)
Source
    modal.com/docs/guide/resources, read 2026-08-22.
"""

from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Recipe,
    advice,
    counted,
    error,
    keyword_where,
    number,
    resource_calls,
    rule,
)

MOST_MIB = 3_145_728
DEFAULT_MIB = 524_288


def applies(recipe: Recipe) -> str:
    return counted(len(_with_disk(recipe)), "request of disk", "requests of disk")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in _with_disk(recipe):
        mib = number(call.kwargs["ephemeral_disk"])
        where = keyword_where(recipe, call, "ephemeral_disk")
        if mib is None:
            continue
        if mib > MOST_MIB:
            yield error(
                f"ephemeral_disk is {mib:.15g} MiB; the most is {MOST_MIB} MiB (3 TiB)",
                f"set ephemeral_disk={MOST_MIB} or less, and keep large data on a Volume",
                where,
                why="the deploy is refused after the image was built",
            )
        elif mib < DEFAULT_MIB:
            yield advice(
                f"ephemeral_disk is {mib:g} MiB; every container has {DEFAULT_MIB} MiB (512 GiB) without asking",
                "leave it out; the unit is MiB",
                where,
            )


def _with_disk(recipe: Recipe) -> list[Call]:
    return [c for c in resource_calls(recipe) if "ephemeral_disk" in c.kwargs]


CHECK = rule(
    id="RES620",
    name="res-ephemeral-disk",
    title="ephemeral disk is within what a host has",
    find=find,
    applies=applies,
)
