"""The S3 bucket is reachable and holds data under the prefix.

Looks at
    The bucket of the app's CloudBucketMount (or `[tool.preflight.s3] bucket`), with this machine's AWS
    credentials: that it exists, its region, a listing under the prefix (at most 1,000 objects, or
    `sample`), and one byte of one object.
Why it matters
    An empty prefix or a denied read shows only when the first batch is loaded, with the GPU already paid for.
    The credentials here may differ from those in the Modal secret: `s3-bucket-inside` proves it with those.
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
    Finding,
    Kind,
    Looked,
    LookupFailed,
    NotApplicable,
    Problem,
    S3Place,
    S3Sample,
    Severity,
    Stage,
    failed,
)


async def run(looked: Looked) -> Answer | NotApplicable:
    place = looked[S3_PLACE]
    if place is None:
        return NotApplicable("the app mounts no bucket, and tool.preflight.s3 names none")
    found = looked.tried(S3_SAMPLE)
    if isinstance(found, LookupFailed):
        return _refused(found, place)
    at = f"s3://{place.bucket}/{place.prefix}"
    count = f"{found.objects:,}{'' if found.is_all else '+'} object{'' if found.objects == 1 else 's'}"
    said = f"{at} holds {count}, {_size(found.bytes)}" + (f", in {found.bucket_region}" if found.bucket_region else "")
    if found.read_key:
        said += "; one was read"
    seen = {
        "bucket": place.bucket,
        "prefix": place.prefix,
        "region": found.bucket_region,
        "objects": found.objects,
        "bytes": found.bytes,
        "is_all": found.is_all,
        "read": found.read_key,
    }
    return Answer(said=said, seen=seen, findings=tuple(_wrong(place, found, at)))


def _wrong(place: S3Place, found: S3Sample, at: str) -> list[Finding]:
    findings = []
    if found.objects == 0:
        findings.append(
            Finding(
                severity=Severity.ERROR,
                message=f"nothing is under {at}",
                remedy=f"aws s3 sync DATA {at}, or set the prefix that holds the data",
                why="training starts, finds no batch, and stops with the GPU already paid for",
                where=place.where,
                can_clear=True,
            )
        )
    elif found.read_key is None:
        findings.append(
            Finding(
                severity=Severity.ERROR,
                message=f"all {found.objects} objects under {at} that were listed are empty (0 bytes)",
                remedy=f"aws s3 sync DATA {at}",
                why="training starts and finds no data",
                where=place.where,
                can_clear=True,
            )
        )
    if place.region and found.bucket_region and place.region != found.bucket_region and place.endpoint is None:
        findings.append(
            Finding(
                severity=Severity.ERROR,
                message=f"{place.bucket} is in {found.bucket_region}; {place.region} is configured",
                remedy=f"set AWS_REGION={found.bucket_region} in the secret and [tool.preflight.s3] region",
                why="the bucket mount asks the region it was told, and fails when the container starts",
                where=place.where,
            )
        )
    return findings


def _refused(e: LookupFailed, place: S3Place) -> Answer:
    problem = e.__cause__
    if not isinstance(problem, Problem):
        raise e
    at = f"s3://{place.bucket}/{place.prefix}"
    if problem.kind is Kind.NOT_FOUND:
        return failed(
            f"there is no bucket {place.bucket} (named by {place.named_by})",
            remedy=f"mend the name, or: aws s3 mb s3://{place.bucket}",
            why="the mount fails when the container starts, after the image build",
            said=f"{place.bucket} does not exist",
            code=problem.said,
        )
    if problem.kind is Kind.FORBIDDEN:
        return failed(
            f"S3 refuses {problem.operation} on {at}: {problem.said}",
            remedy=f"allow {problem.hint} on {_resource(problem.hint, place)} for these credentials",
            why="the mount would be refused the same way, after the image build",
            said=f"{problem.operation} is refused",
            action=problem.hint,
            code=problem.said,
        )
    if problem.kind is Kind.REFUSED:
        return failed(
            f"S3 does not accept this machine's credentials: {problem.said}",
            remedy="renew AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `aws sso login`",
            said="the credentials are refused",
            code=problem.said,
        )
    if problem.kind is Kind.WRONG_REGION:
        region = problem.hint or "another region"
        return failed(
            f"{place.bucket} is in {region}; {place.region or 'no region'} is configured",
            remedy=f"set AWS_REGION={problem.hint or 'REGION'} in the secret and [tool.preflight.s3] region",
            why="the bucket mount asks the region it was told, and fails when the container starts",
            said=f"{place.bucket} is in {region}",
            region=problem.hint,
        )
    raise e  # unreachable, or no credentials here: nothing is known about the bucket


def _resource(action: str, place: S3Place) -> str:
    return f"arn:aws:s3:::{place.bucket}" + ("/*" if action == "s3:GetObject" else "")


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


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
)
