"""No Volume is mounted at two paths of one function.

Looks at
    `volumes=` of each function: the same Volume (by its name, or by the same variable) under two paths.
Why it matters
    The client refuses it when the file is imported or the app is deployed.  A bucket mount may stand twice.
Example
    before   volumes={"/data": vol, "/cache": vol}
    after    volumes={"/data": vol}   # and /data/cache
How to fix
    Mount it at one path and use folders below.
Source
    modal 1.6.4 _utils/mount_utils.py validate_volumes and validate_volumes_by_object_id.
"""

from preflight.api import Call, Findings, Recipe, app, error, rule
from preflight.rules.subjects import RESOURCE_CALLS

MOUNTING = RESOURCE_CALLS.only(lambda c: isinstance(c.kwargs.get("volumes"), dict), "call with volumes")


@rule("RES691", MOUNTING)
def find(recipe: Recipe, call: Call) -> Findings:
    places: dict[tuple[str, str | None], list[str]] = {}
    for path, each in call.kwargs["volumes"].items():
        if isinstance(each, app.VolumeRef) and each.kind == "volume" and each.name:
            places.setdefault((each.name, each.environment), []).append(str(path).rstrip("/"))
    for (name, _), paths in places.items():
        if len(set(paths)) > 1:
            yield error(
                f"the Volume {name!r} is mounted at {' and '.join(paths)}; one function may mount it once",
                "mount it at one path and use folders below",
                app.keyword_where(recipe, call, "volumes"),
                why="the client raises InvalidError before anything runs",
            )
