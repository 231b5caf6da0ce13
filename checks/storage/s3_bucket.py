"""Every bucket that the app mounts is reachable and holds data under its prefix.

Looks at: The bucket of each of the app's CloudBucketMounts, the planned function's first, and `[tool.preflight.s3]
    bucket`, with this machine's AWS credentials (without any for a mount that has no secret): that it exists, its
    region, a listing under the prefix (about 1,000 objects, or `sample`), and one byte of one object. Writing is not
    tried.
Why it matters: An empty prefix or a denied read shows only when the first batch is loaded, with the GPU already paid
    for. The credentials here may differ from those in the Modal secret: s3-bucket-inside proves it with those.
How to fix: Each answer of S3 is mapped to its cause: the bucket's name, the region, the clock, or the action that is
    missing (s3:ListBucket on the bucket, s3:GetObject on its objects, kms:Decrypt on the key) or denied.
    AWS_ENDPOINT_URL and an AWS profile's endpoint_url send the question elsewhere; the answer says so.
Source: Amazon S3 API: HeadBucket, ListObjectsV2, GetObject; measured with boto3 1.44, 2026-11-23.
"""

from dataclasses import replace

from preflight.api import Answer, Check, Group, Kind, Looked, LookupFailed, NotApplicable, Problem, Severity, Stage
from preflight.remote.s3.answer import buckets_answer, unanswered
from preflight.remote.s3.lookups import BUCKETS, NAMED

RENEW = "renew AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `aws sso login`"
KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
INSIDE = "[tool.preflight.s3] inside = true looks with those of the secret"


async def run(looked: Looked) -> Answer | NotApplicable:
    named = looked[NAMED]
    if not named.places and not named.open_places:
        return NotApplicable("the app mounts no bucket, and tool.preflight.s3 names none")
    answer, silent = buckets_answer(looked.required(BUCKETS), whose="this machine's", renew=RENEW)
    why = [unanswered(silent)] if silent else []
    why += [f"{text}; name it in [tool.preflight.s3] bucket" for text in named.open_places]
    problem = next((s.found for s in silent if isinstance(s.found, Problem)), None)
    if problem is not None and problem.kind is Kind.NOT_SIGNED_IN:
        why.append(f"no AWS credentials here: {problem.hint or KEYS}, or {INSIDE}")
    if not why and answer is not None:
        return answer
    if answer is None or not any(f.severity is Severity.ERROR for f in answer.findings):
        looked_at = f"; looked at: {answer.summary}" if answer else ""
        raise LookupFailed(BUCKETS, f"not looked at: {'; '.join(why)}{looked_at}") from problem
    return replace(answer, summary=f"{answer.summary}; not looked at: {'; '.join(why)}")


CHECK = Check(
    id="STO002",
    step=4,
    stage=Stage.REMOTE,
    needs=(NAMED,),
    tries=(BUCKETS,),
    run=run,
    timeout_s=20.0,
    explains=(BUCKETS,),
    about=(Group.VARIABLES, Group.SETTINGS, Group.FUNCTIONS, Group.SECRETS),
)
