"""The Image Builder is new enough.

Looks at: The version that this app's images would be built with: MODAL_IMAGE_BUILDER_VERSION or the active profile,
    else the one that Modal resolves for the environment, which the client builds with. The environment's and the
    workspace's settings explain it, where they may be read; one that contradicts it leaves the answer open. The minimum
    is 2025.06, or `[tool.preflight.image-builder] minimum`.
Why it matters: Builders up to 2024.10 put Modal's own dependencies and older pips into the image; the same recipe then
    installs other versions, and the server warns "Using legacy Image Builder version".
How to fix: `modal workspace settings set image-builder-version 2025.06` (a manager or owner), or for one environment
    `modal environment update ENV --set-image-builder-version 2025.06`. Every image is built again after it.
Source: Modal client 1.6.4, order measured 2026-11-23; 2026.10 needs client 1.6.3 and drops Python 3.10.
"""

import re
from dataclasses import dataclass, replace

from preflight.api import Answer, Check, Findings, Group, Looked, LookupFailed, Stage, account, error, warning

VERSION = re.compile(r"\d{4}\.\d{2}")


@dataclass(frozen=True)
class Setting:
    """Where the version in force comes from, and the command that sets another one there."""

    name: str
    command: str


WORKSPACE = Setting("the workspace setting", "modal workspace settings set image-builder-version {}")
RESOLVED = replace(WORKSPACE, name="Modal's resolved environment")
PROFILE = Setting("the profile", "modal config set image_builder_version {}")
VARIABLE = Setting("MODAL_IMAGE_BUILDER_VERSION", "export MODAL_IMAGE_BUILDER_VERSION={}, or unset it")


async def run(looked: Looked) -> Answer:
    client, minimum = looked[account.CLIENT], looked.settings.image_builder.minimum
    version = looked.required(account.RESOLVED_BUILDER)
    forced = VARIABLE if client.override_by == VARIABLE.name else PROFILE
    source = forced if client.builder_override else _explained(version, looked)
    newest = client.builders[-1] if client.builders else None
    seen = {"version": version, "source": source.name, "minimum": minimum, "newest_known": newest}
    said = f"{version}, from {source.name}" + (f" ({newest} is the newest)" if newest and version < newest else "")
    return Answer(summary=said, seen=seen, findings=tuple(_wrong(version, source, minimum)))


def _wrong(version: str, source: Setting, minimum: str) -> Findings:
    remedy = source.command.format(minimum)
    if not VERSION.fullmatch(version):
        message = f"the Image Builder is {version!r}, from {source.name}: not a dated release"
        yield warning(message, remedy, why="what it builds may change from one day to the next")
    elif version < minimum:
        yield error(
            f"the Image Builder is {version}, from {source.name}; wanted {minimum} or newer",
            remedy,
            why="the image gets other base packages than the recipe was written for, about 15 min before it shows",
            can_clear=source is WORKSPACE,
        )


def _explained(version: str, looked: Looked) -> Setting:
    """Which setting the resolved version comes from; raises LookupFailed when the settings say another."""
    environment, workspace = looked.tried(account.ENVIRONMENT), looked.tried(account.WORKSPACE_BUILDER)
    if isinstance(environment, LookupFailed):
        return RESOLVED
    if environment.builder:
        command = f"modal environment update {environment.name} --set-image-builder-version {{}}"
        setting, source = environment.builder, Setting(f"environment {environment.name}'s own setting", command)
    elif isinstance(workspace, LookupFailed) or workspace is None:
        return RESOLVED
    else:
        setting, source = workspace, WORKSPACE
    if setting != version:
        which = f"{source.name} is {setting}: which one builds is not known"
        raise LookupFailed(account.RESOLVED_BUILDER, f"Modal resolves {version} for this environment, and {which}")
    return source


CHECK = Check(
    id="MOD002",
    step=1,
    stage=Stage.REMOTE,
    needs=(account.CLIENT,),
    tries=(account.RESOLVED_BUILDER, account.ENVIRONMENT, account.WORKSPACE_BUILDER),
    run=run,
    timeout_s=25.0,
    explains=(account.RESOLVED_BUILDER, account.WORKSPACE_BUILDER),
    about=(Group.BUILDER, Group.VARIABLES, Group.ACCOUNT, Group.CLIENT),
)
