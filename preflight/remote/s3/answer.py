"""What S3's answers about the app's buckets come to, asked from here or from inside Modal."""

from __future__ import annotations

from preflight.model import Answer, Finding, Json, Severity
from preflight.problems import Kind, Problem
from preflight.remote.s3.api import LookedAt, S3Place, S3Sample

SHORT = {
    Kind.NOT_FOUND: "there is no such bucket",
    Kind.FORBIDDEN: "access is refused",
    Kind.REFUSED: "the credentials are refused",
    Kind.WRONG_REGION: "the bucket is in another region",
}
MOUNT_FAILS = "the mount fails when the container starts, after the image build"


def buckets_answer(
    looked: tuple[LookedAt, ...], *, whose: str, renew: str
) -> tuple[Answer | None, tuple[LookedAt, ...]]:
    """One answer for all places that S3 has answered about, and those it has not; None when that is all of them.

    ``whose`` credentials asked, and ``renew`` is how those are replaced.
    """
    summaries, findings, seen, silent = list[str](), list[Finding](), list[dict[str, Json]](), list[LookedAt]()
    for each in looked:
        place, found = each.place, each.found
        if isinstance(found, S3Sample):
            summaries.append(_summary(place, found))
            findings += _wrong(place, found)
            seen.append(_seen(place, found))
            continue
        finding = _refused(found, place, whose, renew)
        if finding is None:
            silent.append(each)
            continue
        summaries.append(f"{place.at}: {SHORT[found.kind]}")
        findings.append(finding)
        seen.append({"bucket": place.bucket, "prefix": place.prefix, "code": found.message, "action": found.hint})
    if not summaries:
        return None, tuple(silent)
    data = {**seen[0], "places": seen} if len(seen) > 1 else seen[0]
    return Answer(summary="; ".join(summaries), seen=data, findings=tuple(findings)), tuple(silent)


def unanswered(silent: tuple[LookedAt, ...]) -> str:
    """Why nothing is known of these places."""
    return "; ".join(f"{each.place.at}: {each.found}" for each in silent)


def _summary(place: S3Place, found: S3Sample) -> str:
    count = f"{found.objects:,}{'' if found.is_all else '+'} object{'' if found.objects == 1 else 's'}"
    text = f"{place.at} holds {count}, {_size(found.bytes)}"
    text += f", in {found.bucket_region}" if found.bucket_region else ""
    text += f", asked of {found.asked_of} (AWS_ENDPOINT_URL), not of AWS" if found.asked_of else ""
    text += "; one was read" + (", without credentials" if place.is_public else "") if found.read_key else ""
    return text + ("; the mount's role was not asked" if place.has_role else "")


def _seen(place: S3Place, found: S3Sample) -> dict[str, Json]:
    return {
        "bucket": place.bucket,
        "prefix": place.prefix,
        "region": found.bucket_region,
        "objects": found.objects,
        "bytes": found.bytes,
        "is_all": found.is_all,
        "read": found.read_key,
        "endpoint": found.asked_of or place.endpoint,
    }


def _wrong(place: S3Place, found: S3Sample) -> list[Finding]:
    findings = []
    if found.read_key is None:
        many = f"all {found.objects} objects under {place.at} that were listed are empty (0 bytes)"
        findings.append(
            Finding(
                severity=Severity.ERROR if place.must_hold_data and found.is_all else Severity.WARNING,
                message=many if found.objects else f"nothing is under {place.at} ({place.named_by})",
                remedy=f"aws s3 sync DATA {place.at}, or set the prefix that holds the data",
                why="training starts, finds no batch, and stops with the GPU already paid for"
                if place.must_hold_data
                else "what reads it before the app has written there finds no data",
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


def _refused(problem: Problem, place: S3Place, whose: str, renew: str) -> Finding | None:
    """What S3's refusal says of the bucket; None when it says nothing of it."""

    def wrong(message: str, remedy: str, why: str = MOUNT_FAILS) -> Finding:
        return Finding(
            severity=Severity.ERROR, message=message, remedy=remedy, why=why, where=place.where, can_clear=True
        )

    if problem.kind is Kind.NOT_FOUND:
        return wrong(
            f"there is no bucket {place.bucket} (named by {place.named_by})",
            f"correct the name, or: aws s3 mb s3://{place.bucket}",
        )
    if problem.kind is Kind.FORBIDDEN:
        return wrong(
            f"S3 refuses {problem.operation} on {place.at} ({place.named_by}): {problem.message}",
            _permission(problem, place),
            "the mount would be refused the same way, after the image build",
        )
    if problem.kind is Kind.REFUSED:
        is_clock = problem.code == "RequestTimeTooSkewed"
        return wrong(
            f"S3 does not accept {whose} credentials: {problem.message}",
            "set this machine's clock: it is more than 15 min off" if is_clock else renew,
            "nothing in the bucket can be looked at from here"
            if is_clock
            else "whoever reads the bucket with them is refused",
        )
    if problem.kind is Kind.WRONG_REGION and (problem.hint or place.region):
        return _elsewhere(place, problem.hint)
    return None  # unreachable, or no credentials: nothing is known about the bucket


def _permission(problem: Problem, place: S3Place) -> str:
    """What must change, by what the message names: the action and whose policy it is."""
    low = problem.message.lower()
    if problem.code == "InvalidObjectState":
        return f"restore the objects (aws s3api restore-object), or keep the data under {place.at} out of Glacier"
    if problem.code == "AllAccessDisabled":
        return f"ask the owner of {place.bucket}: all access to it is switched off"
    if "explicit deny" in low:
        policy = next((p for p in ("service control", "resource-based", "identity-based") if p in low), "")
        where = {"resource-based": "the bucket's policy", "identity-based": "a policy of the user or role"}
        name = where.get(policy, f"a {policy} policy".replace("  ", " "))
        return f"take the Deny of {problem.hint} out of {name}: an Allow does not undo it"
    if problem.hint.startswith("kms:"):
        return f"allow {problem.hint} on the key that encrypts {place.bucket} for these credentials"
    resource = f"arn:aws:s3:::{place.bucket}" + ("/*" if problem.hint == "s3:GetObject" else "")
    return f"allow {problem.hint} on {resource} for these credentials"


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
