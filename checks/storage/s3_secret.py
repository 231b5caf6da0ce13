"""The S3 secret exists and holds its keys.

Looks at
    The secret that the app's CloudBucketMount reads (or `[tool.preflight.s3] secret`), in the environment of
    the run: whether it is there, and each wanted key by name.  Values can't be read, and are not.
Why it matters
    The mount starts after the image is built and the GPU is held: a missing key costs the build and the
    first minutes of the A100.  The mount reads AWS_REGION; AWS_DEFAULT_REGION alone is not enough.
How to fix
    `modal secret create NAME KEY=VALUE … --force` replaces the whole secret: name every key, not only the
    missing one.  (`--env` names the Modal environment; it does not set a variable.)
Source
    Modal client 1.6.4 (`Secret.from_name(required_keys=)`, the server compares); Modal's guide on cloud
    bucket mounts for AWS_REGION, read 2026-08-22.
"""

from preflight.api import (
    LISTED_SECRETS,
    S3_SECRET,
    S3_SECRET_STATE,
    SECRETS,
    Answer,
    Check,
    Finding,
    Group,
    Looked,
    LookupFailed,
    NotApplicable,
    Severity,
    Stage,
)

WHY = "the bucket mount reads it: the run stops after the image build and the first minutes of the A100"


async def run(looked: Looked) -> Answer | NotApplicable:
    planned = looked[S3_SECRET]
    if planned is None:
        return NotApplicable("the app mounts no bucket with a named secret, and tool.preflight.s3 names none")
    state = looked.tried(S3_SECRET_STATE)
    if isinstance(state, LookupFailed):
        raise state
    in_environment = f" in environment {looked.settings.environment}" if looked.settings.environment else ""
    seen = {
        "secret": planned.name,
        "wanted": list(planned.keys),
        "missing": list(state.missing),
        "exists": state.exists,
    }
    if not state.exists:
        finding = Finding(
            severity=Severity.ERROR,
            message=f"there is no secret {planned.name}{in_environment} (named by {planned.named_by})",
            remedy=_create(planned.name, planned.keys, looked),
            why=WHY,
            where=planned.where,
            can_clear=True,
        )
        return Answer(said=f"{planned.name} does not exist", seen=seen, findings=(finding,))
    if state.missing:
        lacking = ", ".join(state.missing)
        finding = Finding(
            severity=Severity.ERROR,
            message=f"{planned.name} lacks {lacking}" + _region_hint(state.missing),
            remedy=_create(planned.name, planned.keys, looked) + " --force",
            why=WHY,
            where=planned.where,
            can_clear=True,
        )
        return Answer(said=f"{planned.name} lacks {lacking}", seen=seen, findings=(finding,))
    return Answer(said=f"{planned.name} holds {', '.join(planned.keys)}", seen=seen)


def _region_hint(missing: tuple[str, ...]) -> str:
    return "; AWS_DEFAULT_REGION is not read by the mount" if "AWS_REGION" in missing else ""


def _create(name: str, keys: tuple[str, ...], looked: Looked) -> str:
    region = looked.settings.s3.region or "us-east-1"
    values = " ".join(f"{key}={region if key in ('AWS_REGION', 'AWS_DEFAULT_REGION') else '…'}" for key in keys)
    environment = f" -e {looked.settings.environment}" if looked.settings.environment else ""
    return f"modal secret create{environment} {name} {values}"


CHECK = Check(
    id="STO001",
    name="s3-secret",
    title="the S3 secret exists and holds its keys",
    step=3,
    stage=Stage.REMOTE,
    needs=(S3_SECRET,),
    tries=(S3_SECRET_STATE,),
    run=run,
    timeout_s=25.0,
    explains=(LISTED_SECRETS, SECRETS, S3_SECRET, S3_SECRET_STATE),
    about=(Group.SECRETS, Group.FUNCTIONS, Group.ACCOUNT, Group.SETTINGS),
)
