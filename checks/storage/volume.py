"""Every Volume of the app exists, or is made by it.

Looks at: The Volumes that the app's functions mount, the planned function's first (and `[tool.preflight] volumes`),
    against the list of the Volumes of their environment.
Why it matters: `Volume.from_name` without `create_if_missing=True` stops the run when its container starts, after the
    image build; results and checkpoints have nowhere to go.
How to fix: `modal volume create NAME`, or `create_if_missing=True` in the app.
Source: Modal client 1.6.4: `Volume.objects.list`, `Volume.from_name` (measured 2026-11-23).
"""

from preflight.api import Answer, Check, Finding, Group, Looked, LookupFailed, NotApplicable, Stage, account, error
from preflight.remote.s3.lookups import NAMED, VOLUMES_THERE


async def run(looked: Looked) -> Answer | NotApplicable:
    named = looked[NAMED]
    if not named.volumes and not named.open_volumes:
        return NotApplicable("the app mounts no named Volume, and tool.preflight.volumes names none")
    there = looked.required(VOLUMES_THERE)
    findings, said, present, made = list[Finding](), list[str](), list[str](), list[str]()
    for volume in named.volumes:
        at = f" in environment {volume.environment}" if volume.environment else ""
        if volume.name in there[volume.environment]:
            present.append(volume.name)
            said.append(f"{volume.name} exists{at}")
        elif volume.is_created:
            made.append(volume.name)
            said.append(f"{volume.name} will be created{at}")
        else:
            environment = volume.environment or looked.settings.environment
            option = f" -e {environment}" if environment else ""
            said.append(f"{volume.name} does not exist{at}")
            findings.append(
                error(
                    f"there is no Volume {volume.name}{at}, and the app does not create it",
                    f"modal volume create{option} {volume.name}, or create_if_missing=True",
                    volume.where,
                    why="the container stops as it starts, after the image build",
                    can_clear=True,
                )
            )
    if named.open_volumes:
        said.append(f"not looked at: {'; '.join(named.open_volumes)}")
        if not findings:
            raise LookupFailed(VOLUMES_THERE, "; ".join(reversed(said)))
    return Answer(summary="; ".join(said), seen={"exist": present, "created_by_app": made}, findings=tuple(findings))


CHECK = Check(
    id="STO003",
    stage=Stage.REMOTE,
    needs=(NAMED,),
    tries=(VOLUMES_THERE,),
    run=run,
    timeout_s=20.0,
    explains=(account.VOLUMES, VOLUMES_THERE),
    about=(Group.FUNCTIONS, Group.SETTINGS, Group.ACCOUNT),
)
