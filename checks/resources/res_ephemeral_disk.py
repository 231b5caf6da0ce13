"""Ephemeral disk is within what a host has.

Looks at
    `ephemeral_disk=`, in MiB.
Why it matters
    More than 3,145,728 MiB is refused at deploy.  Less than the default of 524,288 MiB asks for what is there
    anyway.
Example
    before   @app.function(ephemeral_disk=4 * 1024 * 1024)
    after    @app.function(ephemeral_disk=3 * 1024 * 1024)
How to fix
    Ask for 3145728 MiB or less, and keep larger data on a Volume. The unit is MiB.
Source
    modal.com/docs/guide/resources, read 2026-08-22.
"""

from preflight.api import Call, Findings, Recipe, advice, app, error, facts, rule
from preflight.rules.subjects import RESOURCE_CALLS, with_keyword


@rule("RES620", RESOURCE_CALLS.only(with_keyword("ephemeral_disk"), "request for disk"))
def find(recipe: Recipe, call: Call) -> Findings:
    mib, allowed = app.number(call.kwargs["ephemeral_disk"]), facts.limit("ephemeral_disk_mib")
    where = app.keyword_where(recipe, call, "ephemeral_disk")
    if mib is not None and mib > allowed.most:
        yield error(
            f"ephemeral_disk is {mib:.15g} MiB; the most is {allowed.most:.15g} MiB ({allowed.most / 1024**2:g} TiB)",
            f"set ephemeral_disk={allowed.most:.15g} or less, and keep large data on a Volume",
            where,
            why="the deploy is refused after the image was built",
        )
    elif mib is not None and mib < allowed.least:
        least = f"{allowed.least:.15g} MiB ({allowed.least / 1024:g} GiB)"
        yield advice(
            f"ephemeral_disk is {mib:g} MiB; every container has {least} without asking",
            "leave it out; the unit is MiB",
            where,
        )
