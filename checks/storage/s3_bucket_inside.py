"""Every bucket is readable inside Modal, with its secret's own credentials.

Looks at: The same as s3-bucket, but from a container on Modal's CPUs that gets the secret of each bucket mount: that
    the bucket exists, a listing under the prefix, and one byte of one object, in the region that the secret names. Only
    what S3 answered comes back; the secret's values never leave the container. A mount with a role or without a secret
    is not looked at. On request: `[tool.preflight.s3] inside = true`.
Why it matters: The credentials of this machine may be allowed what those of the secret are not, and nobody can read a
    secret's values from outside. The mount fails when the container starts, after the image build.
How to fix: Each answer of S3 is mapped to its cause: the bucket's name, the region, or the IAM action that is missing
    for the secret's user.
Source: Amazon S3 API: HeadBucket, ListObjectsV2, GetObject, by boto3 in a debian_slim container; Modal bills it as a
    CPU function of under two minutes.
"""

from dataclasses import replace
from decimal import Decimal

from preflight.api import Answer, Check, Group, NotApplicable, Price, Problem, Severity, Stage, account
from preflight.lookups import Looked, LookupFailed
from preflight.remote.s3.answer import buckets_answer, unanswered
from preflight.remote.s3.api import LookedAt, S3Place
from preflight.remote.s3.inside import sample_inside
from preflight.remote.s3.lookups import NAMED
from preflight.wording import counted

USD = Decimal("0.01")


async def price(looked: Looked) -> Price | NotApplicable:
    asked = _asked(looked)
    if isinstance(asked, NotApplicable):
        return asked
    return Price(USD * len(asked), f"2 min of a CPU container, under a cent, for {counted(len(asked), 'bucket')}")


async def run(looked: Looked) -> Answer | NotApplicable:
    asked = _asked(looked)
    if isinstance(asked, NotApplicable):
        return asked
    settings, seen, region = looked.settings, list[LookedAt](), None
    for place in asked:
        looked.say(f"starting a container with {place.secret}; its image is built once, in about a minute")
        try:
            found, region = await sample_inside(place, most=settings.s3.sample, environment=settings.environment)
            seen.append(LookedAt(replace(place, region=region), found))
        except Problem as e:
            if e.service != "S3":
                raise
            seen.append(LookedAt(place, e))
    names = ", ".join(dict.fromkeys(place.secret or "" for place in asked))
    renew = f"modal secret create {names} … --force, with keys that are in force"
    answer, silent = buckets_answer(tuple(seen), whose=f"the secret {names}'s", renew=renew)
    if answer is None or (silent and not any(f.severity is Severity.ERROR for f in answer.findings)):
        raise LookupFailed(NAMED, f"not looked at from inside: {unanswered(silent)}")
    said = f"{answer.summary}, inside Modal with {names}" + (f"; not: {unanswered(silent)}" if silent else "")
    return replace(answer, summary=said, seen={**answer.seen, "secret": names, "secret_region": region})


def _asked(looked: Looked) -> tuple[S3Place, ...] | NotApplicable:
    if not looked.settings.s3.inside:
        return NotApplicable("not asked for: [tool.preflight.s3] inside = true looks with the secret's own credentials")
    places = looked[NAMED].places
    if not places:
        return NotApplicable("the app mounts no bucket, and tool.preflight.s3 names none")
    asked = tuple(p for p in places if p.secret is not None and not p.has_role)
    return asked or NotApplicable("no bucket mount of the app reads a named secret")


CHECK = Check(
    id="STO004",
    stage=Stage.PAID,
    needs=(account.HERE, NAMED),
    run=run,
    price=price,
    timeout_s=600.0,
    about=(Group.VARIABLES, Group.SETTINGS, Group.FUNCTIONS, Group.SECRETS),
)
