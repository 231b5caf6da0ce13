"""Every Volume of the app exists, or is made by it.

Looks at
    The Volumes that the app's functions mount (and `[tool.preflight] volumes`), against the list of the
    environment's Volumes.
Why it matters
    `Volume.from_name` without `create_if_missing=True` stops the run when its container starts, after the
    image build; results and checkpoints have nowhere to go.
How to fix
    `modal volume create NAME`, or `create_if_missing=True` in the app.
Source
    Modal client 1.6.4: `Volume.objects.list`, `Volume.from_name` (measured 2026-11-23).
"""

from preflight.api import (
    RECIPE,
    VOLUMES,
    Answer,
    Check,
    Finding,
    Group,
    Looked,
    LookupFailed,
    NotApplicable,
    Severity,
    Stage,
    VolumeRef,
)


async def run(looked: Looked) -> Answer | NotApplicable:
    recipe = looked.tried(RECIPE)
    refs: list[VolumeRef] = []
    if not isinstance(recipe, LookupFailed):
        mounted = [v for f in recipe.functions for v in f.volumes.values() if isinstance(v, VolumeRef)]
        refs = [v for v in mounted if v.name and v.kind == "volume"]
    wanted = {v.name: v for v in refs if v.name}
    named = [n for n in looked.settings.volumes if n not in wanted]
    if not wanted and not named:
        return NotApplicable("the app mounts no named Volume, and tool.preflight.volumes names none")
    there = looked.tried(VOLUMES)
    if isinstance(there, LookupFailed):
        raise there
    findings, made = [], []
    for name in (*wanted, *named):
        ref = wanted.get(name)
        if name in there:
            continue
        if ref is not None and ref.creates_if_missing:
            made.append(name)
            continue
        findings.append(
            Finding(
                severity=Severity.ERROR,
                message=f"there is no Volume {name}, and the app does not create it",
                remedy=f"modal volume create {name}, or create_if_missing=True",
                why="the container stops as it starts, after the image build",
                where=ref.where if ref else None,
                can_clear=True,
            )
        )
    present = [n for n in (*wanted, *named) if n in there]
    said = ", ".join([*(f"{n} exists" for n in present), *(f"{n} will be created" for n in made)]) or "none exists"
    return Answer(said=said, seen={"exist": present, "created_by_app": made}, findings=tuple(findings))


CHECK = Check(
    id="STO003",
    name="volume",
    title="every Volume of the app exists, or is made by it",
    stage=Stage.REMOTE,
    tries=(RECIPE, VOLUMES),
    run=run,
    timeout_s=20.0,
    explains=(VOLUMES,),
    about=(Group.FUNCTIONS, Group.SETTINGS, Group.ACCOUNT),
)
