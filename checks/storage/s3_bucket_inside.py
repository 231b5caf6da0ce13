"""The S3 bucket is readable inside Modal, with the secret's own credentials.

Looks at
    The same as s3-bucket, but from a container on Modal's CPUs that gets the planned secret: that the bucket
    exists, a listing under the prefix, and one byte of one object, in the region that the secret names.  Only
    what S3 answered comes back; the secret's values never leave the container.
    On request: `[tool.preflight.s3] inside = true`.
Why it matters
    The credentials of this machine may be allowed what those of the secret are not, and nobody can read a
    secret's values from outside.  The mount fails when the container starts, after the image build.
How to fix
    Each answer of S3 is mapped to its cause: the bucket's name, the region, or the IAM action that is missing
    for the secret's user.
Source
    Amazon S3 API: HeadBucket, ListObjectsV2, GetObject, by boto3 in a debian_slim container; Modal bills it as a
    CPU function of under two minutes.
"""

from dataclasses import replace
from decimal import Decimal

from preflight.api import (
    S3_PLACE,
    S3_SECRET,
    Answer,
    Check,
    Group,
    Looked,
    NotApplicable,
    Price,
    Problem,
    S3Place,
    S3Secret,
    Stage,
    bucket_answer,
    bucket_refused,
    sample_inside,
)

PRICE = Price(Decimal("0.01"), "2 min of a CPU container, under a cent")


async def price(looked: Looked) -> Price | NotApplicable:
    asked = _asked(looked)
    return asked if isinstance(asked, NotApplicable) else PRICE


async def run(looked: Looked) -> Answer | NotApplicable:
    asked = _asked(looked)
    if isinstance(asked, NotApplicable):
        return asked
    place, secret = asked
    settings = looked.settings
    looked.say("starting a container with the secret; its image is built once, in about a minute")
    try:
        found, region = await sample_inside(
            place, secret=secret.name, most=settings.s3.sample, environment=settings.environment
        )
    except Problem as e:
        keys = " ".join(f"{key}=…" for key in secret.keys)
        renew = f"modal secret create {secret.name} {keys} --force, with keys that are in force"
        answer = None
        if e.service == "S3":
            answer = bucket_refused(e, place, whose=f"the secret {secret.name}'s", renew=renew)
        if answer is None:
            raise
        return answer
    answer = bucket_answer(replace(place, region=region), found)
    return replace(
        answer,
        said=f"{answer.said}, inside Modal with {secret.name}",
        seen={**answer.seen, "secret": secret.name, "secret_region": region},
    )


def _asked(looked: Looked) -> tuple[S3Place, S3Secret] | NotApplicable:
    if not looked.settings.s3.inside:
        return NotApplicable("not asked for: [tool.preflight.s3] inside = true looks with the secret's own credentials")
    place, secret = looked[S3_PLACE], looked[S3_SECRET]
    if place is None:
        return NotApplicable("the app mounts no bucket, and tool.preflight.s3 names none")
    if secret is None:
        return NotApplicable("no secret is planned for the bucket")
    return place, secret


CHECK = Check(
    id="STO004",
    name="s3-bucket-inside",
    title="the S3 bucket is readable inside Modal, with the secret's own credentials",
    stage=Stage.PAID,
    needs=(S3_PLACE, S3_SECRET),
    run=run,
    price=price,
    timeout_s=600.0,
    about=(Group.VARIABLES, Group.SETTINGS, Group.FUNCTIONS, Group.SECRETS),
)
