"""The S3 bucket is reachable and holds data under the prefix.

Looks at
    The bucket of the app's CloudBucketMount (or `[tool.preflight.s3] bucket`), with this machine's AWS
    credentials: that it exists, its region, a listing under the prefix (at most 1,000 objects, or
    `sample`), and one byte of one object.
Why it matters
    An empty prefix or a denied read shows only when the first batch is loaded, with the GPU already paid for.
    The credentials here may differ from those in the Modal secret: s3-bucket-inside proves it with those.
How to fix
    Each answer of S3 is mapped to its cause: the bucket's name, the region, or the IAM action that is missing
    (s3:ListBucket on the bucket, s3:GetObject on its objects).
Source
    Amazon S3 API: HeadBucket, ListObjectsV2, GetObject; measured with boto3 1.44, 2026-11-23.
"""

from preflight.api import (
    S3_PLACE,
    S3_SAMPLE,
    Answer,
    Check,
    Group,
    Kind,
    Looked,
    LookupFailed,
    NotApplicable,
    Problem,
    Stage,
    bucket_answer,
    bucket_refused,
)


async def run(looked: Looked) -> Answer | NotApplicable:
    place = looked[S3_PLACE]
    if place is None:
        return NotApplicable("the app mounts no bucket, and tool.preflight.s3 names none")
    found = looked.tried(S3_SAMPLE)
    if not isinstance(found, LookupFailed):
        return bucket_answer(place, found)
    problem = found.__cause__
    answer = None
    if isinstance(problem, Problem):
        renew = "renew AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `aws sso login`"
        answer = bucket_refused(problem, place, whose="this machine's", renew=renew)
    if answer is None:
        raise _unknown(found) from problem
    return answer


def _unknown(e: LookupFailed) -> LookupFailed:
    problem = e.__cause__
    if isinstance(problem, Problem) and problem.kind is Kind.NOT_SIGNED_IN:
        return LookupFailed(
            e.lookup,
            f"no AWS credentials here ({problem.said}); set them, "
            "or [tool.preflight.s3] inside = true looks with those of the secret",
        )
    return e


CHECK = Check(
    id="STO002",
    name="s3-bucket",
    title="the S3 bucket is reachable and holds data under the prefix",
    step=4,
    stage=Stage.REMOTE,
    needs=(S3_PLACE,),
    tries=(S3_SAMPLE,),
    run=run,
    timeout_s=20.0,
    explains=(S3_PLACE, S3_SAMPLE),
    about=(Group.VARIABLES, Group.SETTINGS, Group.FUNCTIONS, Group.SECRETS),
)
