"""S3 as boto3 meets it in each world: the same codes and headers as the real one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from preflight.sandbox import buckets, serve, state, worlds

BUCKET = "eeg-training-data"
ONCE = Config(connect_timeout=2, read_timeout=3, retries={"max_attempts": 0})


def client(storage: state.Storage, url: str, region: str = "", key: str = "") -> Any:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=region or storage.region,
        aws_access_key_id=key or storage.access_key_id,
        aws_secret_access_key=storage.secret_access_key,
        config=ONCE,
    )


@contextmanager
def served(name: str) -> Iterator[Callable[..., Any]]:
    """What makes a client of that world's S3, which this process serves."""
    from moto.s3.models import s3_backends

    s3_backends.reset()
    storage = worlds.load(name).storage
    with buckets.serving(storage) as url:
        yield functools.partial(client, storage, url)


@contextmanager
def refused(code: str, status: int) -> Iterator[dict[str, Any]]:
    """The error's parts, filled when the block has raised it."""
    parts: dict[str, Any] = {}
    with pytest.raises(ClientError) as caught:
        yield parts
    response = caught.value.response
    parts |= {"message": response["Error"]["Message"], **response["ResponseMetadata"]["HTTPHeaders"]}
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


def test_the_healthy_bucket_is_there_with_objects_under_the_prefix(healthy: serve.Sandbox) -> None:
    """Of a whole sandbox, by what it has in its user's environment."""
    s3 = client(healthy.scenario.storage, healthy.environ["AWS_ENDPOINT_URL_S3"])
    assert s3.head_bucket(Bucket=BUCKET)["BucketRegion"] == "us-east-1"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="tusz/")
    assert listed["KeyCount"] == 4
    assert s3.get_object(Bucket=BUCKET, Key="tusz/MANIFEST")["Body"].read() == b"3 recordings\n"


def test_a_key_pair_that_nobody_has_is_refused_by_its_id() -> None:
    with served("healthy") as s3, refused("InvalidAccessKeyId", 403) as said:
        s3(key="AKIAOFSOMEBODYELSE00").list_objects_v2(Bucket=BUCKET)
    assert "does not exist in our records" in said["message"]


def test_a_bucket_that_was_never_made_is_404_to_head_and_named_to_list() -> None:
    with served("no-bucket") as s3:
        with refused("404", 404):
            s3().head_bucket(Bucket=BUCKET)
        with refused("NoSuchBucket", 404):
            s3().list_objects_v2(Bucket=BUCKET)


def test_an_empty_prefix_is_no_error_and_no_keys() -> None:
    with served("empty-prefix") as s3:
        assert s3().list_objects_v2(Bucket=BUCKET, Prefix="tusz/", MaxKeys=1)["KeyCount"] == 0
        assert s3().list_objects_v2(Bucket=BUCKET, MaxKeys=1)["KeyCount"] == 1


def test_a_denied_bucket_names_the_action_to_list_and_only_a_number_to_head() -> None:
    with served("denied-bucket") as made:
        s3 = made()
        with refused("403", 403) as said:
            s3.head_bucket(Bucket=BUCKET)
        assert said["x-amz-bucket-region"] == "us-east-1"
        with refused("AccessDenied", 403) as said:
            s3.list_objects_v2(Bucket=BUCKET, Prefix="tusz/")
        assert "not authorized to perform: s3:ListBucket on resource" in said["message"]
        with refused("AccessDenied", 403) as said:
            s3.get_object(Bucket=BUCKET, Key="tusz/train/0000.npz")
        assert "s3:GetObject" in said["message"]
        with refused("AccessDenied", 403) as said:
            s3.get_bucket_location(Bucket=BUCKET)
        assert "s3:GetBucketLocation" in said["message"]


def test_a_bucket_elsewhere_answers_301_with_its_region_which_boto3_follows() -> None:
    with served("wrong-region") as made:
        seen: list[tuple[int, str]] = []
        s3 = made()
        s3.meta.events.register(
            "needs-retry.s3.HeadBucket",
            lambda response, **_: seen.append((response[0].status_code, response[0].headers["x-amz-bucket-region"])),
            unique_id="seen",
        )
        assert s3.head_bucket(Bucket=BUCKET)["BucketRegion"] == "eu-west-1"
        assert seen[0] == (301, "eu-west-1")
        assert made(region="eu-west-1").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


def test_no_request_of_the_sandbox_can_reach_another_aws_service(healthy: serve.Sandbox) -> None:
    assert healthy.environ["AWS_ENDPOINT_URL"] == healthy.s3_url
    assert healthy.environ["AWS_EC2_METADATA_DISABLED"] == "true"
    assert healthy.s3_url.startswith("http://127.0.0.1:")


def test_a_world_without_s3_does_not_fall_back_to_the_real_one(world: Callable[[str], Path]) -> None:
    with serve.start(world("")) as sandbox:
        assert sandbox.s3_url == ""
        with pytest.raises(EndpointConnectionError, match=r"127\.0\.0\.1:9"):
            client(sandbox.scenario.storage, sandbox.environ["AWS_ENDPOINT_URL_S3"]).head_bucket(Bucket=BUCKET)
