"""What S3's answer about the planned bucket comes to, asked from here or from inside Modal."""

from __future__ import annotations

from preflight.model import Answer, Finding, Severity, failed
from preflight.problems import Kind, Problem
from preflight.remote.s3_types import S3Place, S3Sample


def bucket_answer(place: S3Place, found: S3Sample) -> Answer:
    """Errors for a place without data, or in another region than the one that is configured."""
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
        findings.append(_elsewhere(place, found.bucket_region))
    return findings


def _elsewhere(place: S3Place, region: str) -> Finding:
    """``region`` is the bucket's own; empty where S3 only says that it is another."""
    return Finding(
        severity=Severity.ERROR,
        message=f"{place.bucket} is in {region or 'another region'}; {place.region or 'no region'} is configured",
        remedy=f"set AWS_REGION={region or 'REGION'} in the secret and [tool.preflight.s3] region",
        why="the bucket mount asks the region it was told, and fails when the container starts",
        where=place.where,
    )


def bucket_refused(problem: Problem, place: S3Place, *, whose: str, renew: str) -> Answer | None:
    """What S3's refusal says of the bucket, asked with ``whose`` credentials; None when it says nothing of it.

    ``renew`` is how those credentials are replaced.
    """
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
            f"S3 does not accept {whose} credentials: {problem.said}",
            remedy=renew,
            why="whoever reads the bucket with them is refused",
            said="the credentials are refused",
            code=problem.said,
        )
    if problem.kind is Kind.WRONG_REGION:
        finding = _elsewhere(place, problem.hint)
        return Answer(said=finding.message, seen={"region": problem.hint}, findings=(finding,))
    return None  # unreachable, or no credentials: nothing is known about the bucket


def _resource(action: str, place: S3Place) -> str:
    return f"arn:aws:s3:::{place.bucket}" + ("/*" if action == "s3:GetObject" else "")


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
