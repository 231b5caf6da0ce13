"""The questions we ask S3, with this machine's credentials: is the bucket there, where, and is data in it.

botocore, boto3's own client, is imported here, inside functions, since it takes 0.2 s; boto3 around it would take
as long again.  Its calls block, so the lookup runs them on a daemon thread; each socket is bounded on its own, below
the lookup's limit.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from preflight.model import Where
from preflight.problems import Kind, Problem

AWS_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
GOOGLE_KEYS = ("GOOGLE_ACCESS_KEY_ID", "GOOGLE_ACCESS_KEY_SECRET")


@dataclass(frozen=True, kw_only=True)
class S3Place:
    """Where the app's data should be.  ``named_by`` is the setting or the line of the app that says so.

    ``region`` is the one that the settings name, and no other: the mount finds it out by itself.  ``secret`` is the
    name of the mount's secret; with ``is_public`` it has none and reads without credentials.  ``must_hold_data``
    is False for a mount that the app may be the first to write to.
    """

    bucket: str
    prefix: str
    region: str | None
    endpoint: str | None
    named_by: str
    where: Where | None = None
    secret: str | None = None
    secret_environment: str | None = None
    has_role: bool = False
    is_public: bool = False
    is_requester_pays: bool = False
    is_path_style: bool = False
    is_read_only: bool = True
    must_hold_data: bool = True

    @property
    def key(self) -> tuple[str, str, str | None]:
        return self.bucket, self.prefix, self.endpoint

    @property
    def at(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def is_google(self) -> bool:
        return (urlsplit(self.endpoint or "").hostname or "").endswith("storage.googleapis.com")


@dataclass(frozen=True, kw_only=True)
class S3Sample:
    """What a bounded listing saw.  ``is_all`` is False when there are more objects than were listed.

    ``objects`` are without folder markers.  ``read_key`` is the object of which one byte was read.  ``asked_of`` is
    the endpoint that this machine's settings put in the place of AWS.
    """

    bucket_region: str | None
    objects: int
    bytes: int
    is_all: bool
    read_key: str | None
    asked_of: str = ""


@dataclass(frozen=True)
class LookedAt:
    """One place with what was found there, or why not."""

    place: S3Place
    found: S3Sample | Problem


CONNECT_S, READ_S = 2, 3  # refused 0.02 s, black hole 2.0 s, mute server 3.0 s (botocore 1.44, 2026-11-23)
LIST_S = 5.0  # of listing, whatever the sample: a page takes 0.1-0.5 s
PAGE = 1000  # S3's own most
MOST_READS = 3  # objects that may be gone between the listing and the reading

NOT_S3 = "the answer is not S3's: something on the way answers in its place (a proxy, a sign-in page)"
KINDS = {
    "404": Kind.NOT_FOUND,
    "NoSuchBucket": Kind.NOT_FOUND,
    "403": Kind.FORBIDDEN,
    "AccessDenied": Kind.FORBIDDEN,
    "AllAccessDisabled": Kind.FORBIDDEN,
    "InvalidObjectState": Kind.FORBIDDEN,
    "301": Kind.WRONG_REGION,
    "307": Kind.WRONG_REGION,
    "PermanentRedirect": Kind.WRONG_REGION,
    "TemporaryRedirect": Kind.WRONG_REGION,
    "AuthorizationHeaderMalformed": Kind.WRONG_REGION,
    "IllegalLocationConstraintException": Kind.WRONG_REGION,
    "InvalidAccessKeyId": Kind.REFUSED,
    "SignatureDoesNotMatch": Kind.REFUSED,
    "ExpiredToken": Kind.REFUSED,
    "InvalidToken": Kind.REFUSED,
    "RequestTimeTooSkewed": Kind.REFUSED,
    "SlowDown": Kind.THROTTLED,
    "ServiceUnavailable": Kind.THROTTLED,
    "RequestLimitExceeded": Kind.THROTTLED,
    "Throttling": Kind.THROTTLED,
    "ThrottlingException": Kind.THROTTLED,
    "InternalError": Kind.THROTTLED,
    "RequestTimeout": Kind.THROTTLED,
    **dict.fromkeys(("429", "500", "502", "503", "504"), Kind.THROTTLED),
}
ACTIONS = {"HeadBucket": "s3:ListBucket", "ListObjectsV2": "s3:ListBucket", "GetObject": "s3:GetObject"}
DENIED = re.compile(r"not authorized to perform: (\S+?:\S+)")
GOOGLE_AS_AWS = dict(zip(GOOGLE_KEYS, ("aws_access_key_id", "aws_secret_access_key"), strict=True))


def sample(place: S3Place, *, most: int) -> S3Sample:
    """Lists about ``most`` objects under the prefix and reads one byte of one.  Raises Problem.  Blocks.

    It goes on while it has met folder markers and empty objects only; the listing ends after ``LIST_S`` in any case.
    """
    client, most = _client(place), max(1, most)
    region = _region_of(client, place.bucket)
    payer = {"RequestPayer": "requester"} if place.is_requester_pays else {}
    count = size = listed = 0
    keys: list[str] = []
    token: dict[str, str] = {}
    ends = time.monotonic() + LIST_S
    while True:
        with _as_problems("ListObjectsV2"):
            page = client.list_objects_v2(
                Bucket=place.bucket, Prefix=place.prefix, MaxKeys=min(PAGE, most), **payer, **token
            )
        if not page.keys() & {"Name", "KeyCount", "MaxKeys", "Contents"}:
            raise Problem(Kind.UNEXPECTED, service="S3", operation="ListObjectsV2", message=NOT_S3)
        for each in page.get("Contents", []):
            listed += 1
            if each["Key"].endswith("/") and not each["Size"]:
                continue  # a folder marker of the console: nothing is in it
            count += 1
            size += each["Size"]
            if each["Size"] > 0 and len(keys) < MOST_READS:
                keys.append(each["Key"])
        more = page.get("NextContinuationToken") if page.get("IsTruncated") else None
        is_enough = listed >= most and keys
        if not more or is_enough or time.monotonic() > ends:
            break
        token = {"ContinuationToken": more}
    return S3Sample(
        bucket_region=region,
        objects=count,
        bytes=size,
        is_all=not page.get("IsTruncated"),
        read_key=_read(client, place.bucket, keys, payer) if keys else None,
        asked_of=_instead_of_aws(client, place),
    )


def _read(client: Any, bucket: str, keys: list[str], payer: dict[str, str]) -> str:
    """The key of which one byte was read; one that is gone by now is no failure of the bucket."""
    for key in keys:
        try:
            with _as_problems("GetObject"):
                client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0", **payer)["Body"].read()
            return key
        except Problem as e:
            if e.code not in ("NoSuchKey", "404"):
                raise
    message = f"{keys[-1]} was listed and is gone: the bucket changes while it is looked at"
    raise Problem(Kind.THROTTLED, service="S3", operation="GetObject", message=message)


def _instead_of_aws(client: Any, place: S3Place) -> str:
    """The endpoint that AWS_ENDPOINT_URL or the AWS profile puts in AWS's place, which a mount in Modal never sees."""
    used = str(client.meta.endpoint_url)
    is_aws = (urlsplit(used).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))
    return "" if place.endpoint is not None or is_aws else used


def _region_of(client: Any, bucket: str) -> str | None:
    """The bucket's region; None where S3 refuses: a refused HEAD has no body, the listing's refusal names its cause."""
    try:
        with _as_problems("HeadBucket"):
            head = client.head_bucket(Bucket=bucket)
    except Problem as e:
        if e.kind is Kind.FORBIDDEN or e.code == "400":
            return None
        raise
    region = head.get("BucketRegion") or head["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
    return region if isinstance(region, str) else None


def _client(place: S3Place) -> Any:
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        retries={"total_max_attempts": 2, "mode": "standard"},
        signature_version=UNSIGNED if place.is_public else None,
        s3={"addressing_style": "path"} if place.is_path_style else None,
    )
    google = {GOOGLE_AS_AWS[k]: os.environ[k] for k in GOOGLE_KEYS if place.is_google and os.environ.get(k)}
    with _as_problems("CreateClient"):
        session = botocore.session.get_session()  # one's own, since threads may not share it
        session.register_component("data_loader", _loader())
        return session.create_client(
            "s3", endpoint_url=place.endpoint, region_name=place.region, config=config, **google
        )


@cache
def _loader() -> Any:
    """What botocore has read of its data files, which all sessions may share."""
    from botocore.loaders import create_loader

    return create_loader()


@contextlib.contextmanager
def _as_problems(operation: str) -> Iterator[None]:
    from botocore import exceptions as x

    def problem(kind: Kind, message: str, hint: str = "") -> Problem:
        return Problem(kind, service="S3", operation=operation, message=message, hint=hint)

    try:
        yield
    except x.ClientError as e:
        raise _refusal(e, operation) from e
    except (x.SSOError, x.SSOTokenLoadError, x.UnauthorizedSSOTokenError, x.TokenRetrievalError) as e:
        raise problem(Kind.NOT_SIGNED_IN, str(e), "aws sso login") from e
    except (x.NoCredentialsError, x.PartialCredentialsError, x.ProfileNotFound) as e:
        raise problem(Kind.NOT_SIGNED_IN, str(e)) from e
    except (x.HTTPClientError, x.EndpointConnectionError) as e:
        if "Invalid header value" in str(e):  # its text holds the credential
            raise problem(Kind.NOT_SIGNED_IN, "a credential holds a line break") from None
        raise problem(Kind.UNREACHABLE, str(e)) from e
    except RecursionError as e:
        raise problem(Kind.WRONG_REGION, "it is redirected again and again, and never told the region") from e
    except (x.BotoCoreError, ValueError, LookupError, TypeError) as e:
        if "Invalid header value" in str(e):
            raise problem(Kind.NOT_SIGNED_IN, "a credential holds a line break") from None
        raise problem(Kind.UNEXPECTED, f"{type(e).__name__}: {e}") from e


def _refusal(e: Any, operation: str) -> Problem:
    response = e.response or {}
    code = str(response.get("Error", {}).get("Code", ""))
    message = str(response.get("Error", {}).get("Message", ""))
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    status = str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    kind = KINDS.get(code) or KINDS.get(status if status[:1] in "35" else "", Kind.UNEXPECTED)
    text = f"{code}: {message}".rstrip(": ")
    if code == "500" and operation != "HeadBucket" and "x-amz-request-id" not in headers:
        kind, text = Kind.UNEXPECTED, NOT_S3  # botocore's own word for an answer that it can't parse
    if kind is Kind.NOT_FOUND and operation == "GetObject" and code != "NoSuchBucket":
        kind = Kind.UNEXPECTED
    denied = DENIED.search(message)
    region = headers.get("x-amz-bucket-region") or str(response.get("Error", {}).get("Region", ""))
    action = denied[1] if denied else ACTIONS.get(operation, "")
    return Problem(
        kind,
        service="S3",
        operation=operation,
        message=text,
        hint=region if kind is Kind.WRONG_REGION else action,
        code=code,
    )
