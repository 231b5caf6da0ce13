"""The storage checks on stand-ins for what Modal and S3 say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.storage import s3_bucket, s3_bucket_inside, s3_secret, volume
from preflight.api import (
    RECIPE,
    S3_PLACE,
    S3_SAMPLE,
    S3_SECRET,
    S3_SECRET_STATE,
    VOLUMES,
    Kind,
    LookupFailed,
    Problem,
)
from preflight.model import Result, Status
from preflight.remote.modal_types import Secret
from preflight.remote.s3_types import S3Place, S3Sample, S3Secret
from preflight.settings import S3Settings, Settings
from preflight.testing import run_check

PLACE = S3Place(bucket="eeg", prefix="tusz/", region="us-east-1", endpoint=None, named_by="app.py:9")
DATA = S3Sample(bucket_region="us-east-1", objects=4, bytes=2048, is_all=True, read_key="tusz/0.npz")
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
PLANNED = S3Secret(name="aws", keys=KEYS, named_by="app.py:9")
HELD = Secret(name="aws", exists=True, missing=(), wanted=KEYS)


def bucket_of(sample: object = DATA, place: S3Place | None = PLACE) -> Result:
    return run_check(s3_bucket.CHECK, {S3_PLACE: place, S3_SAMPLE: sample})


def refused(kind: Kind, said: str, hint: str = "") -> LookupFailed:
    failed = LookupFailed(S3_SAMPLE, said)
    failed.__cause__ = Problem(kind, service="S3", operation="ListObjectsV2", said=said, hint=hint)
    return failed


def test_data_under_the_prefix_passes_with_what_was_counted_and_read() -> None:
    result = bucket_of()
    assert result.status is Status.PASS
    assert result.reason == "s3://eeg/tusz/ holds 4 objects, 2.0 KiB, in us-east-1; one was read"


def test_a_sample_that_is_not_all_says_at_least() -> None:
    assert "1,000+ objects" in bucket_of(replace(DATA, objects=1000, is_all=False)).reason


def test_an_empty_prefix_fails() -> None:
    result = bucket_of(replace(DATA, objects=0, bytes=0, read_key=None))
    assert (result.status, result.findings[0].message) == (Status.FAIL, "nothing is under s3://eeg/tusz/")


def test_objects_without_a_byte_in_them_are_no_data() -> None:
    assert bucket_of(replace(DATA, bytes=0, read_key=None)).status is Status.FAIL


def test_another_region_than_the_one_configured_fails_and_names_both() -> None:
    result = bucket_of(replace(DATA, bucket_region="eu-west-1"))
    assert result.findings[0].message == "eeg is in eu-west-1; us-east-1 is configured"


def test_no_region_of_our_own_and_a_foreign_endpoint_are_no_mismatch() -> None:
    elsewhere = replace(DATA, bucket_region="eu-west-1")
    assert bucket_of(elsewhere, replace(PLACE, region=None)).status is Status.PASS
    assert bucket_of(elsewhere, replace(PLACE, endpoint="https://r2.example")).status is Status.PASS


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        (refused(Kind.NOT_FOUND, "NoSuchBucket"), "mend the name, or: aws s3 mb s3://eeg"),
        (refused(Kind.FORBIDDEN, "AccessDenied", "s3:ListBucket"), "allow s3:ListBucket on arn:aws:s3:::eeg for"),
        (refused(Kind.FORBIDDEN, "AccessDenied", "s3:GetObject"), "allow s3:GetObject on arn:aws:s3:::eeg/* for"),
        (refused(Kind.REFUSED, "InvalidAccessKeyId"), "renew AWS_ACCESS_KEY_ID"),
        (refused(Kind.WRONG_REGION, "301", "eu-west-1"), "set AWS_REGION=eu-west-1"),
    ],
)
def test_each_refusal_of_s3_has_its_own_remedy(failure: LookupFailed, remedy: str) -> None:
    result = bucket_of(failure)
    assert result.status is Status.FAIL
    assert result.findings[0].remedy.startswith(remedy)


@pytest.mark.parametrize("kind", [Kind.UNREACHABLE, Kind.NOT_SIGNED_IN, Kind.THROTTLED, Kind.UNEXPECTED])
def test_no_answer_about_the_bucket_is_blocked_and_no_verdict(kind: Kind) -> None:
    assert bucket_of(refused(kind, "gone")).status is Status.BLOCKED


def test_no_credentials_here_says_how_to_look_with_the_secrets_own() -> None:
    assert "inside = true" in bucket_of(refused(Kind.NOT_SIGNED_IN, "Unable to locate credentials")).reason


def test_an_app_without_a_bucket_is_skipped() -> None:
    assert bucket_of(place=None).status is Status.SKIP


# --- s3-bucket-inside -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "place", "secret"), [(False, PLACE, PLANNED), (True, None, PLANNED), (True, PLACE, None)]
)
def test_the_look_from_inside_is_skipped_and_unpaid_unless_asked_for_with_a_bucket_and_a_secret(
    inside: bool, place: S3Place | None, secret: S3Secret | None
) -> None:
    settings = Settings(s3=S3Settings(inside=inside))
    result = run_check(s3_bucket_inside.CHECK, {S3_PLACE: place, S3_SECRET: secret}, settings=settings)
    assert (result.status, result.spent_usd) == (Status.SKIP, 0)


# --- s3-secret --------------------------------------------------------------------------------------------------


def secret_of(state: object, planned: S3Secret | None = PLANNED, environment: str | None = None) -> Result:
    settings = Settings(environment=environment, s3=S3Settings(region="eu-west-1"))
    return run_check(s3_secret.CHECK, {S3_SECRET: planned, S3_SECRET_STATE: state}, settings=settings)


def test_a_secret_with_all_its_keys_passes_and_names_them() -> None:
    assert secret_of(HELD).reason == "aws holds AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION"


def test_a_missing_key_is_named_and_the_remedy_lists_all_since_force_replaces_the_secret() -> None:
    found = secret_of(replace(HELD, missing=("AWS_REGION",)), environment="dev").findings[0]
    assert found.message == "aws lacks AWS_REGION; AWS_DEFAULT_REGION is not read by the mount"
    assert found.remedy == (
        "modal secret create -e dev aws AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=eu-west-1 --force"
    )


def test_another_missing_key_says_nothing_of_the_region() -> None:
    assert "REGION" not in secret_of(replace(HELD, missing=("AWS_ACCESS_KEY_ID",))).findings[0].message


def test_a_secret_that_is_not_there_is_made_without_force() -> None:
    found = secret_of(replace(HELD, exists=False)).findings[0]
    assert found.message == "there is no secret aws (named by app.py:9)"
    assert "--force" not in found.remedy


def test_an_app_without_a_secret_is_skipped_and_no_answer_is_blocked() -> None:
    assert secret_of(HELD, planned=None).status is Status.SKIP
    assert secret_of(LookupFailed(S3_SECRET_STATE, "no answer after 10 s")).status is Status.BLOCKED


# --- volume -----------------------------------------------------------------------------------------------------


def volume_of(there: object, *named: str) -> Result:
    no_app = LookupFailed(RECIPE, "no app is named")
    return run_check(volume.CHECK, {RECIPE: no_app, VOLUMES: there}, settings=Settings(volumes=named))


def test_a_volume_that_is_there_passes_and_one_that_is_not_fails() -> None:
    assert volume_of(("results",), "results").status is Status.PASS
    assert volume_of(("other",), "results").findings[0].remedy.startswith("modal volume create results")


def test_without_a_volume_to_look_for_it_is_skipped_and_without_an_answer_blocked() -> None:
    assert volume_of(("results",)).status is Status.SKIP
    assert volume_of(LookupFailed(VOLUMES, "no answer after 10 s"), "results").status is Status.BLOCKED
