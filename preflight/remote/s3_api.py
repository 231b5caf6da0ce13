"""The questions we ask S3, with this machine's credentials: is the bucket there, where, and is data in it.

boto3 is imported here, inside functions, since it takes 0.2-0.4 s.  Its calls block, so the lookup runs them
on a daemon thread; each socket is bounded on its own, below the lookup's limit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from preflight.problems import Kind, Problem
from preflight.remote.s3_types import S3Place, S3Sample

CONNECT_S, READ_S = 2, 3  # refused 0.02 s, black hole 2.0 s, mute server 3.0 s (botocore 1.44, 2026-11-23)
PAGE = 1000  # S3's own most

KINDS = {
    "404": Kind.NOT_FOUND,
    "NoSuchBucket": Kind.NOT_FOUND,
    "NoSuchKey": Kind.NOT_FOUND,
    "403": Kind.FORBIDDEN,
    "AccessDenied": Kind.FORBIDDEN,
    "AllAccessDisabled": Kind.FORBIDDEN,
    "301": Kind.WRONG_REGION,
    "PermanentRedirect": Kind.WRONG_REGION,
    "AuthorizationHeaderMalformed": Kind.WRONG_REGION,
    "IllegalLocationConstraintException": Kind.WRONG_REGION,
    "InvalidAccessKeyId": Kind.REFUSED,
    "SignatureDoesNotMatch": Kind.REFUSED,
    "ExpiredToken": Kind.REFUSED,
    "InvalidToken": Kind.REFUSED,
    "SlowDown": Kind.THROTTLED,
    "ServiceUnavailable": Kind.THROTTLED,
    "RequestTimeTooSkewed": Kind.REFUSED,
}
ACTIONS = {"HeadBucket": "s3:ListBucket", "ListObjectsV2": "s3:ListBucket", "GetObject": "s3:GetObject"}


def sample(place: S3Place, *, most: int) -> S3Sample:
    """Lists at most ``most`` objects under the prefix and reads one byte of one.  Raises Problem.  Blocks."""
    client = _client(place)
    region = _region_of(client, place.bucket)
    count = size = 0
    read_key: str | None = None
    token: dict[str, str] = {}
    while count < most:
        with _as_problems("ListObjectsV2"):
            page = client.list_objects_v2(
                Bucket=place.bucket, Prefix=place.prefix, MaxKeys=min(PAGE, most - count), **token
            )
        for each in page.get("Contents", []):
            count += 1
            size += each["Size"]
            if read_key is None and each["Size"] > 0:
                read_key = each["Key"]
        if not page.get("IsTruncated"):
            break
        token = {"ContinuationToken": page["NextContinuationToken"]}
    is_all = not page.get("IsTruncated")
    if read_key is not None:
        with _as_problems("GetObject"):
            client.get_object(Bucket=place.bucket, Key=read_key, Range="bytes=0-0")["Body"].read()
    return S3Sample(bucket_region=region, objects=count, bytes=size, is_all=is_all, read_key=read_key)


def _region_of(client: Any, bucket: str) -> str | None:
    """The bucket's region; None where S3 refuses: a refused HEAD has no body, the listing's refusal names its cause."""
    try:
        with _as_problems("HeadBucket"):
            head = client.head_bucket(Bucket=bucket)
    except Problem as e:
        if e.kind is Kind.FORBIDDEN:
            return None
        raise
    region = head.get("BucketRegion") or head["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
    return region if isinstance(region, str) else None


def _client(place: S3Place) -> Any:
    import boto3
    from botocore.config import Config

    with _as_problems("CreateClient"):
        return boto3.client(
            "s3",
            endpoint_url=place.endpoint,
            region_name=place.region,
            config=Config(connect_timeout=CONNECT_S, read_timeout=READ_S, retries={"max_attempts": 0}),
        )


@contextlib.contextmanager
def _as_problems(operation: str) -> Iterator[None]:
    from botocore import exceptions as x

    try:
        yield
    except x.ClientError as e:
        raise _refusal(e, operation) from e
    except (x.NoCredentialsError, x.PartialCredentialsError, x.ProfileNotFound, x.TokenRetrievalError) as e:
        raise Problem(Kind.NOT_SIGNED_IN, service="S3", operation=operation, said=str(e)) from e
    except (x.HTTPClientError, x.EndpointConnectionError) as e:
        raise Problem(Kind.UNREACHABLE, service="S3", operation=operation, said=str(e)) from e
    except (x.BotoCoreError, ValueError) as e:
        raise Problem(Kind.UNEXPECTED, service="S3", operation=operation, said=str(e)) from e


def _refusal(e: Any, operation: str) -> Problem:
    response = e.response or {}
    code = str(response.get("Error", {}).get("Code", ""))
    said = f"{code}: {response.get('Error', {}).get('Message', '')}".rstrip(": ")
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    kind = KINDS.get(code, Kind.UNEXPECTED)
    if code == "400" and operation == "HeadBucket":
        kind = Kind.REFUSED  # a HEAD has no body: an expired token shows as a bare 400
    return Problem(
        kind,
        service="S3",
        operation=operation,
        said=said,
        hint=headers.get("x-amz-bucket-region", "") if kind is Kind.WRONG_REGION else ACTIONS.get(operation, ""),
    )
