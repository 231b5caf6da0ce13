"""The storage checks on stand-ins for what Modal and S3 say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.storage import s3_bucket, s3_bucket_inside, s3_secret, volume
from preflight.lookups import LookupFailed
from preflight.model import Result, Severity, Status
from preflight.problems import Kind, Problem
from preflight.remote.lookups import HERE
from preflight.remote.modal_types import Secret
from preflight.remote.named import Named, NamedSecret, NamedVolume
from preflight.remote.s3.api import LookedAt, S3Place, S3Sample
from preflight.remote.s3.lookups import BUCKETS, NAMED, SECRET_STATES, VOLUMES_THERE
from preflight.settings import S3Settings, Settings
from preflight.testing import run_check

PLACE = S3Place(bucket="eeg", prefix="tusz/", region=None, endpoint=None, named_by="train, app.py:9", secret="aws")
OTHER = replace(PLACE, bucket="more", named_by="prep, app.py:20")
DATA = S3Sample(bucket_region="us-east-1", objects=4, bytes=2048, is_all=True, read_key="tusz/0.npz")
EMPTY = replace(DATA, objects=0, bytes=0, read_key=None)
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def problem(kind: Kind, said: str = "its own words", hint: str = "", code: str = "") -> Problem:
    return Problem(kind, service="S3", operation="ListObjectsV2", message=said, hint=hint, code=code)


def bucket_of(*found: S3Sample | Problem, place: S3Place = PLACE, open_places: tuple[str, ...] = ()) -> Result:
    places = (place, OTHER)[: len(found)]
    looked = tuple(LookedAt(p, f) for p, f in zip(places, found, strict=True))
    return run_check(s3_bucket.CHECK, {NAMED: Named(places=places, open_places=open_places), BUCKETS: looked})


def test_data_under_the_prefix_passes_with_what_was_counted_and_read() -> None:
    result = bucket_of(DATA)
    assert result.status is Status.PASS
    assert result.reason == "s3://eeg/tusz/ holds 4 objects, 2.0 KiB, in us-east-1; one was read"


def test_a_sample_that_is_not_all_says_at_least() -> None:
    assert "1,000+ objects" in bucket_of(replace(DATA, objects=1000, is_all=False)).reason


def test_an_endpoint_of_this_machine_in_the_place_of_aws_is_named() -> None:
    reason = bucket_of(replace(DATA, asked_of="http://127.0.0.1:4566")).reason
    assert "asked of http://127.0.0.1:4566 (AWS_ENDPOINT_URL), not of AWS" in reason


def test_a_role_that_was_not_asked_is_named() -> None:
    assert "the mount's role was not asked" in bucket_of(DATA, place=replace(PLACE, has_role=True)).reason


def test_an_empty_prefix_fails() -> None:
    result = bucket_of(EMPTY)
    assert (result.status, result.findings[0].message) == (
        Status.FAIL,
        "nothing is under s3://eeg/tusz/ (train, app.py:9)",
    )


def test_objects_without_a_byte_in_them_are_no_data_once_all_were_listed() -> None:
    nothing = replace(DATA, objects=9, bytes=0, read_key=None)
    assert bucket_of(nothing).status is Status.FAIL
    assert bucket_of(replace(nothing, is_all=False)).status is Status.WARN


def test_an_empty_prefix_that_the_app_may_be_the_first_to_write_to_is_a_warning() -> None:
    assert bucket_of(EMPTY, place=replace(PLACE, must_hold_data=False)).status is Status.WARN


def test_another_region_than_the_one_configured_fails_and_names_both() -> None:
    result = bucket_of(replace(DATA, bucket_region="eu-west-1"), place=replace(PLACE, region="us-east-1"))
    assert result.findings[0].message == "eeg is in eu-west-1; us-east-1 is configured"


def test_no_region_in_the_settings_and_a_foreign_endpoint_are_no_mismatch() -> None:
    elsewhere = replace(DATA, bucket_region="eu-west-1")
    assert bucket_of(elsewhere).status is Status.PASS
    foreign = replace(PLACE, region="us-east-1", endpoint="https://r2.example")
    assert bucket_of(elsewhere, place=foreign).status is Status.PASS


BY_IDENTITY = "because no identity-based policy allows the s3:ListBucket action"
DENY = "with an explicit deny in a resource-based policy"


@pytest.mark.parametrize(
    ("found", "remedy"),
    [
        (problem(Kind.NOT_FOUND, "NoSuchBucket"), "correct the name, or: aws s3 mb s3://eeg"),
        (problem(Kind.FORBIDDEN, BY_IDENTITY, "s3:ListBucket"), "allow s3:ListBucket on arn:aws:s3:::eeg for"),
        (problem(Kind.FORBIDDEN, "AccessDenied", "s3:GetObject"), "allow s3:GetObject on arn:aws:s3:::eeg/* for"),
        (problem(Kind.FORBIDDEN, "kms", "kms:Decrypt"), "allow kms:Decrypt on the key that encrypts eeg"),
        (problem(Kind.FORBIDDEN, DENY, "s3:ListBucket"), "take the Deny of s3:ListBucket out of the bucket's policy"),
        (problem(Kind.FORBIDDEN, code="AllAccessDisabled"), "ask the owner of eeg"),
        (problem(Kind.FORBIDDEN, code="InvalidObjectState"), "restore the objects"),
        (problem(Kind.REFUSED, "InvalidAccessKeyId"), "renew AWS_ACCESS_KEY_ID"),
        (problem(Kind.REFUSED, code="RequestTimeTooSkewed"), "set this machine's clock"),
        (problem(Kind.WRONG_REGION, "301", "eu-west-1"), "set AWS_REGION=eu-west-1"),
    ],
)
def test_each_refusal_of_s3_has_its_own_remedy(found: Problem, remedy: str) -> None:
    result = bucket_of(found)
    assert result.status is Status.FAIL
    assert result.findings[0].remedy.startswith(remedy)


@pytest.mark.parametrize("kind", [Kind.UNREACHABLE, Kind.NOT_SIGNED_IN, Kind.THROTTLED, Kind.UNEXPECTED])
def test_no_answer_about_the_bucket_is_blocked_and_no_verdict(kind: Kind) -> None:
    assert bucket_of(problem(kind)).status is Status.BLOCKED


def test_no_credentials_here_says_how_to_sign_in_and_how_to_look_with_the_secrets_own() -> None:
    none = bucket_of(problem(Kind.NOT_SIGNED_IN, "Unable to locate credentials")).reason
    assert "set AWS_ACCESS_KEY_ID" in none and "inside = true" in none
    assert "aws sso login" in bucket_of(problem(Kind.NOT_SIGNED_IN, "the SSO session", "aws sso login")).reason


def test_every_place_is_judged_and_one_that_fails_is_named_beside_one_that_passes() -> None:
    result = bucket_of(DATA, problem(Kind.NOT_FOUND, "NoSuchBucket"))
    assert result.status is Status.FAIL
    assert result.findings[0].message == "there is no bucket more (named by prep, app.py:20)"
    assert "s3://eeg/tusz/ holds 4 objects" in result.reason


def test_a_place_that_could_not_be_looked_at_is_no_pass_and_says_what_was_looked_at() -> None:
    result = bucket_of(DATA, problem(Kind.UNREACHABLE, "no route"))
    assert result.status is Status.BLOCKED
    assert "not looked at: s3://more/tusz/: S3: unreachable: no route; looked at: s3://eeg/tusz/ holds" in result.reason
    failed = bucket_of(problem(Kind.NOT_FOUND), problem(Kind.UNREACHABLE, "no route"))
    assert failed.status is Status.FAIL and "not looked at: s3://more/tusz/" in failed.reason


def test_a_bucket_that_the_text_leaves_open_is_no_pass() -> None:
    result = bucket_of(DATA, open_places=("the bucket that prep mounts (app.py:20: os.environ)",))
    assert result.status is Status.BLOCKED
    assert "app.py:20" in result.reason and "[tool.preflight.s3] bucket" in result.reason


def test_an_app_without_a_bucket_is_skipped() -> None:
    assert run_check(s3_bucket.CHECK, {NAMED: Named(), BUCKETS: ()}).status is Status.SKIP


# --- s3-bucket-inside -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "places"),
    [(False, (PLACE,)), (True, ()), (True, (replace(PLACE, secret=None),)), (True, (replace(PLACE, has_role=True),))],
)
def test_the_look_from_inside_is_skipped_and_unpaid_unless_asked_for_with_a_bucket_and_a_secret(
    inside: bool, places: tuple[S3Place, ...]
) -> None:
    settings = Settings(s3=S3Settings(inside=inside))
    result = run_check(s3_bucket_inside.CHECK, {HERE: None, NAMED: Named(places=places)}, settings=settings)
    assert (result.status, result.spent_usd) == (Status.SKIP, 0)


def test_without_a_sign_in_nothing_is_started() -> None:
    no_modal = LookupFailed(HERE, "127.0.0.1:1 refuses the connection")
    settings = Settings(s3=S3Settings(inside=True))
    result = run_check(s3_bucket_inside.CHECK, {HERE: no_modal, NAMED: Named(places=(PLACE,))}, settings=settings)
    assert (result.status, result.spent_usd) == (Status.BLOCKED, 0)


# --- s3-secret --------------------------------------------------------------------------------------------------

AWS = NamedSecret(name="aws", keys=KEYS, environment=None, used_by="train's bucket mount", bucket="eeg")
WANDB = NamedSecret(name="wandb", keys=(), environment=None, used_by="train")
HELD = Secret(name="aws", exists=True, missing=(), wanted=KEYS)


def secret_of(
    *states: Secret | Problem,
    secrets: tuple[NamedSecret, ...] = (AWS, WANDB),
    environment: str | None = None,
    buckets: object = (),
    open_secrets: tuple[str, ...] = (),
) -> Result:
    found = dict(zip(secrets, states, strict=False))
    given = {NAMED: Named(secrets=tuple(found), open_secrets=open_secrets), SECRET_STATES: found, BUCKETS: buckets}
    return run_check(s3_secret.CHECK, given, settings=Settings(environment=environment))


def test_secrets_with_all_their_keys_pass_and_are_named() -> None:
    result = secret_of(HELD, replace(HELD, name="wandb"))
    assert result.status is Status.PASS
    assert result.reason == "aws holds AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; wandb exists"


def test_a_missing_key_is_named_and_the_remedy_lists_all_since_force_replaces_the_secret() -> None:
    found = secret_of(replace(HELD, missing=("AWS_ACCESS_KEY_ID",)), environment="dev").findings[0]
    assert found.message == "aws lacks AWS_ACCESS_KEY_ID"
    assert found.remedy == "modal secret create -e dev aws AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… --force"


def test_a_region_that_the_app_demands_fails_and_one_that_it_does_not_is_advice() -> None:
    lacking = replace(HELD, missing=("AWS_REGION",))
    demanded = secret_of(lacking, secrets=(replace(AWS, keys=(*KEYS, "AWS_REGION")),))
    assert demanded.status is Status.FAIL
    assert demanded.findings[0].message == "aws lacks AWS_REGION; AWS_DEFAULT_REGION is not read by the mount"
    free = secret_of(lacking)
    assert (free.status, [f.severity for f in free.findings]) == (Status.PASS, [Severity.INFO])


def test_a_region_that_s3_does_not_tell_either_must_be_in_the_secret() -> None:
    lacking, untold = replace(HELD, missing=("AWS_REGION",)), replace(DATA, bucket_region=None)
    assert secret_of(lacking, buckets=(LookedAt(PLACE, untold),)).status is Status.FAIL
    assert secret_of(lacking, buckets=(LookedAt(PLACE, DATA),)).status is Status.PASS
    assert secret_of(lacking, buckets=LookupFailed(BUCKETS, "gone")).status is Status.PASS


def test_a_secret_that_is_not_there_is_made_without_force_in_its_own_environment() -> None:
    there = replace(AWS, environment="prod")
    found = secret_of(replace(HELD, exists=False), secrets=(there,), environment="dev").findings[0]
    assert found.message == "there is no secret aws in environment prod (named by train's bucket mount)"
    assert found.remedy == "modal secret create -e prod aws AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…"


def test_any_secret_of_the_app_that_is_missing_fails() -> None:
    result = secret_of(HELD, Secret(name="wandb", exists=False, missing=(), wanted=()))
    assert result.status is Status.FAIL
    assert [f.message for f in result.findings] == ["there is no secret wandb (named by train)"]


def test_a_server_that_compares_no_keys_has_not_said_that_they_are_there() -> None:
    result = secret_of(replace(HELD, missing=None))
    assert result.status is Status.BLOCKED
    assert "the server grants a key that no secret holds" in result.reason


def test_a_secret_that_could_not_be_asked_for_or_is_left_open_is_no_pass() -> None:
    denied = secret_of(HELD, Problem(Kind.FORBIDDEN, service="Modal", operation="look", message="denied"))
    assert denied.status is Status.BLOCKED and "not looked at: wandb" in denied.reason
    unread = secret_of(HELD, open_secrets=("a secret of train (app.py:4: os.environ)",))
    assert unread.status is Status.BLOCKED and "app.py:4" in unread.reason


def test_an_app_without_a_secret_is_skipped_and_no_answer_is_blocked() -> None:
    assert secret_of().status is Status.SKIP
    given = {NAMED: Named(secrets=(AWS,)), SECRET_STATES: LookupFailed(SECRET_STATES, "no answer"), BUCKETS: ()}
    assert run_check(s3_secret.CHECK, given).status is Status.BLOCKED


# --- volume -----------------------------------------------------------------------------------------------------

RESULTS = NamedVolume(name="results", environment=None, is_created=False, used_by="train")


def volume_of(there: object, *volumes: NamedVolume, open_volumes: tuple[str, ...] = ()) -> Result:
    named = Named(volumes=volumes, open_volumes=open_volumes)
    return run_check(volume.CHECK, {NAMED: named, VOLUMES_THERE: there})


def test_a_volume_that_is_there_passes_and_one_that_is_not_fails() -> None:
    assert volume_of({None: ("results",)}, RESULTS).status is Status.PASS
    assert volume_of({None: ("other",)}, RESULTS).findings[0].remedy.startswith("modal volume create results")


def test_a_volume_of_another_environment_is_looked_for_there() -> None:
    elsewhere = replace(RESULTS, environment="prod")
    assert volume_of({None: (), "prod": ("results",)}, elsewhere).status is Status.PASS
    missing = volume_of({None: ("results",), "prod": ()}, elsewhere)
    assert missing.findings[0].remedy.startswith("modal volume create -e prod results")


def test_a_volume_that_the_app_makes_may_be_missing() -> None:
    assert volume_of({None: ()}, replace(RESULTS, is_created=True)).reason == "results will be created"


def test_a_mount_that_the_text_leaves_open_is_no_pass() -> None:
    result = volume_of({None: ("results",)}, RESULTS, open_volumes=("what train mounts at /x (app.py:3: a call)",))
    assert result.status is Status.BLOCKED
    assert "app.py:3" in result.reason


def test_without_a_volume_to_look_for_it_is_skipped_and_without_an_answer_blocked() -> None:
    assert volume_of({None: ("results",)}).status is Status.SKIP
    assert volume_of(LookupFailed(VOLUMES_THERE, "no answer after 10 s"), RESULTS).status is Status.BLOCKED
