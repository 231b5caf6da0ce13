"""Every Secret that the app names exists and holds its keys.

Looks at: Each Secret of the app's functions, bucket mounts and image steps, and `[tool.preflight.s3] secret`, the
    planned function's first, in its environment: whether it is there, and each key that it must hold: those of
    `required_keys`, and the two that a bucket mount reads (a Google bucket's have other names; a mount with a role
    needs none). Values can't be read, and are not. A key that no secret holds is asked for too: a server that grants it
    compares nothing, and its yes proves nothing.
Why it matters: A Secret that is missing stops `modal run` at once, after the checks have passed. One that lacks a key
    stops the mount, after the image build and the first minutes of the A100.
How to fix: `modal secret create NAME KEY=VALUE … --force` replaces the whole secret: name every key, not only the
    missing one. (`--env` names the Modal environment; it does not set a variable.) AWS_REGION helps where Modal can't
    detect the bucket's region; the mount does not read AWS_DEFAULT_REGION.
Source: Modal client 1.6.4: `Secret.from_name(required_keys=)`, which the server compares; the keys in
    `CloudBucketMount`'s docstring.
"""

from preflight.api import Answer, Check, Finding, Group, NotApplicable, Problem, Severity, Stage, account, advice, error
from preflight.lookups import Looked, LookupFailed
from preflight.remote.named import NamedSecret
from preflight.remote.s3.api import S3Sample
from preflight.remote.s3.lookups import BUCKETS, NAMED, SECRET_STATES
from preflight.wording import listed

MOUNT = "the bucket mount reads it: the run stops after the image build and the first minutes of the A100"
RUN = "`modal run` stops at it"


async def run(looked: Looked) -> Answer | NotApplicable:
    named = looked[NAMED]
    if not named.secrets and not named.open_secrets:
        return NotApplicable("the app names no Secret, and tool.preflight.s3 names none")
    states = looked.required(SECRET_STATES)
    said, findings, silent, seen = (
        list[str](),
        list[Finding](),
        list[str](named.open_secrets),
        list[dict[str, object]](),
    )
    for secret, state in states.items():
        if isinstance(state, Problem):
            silent.append(f"{secret.name}: {state}")
            continue
        lacking = tuple(k for k in state.missing or () if k in secret.keys)
        wanted = {"secret": secret.name, "wanted": list(secret.keys), "missing": list(lacking)}
        seen.append({**wanted, "exists": state.exists, "used_by": secret.used_by})
        if state.exists and state.missing is None:
            silent.append(f"the keys of {secret.name}: the server grants a key that no secret holds")
            continue
        judged, finding = _judged(secret, state, lacking, looked)
        said.append(judged)
        findings += [finding] if finding else []
    if silent and not any(f.severity is Severity.ERROR for f in findings):
        looked_at = f"; looked at: {'; '.join(said)}" if said else ""
        problem = next((s for s in states.values() if isinstance(s, Problem)), None)
        raise LookupFailed(SECRET_STATES, f"not looked at: {'; '.join(silent)}{looked_at}") from problem
    said += [f"not looked at: {'; '.join(silent)}"] if silent else []
    return Answer(summary="; ".join(said), seen={**seen[0], "secrets": seen}, findings=tuple(findings))


def _judged(
    secret: NamedSecret, state: account.Secret, lacking: tuple[str, ...], looked: Looked
) -> tuple[str, Finding | None]:
    environment, region = secret.environment or looked.settings.environment, _region(secret, looked)
    values = " ".join(f"{key}={region if key == 'AWS_REGION' and region else '…'}" for key in secret.keys or ("KEY",))
    command = f"modal secret create{f' -e {environment}' if environment else ''} {secret.name} {values}"
    if not state.exists:
        there = f" in environment {environment}" if environment else ""
        said, message = (
            f"{secret.name} does not exist",
            f"there is no secret {secret.name}{there} (named by {secret.used_by})",
        )
    elif lacking:
        said = message = f"{secret.name} lacks {listed(lacking)}"
        message += "; AWS_DEFAULT_REGION is not read by the mount" if "AWS_REGION" in lacking else ""
        command += " --force"
    else:
        said = f"{secret.name} holds {listed(secret.keys)}" if secret.keys else f"{secret.name} exists"
        if "AWS_REGION" not in (state.missing or ()):
            return said, None
        command += f" AWS_REGION={region or 'REGION'} --force"
        if region != "":
            message = f"{secret.name} holds no AWS_REGION; Modal detects the bucket's region"
            return said, advice(message, command, secret.where)
        message = f"{secret.name} holds no AWS_REGION, and S3 does not tell the region of {secret.bucket}"
    return said, error(message, command, secret.where, why=MOUNT if secret.bucket else RUN, can_clear=True)


def _region(secret: NamedSecret, looked: Looked) -> str | None:
    """Of the secret's bucket, as set or as S3 tells it; "" where S3 has answered and left it out, None if not asked."""
    buckets = looked.tried(BUCKETS)
    seen = () if isinstance(buckets, LookupFailed) else buckets
    found = [b.found for b in seen if b.place.bucket == secret.bucket and isinstance(b.found, S3Sample)]
    told = next((f.bucket_region for f in found if f.bucket_region), None)
    is_left_out = bool(found) and not any(f.asked_of for f in found)
    return looked.settings.s3.region or told or ("" if is_left_out else None)


CHECK = Check(
    id="STO001",
    step=3,
    stage=Stage.REMOTE,
    needs=(NAMED,),
    tries=(SECRET_STATES, BUCKETS),
    run=run,
    timeout_s=25.0,
    explains=(account.LISTED_SECRETS, account.SECRETS, SECRET_STATES),
    about=(Group.SECRETS, Group.FUNCTIONS, Group.ACCOUNT, Group.SETTINGS),
)
