"""The whole app is asked, in a local world: the real client, boto3 and gRPC, with one thing wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.account import auth
from checks.storage import s3_bucket, s3_secret, volume
from preflight.model import Result, Status
from preflight.sandbox import serve
from preflight.settings import S3Settings, Settings
from preflight.testing import run_checks

WORLD = """title = "one bucket"
wrong = "the second bucket and its secret are not there"
[secrets.aws-s3-secret]
AWS_ACCESS_KEY_ID = "AKIASANDBOX000000000"
AWS_SECRET_ACCESS_KEY = "sandbox-secret-access-key"
[[storage.buckets]]
name = "recordings"
[storage.buckets.objects]
"cache/a.npz" = "x"
"""
HEAD = """import modal
app = modal.App("two")
A = modal.Secret.from_name("aws-s3-secret")
B = modal.Secret.from_name("other-secret")
"""
PREP = """
@app.function(timeout=600, volumes={
    "/a": modal.CloudBucketMount("recordings", secret=A, key_prefix="cache/", read_only=True)})
def prep(): ...
"""
TRAIN = """
@app.function(gpu="A100-80GB", timeout=86400, volumes={
    "/b": modal.CloudBucketMount("not-there", secret=B, key_prefix="t/", read_only=True),
    "/r": modal.Volume.from_name("no-volume")})
def train(): ...
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serve.Sandbox]:
    file = tmp_path_factory.mktemp("world") / "world.toml"
    file.write_text(WORLD, encoding="utf-8")
    with serve.start(file) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def inside(world: serve.Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from modal.client import _Client

    applied = world.applied(os.environ)
    for name in set(os.environ) - applied.keys():
        monkeypatch.delenv(name)
    for name, value in applied.items():
        monkeypatch.setenv(name, value)
    _Client._set_env_client(None)
    yield
    _Client._set_env_client(None)


def asked(folder: Path, text: str, **settings: object) -> dict[str, Result]:
    (folder / "app.py").write_text(HEAD + text, encoding="utf-8")
    given = Settings(project=folder, app="app.py", **settings)  # type: ignore[arg-type]
    report = run_checks(auth.CHECK, s3_secret.CHECK, s3_bucket.CHECK, volume.CHECK, settings=given)
    return {r.check.name: r for r in report.results}


def test_the_second_mount_its_secret_and_its_volume_fail_though_the_first_is_there(tmp_path: Path) -> None:
    results = asked(tmp_path, PREP + TRAIN)
    assert {n: r.status for n, r in results.items() if n != "modal-auth"} == {
        "s3-secret": Status.FAIL,
        "s3-bucket": Status.FAIL,
        "volume": Status.FAIL,
    }
    assert results["s3-secret"].findings[0].message.startswith("there is no secret other-secret (named by train's")
    assert results["s3-bucket"].findings[0].message.startswith("there is no bucket not-there (named by train, app.py:")
    assert "s3://recordings/cache/ holds 1 object" in results["s3-bucket"].reason
    assert results["volume"].findings[0].message.startswith("there is no Volume no-volume")


def test_an_app_whose_every_mount_is_there_passes_without_a_region_in_its_secret(tmp_path: Path) -> None:
    results = asked(tmp_path, PREP)
    assert results["s3-secret"].status is results["s3-bucket"].status is Status.PASS
    assert results["s3-secret"].findings[0].message == (
        "aws-s3-secret holds no AWS_REGION; Modal detects the bucket's region"
    )
    assert "(AWS_ENDPOINT_URL), not of AWS" in results["s3-bucket"].reason
    assert results["volume"].status is Status.SKIP


def test_a_secret_of_an_environment_that_is_not_there_is_no_pass(tmp_path: Path) -> None:
    text = PREP.replace("secret=A", "secret=modal.Secret.from_name('aws-s3-secret', environment_name='gone')")
    assert asked(tmp_path, text)["s3-secret"].status is Status.BLOCKED


def test_a_bucket_of_the_settings_is_asked_beside_those_of_the_app(tmp_path: Path) -> None:
    result = asked(tmp_path, PREP, s3=S3Settings(bucket="third"))["s3-bucket"]
    assert [f.message for f in result.findings] == ["there is no bucket third (named by tool.preflight.s3)"]
    assert "s3://recordings/cache/ holds 1 object" in result.reason
