"""The Image Builder is new enough.

Looks at
    The version that this app's images would be built with: MODAL_IMAGE_BUILDER_VERSION or the active profile, else
    the one that Modal resolves for the environment, which the client builds with.  The environment's and the
    workspace's settings explain it, where they may be read; one that contradicts it leaves the answer open.
    The minimum is 2025.06, or `[tool.preflight.image-builder] minimum`.
Why it matters
    Builders up to 2024.10 put Modal's own dependencies and older pips into the image; the same recipe then
    installs other versions, and the server warns "Using legacy Image Builder version".
How to fix
    `modal workspace settings set image-builder-version 2025.06` (a manager or owner), or for one environment
    `modal environment update ENV --set-image-builder-version 2025.06`.  Every image is built again after it.
Source
    Modal client 1.6.4, order measured 2026-11-23; 2026.10 needs client 1.6.3 and drops Python 3.10.
"""

import re

from preflight.api import Answer, Check, Findings, Group, Looked, LookupFailed, Stage, account, error, warning

VERSION = re.compile(r"\d{4}\.\d{2}")


async def run(looked: Looked) -> Answer:
    client, minimum = looked[account.CLIENT], looked.settings.image_builder.minimum
    version = looked.required(account.RESOLVED_BUILDER)
    source = client.override_by or "the profile" if client.builder_override else _explained(version, looked)
    newest = client.builders[-1] if client.builders else None
    seen = {"version": version, "source": source, "minimum": minimum, "newest_known": newest}
    said = f"{version}, from {source}" + (f" ({newest} is the newest)" if newest and version < newest else "")
    return Answer(said=said, seen=seen, findings=tuple(_wrong(version, source, minimum)))


def _wrong(version: str, source: str, minimum: str) -> Findings:
    remedy = _how_to_set(source, minimum)
    if not VERSION.fullmatch(version):
        message = f"the Image Builder is {version!r}, from {source}: not a dated release"
        yield warning(message, remedy, why="what it builds may change from one day to the next")
    elif version < minimum:
        yield error(
            f"the Image Builder is {version}, from {source}; wanted {minimum} or newer",
            remedy,
            why="the image gets other base packages than the recipe was written for, about 15 min before it shows",
            can_clear=source == "the workspace setting",
        )


def _explained(version: str, looked: Looked) -> str:
    """Which setting the resolved version comes from; raises LookupFailed when the settings say another."""
    environment, workspace = looked.tried(account.ENVIRONMENT), looked.tried(account.WORKSPACE_BUILDER)
    own = None if isinstance(environment, LookupFailed) else environment.builder
    general = None if isinstance(workspace, LookupFailed) else workspace
    setting, source = (own, "the environment's own setting") if own else (general, "the workspace setting")
    if setting is None or (own is None and isinstance(environment, LookupFailed)):
        return "Modal's resolved environment"
    if own and not isinstance(environment, LookupFailed):
        source = f"environment {environment.name}'s own setting"
    if setting != version:
        why = f"Modal resolves {version} for this environment, and {source} is {setting}: which one builds is not known"
        raise LookupFailed(account.RESOLVED_BUILDER, why)
    return source


def _how_to_set(source: str, minimum: str) -> str:
    if source == "MODAL_IMAGE_BUILDER_VERSION":
        return f"export MODAL_IMAGE_BUILDER_VERSION={minimum}, or unset it"
    if source == "the profile":
        return f"modal config set image_builder_version {minimum}"
    if source.startswith("environment "):
        name = source.removeprefix("environment ").removesuffix("'s own setting")
        return f"modal environment update {name} --set-image-builder-version {minimum}"
    return f"modal workspace settings set image-builder-version {minimum}"


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
