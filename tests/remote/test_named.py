"""What an app names that must be there, from its text."""

from __future__ import annotations

from pathlib import Path

from preflight.app import reader
from preflight.app.lookups import function_named
from preflight.remote.named import Named, named
from preflight.settings import S3Settings, Settings

HEAD = """import os
import modal
app = modal.App("x", secrets=[modal.Secret.from_name("everywhere")])
image = (modal.Image.debian_slim()
    .pip_install("torch", secrets=[modal.Secret.from_name("index", required_keys=["TOKEN"])]))
aws = modal.Secret.from_name("aws", required_keys=["AWS_SESSION_TOKEN"])
"""


def of(tmp_path: Path, text: str, **s3: object) -> Named:
    (tmp_path / "app.py").write_text(HEAD + text, encoding="utf-8")
    recipe = reader.read(tmp_path / "app.py", project=tmp_path)
    settings = Settings(project=tmp_path, s3=S3Settings(**s3))  # type: ignore[arg-type]
    return named(recipe, settings, function_named(recipe, "train"))


TWO = """
@app.function(volumes={"/a": modal.CloudBucketMount("cache", secret=aws, key_prefix="c/", read_only=True)})
def prep(): ...
@app.function(image=image, gpu="A100", secrets=[modal.Secret.from_name("wandb", environment_name="prod")], volumes={
    "/d": modal.CloudBucketMount("data", secret=aws, key_prefix="t/", requester_pays=True, force_path_style=True),
    "/v": modal.Volume.from_name("results"), "/w": modal.Volume.from_name("w", environment_name="prod"),
})
def train(): ...
"""


def test_every_mount_is_named_and_the_planned_functions_comes_first(tmp_path: Path) -> None:
    found = of(tmp_path, TWO)
    assert [(p.at, p.secret) for p in found.places] == [("s3://data/t/", "aws"), ("s3://cache/c/", "aws")]
    assert found.places[0].is_requester_pays and found.places[0].is_path_style
    assert not found.places[0].is_read_only and found.places[0].must_hold_data  # its only bucket
    assert found.places[1].named_by == "prep, app.py:8"
    assert [(v.name, v.environment) for v in found.volumes] == [("results", None), ("w", "prod")]


def test_every_secret_is_named_with_its_environment_and_the_keys_that_it_must_hold(tmp_path: Path) -> None:
    found = {(s.name, s.environment): s for s in of(tmp_path, TWO).secrets}
    assert found.keys() == {("everywhere", None), ("wandb", "prod"), ("aws", None), ("index", None)}
    assert found["aws", None].keys == ("AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    assert found["aws", None].advised == ("AWS_REGION",)
    assert found["index", None].keys == ("TOKEN",)
    assert found["wandb", "prod"].keys == () == found["wandb", "prod"].advised


def test_a_secret_that_nothing_uses_is_not_asked_for(tmp_path: Path) -> None:
    text = "spare = modal.Secret.from_name('spare')\n@app.function(gpu='A100')\ndef train(): ...\n"
    found = of(tmp_path, text)
    assert [s.name for s in found.secrets] == ["everywhere"]
    assert (found.places, found.volumes) == ((), ())


def mounted(tmp_path: Path, arguments: str, **s3: object) -> Named:
    text = f"@app.function(gpu='A100', volumes={{'/d': modal.CloudBucketMount({arguments})}})\ndef train(): ...\n"
    return of(tmp_path, text, **s3)


def test_google_r2_and_a_role_ask_for_the_keys_that_they_read(tmp_path: Path) -> None:
    google = mounted(tmp_path, "'b', bucket_endpoint_url='https://storage.googleapis.com', secret=aws").secrets[-1]
    assert google.keys[1:] == ("GOOGLE_ACCESS_KEY_ID", "GOOGLE_ACCESS_KEY_SECRET") and google.advised == ()
    r2 = mounted(tmp_path, "'b', bucket_endpoint_url='https://a.r2.cloudflarestorage.com', secret=aws").secrets[-1]
    assert r2.keys[1:] == ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") and r2.advised == ()
    role = mounted(tmp_path, "'b', oidc_auth_role_arn='arn:aws:iam::1:role/r'").places[0]
    assert role.has_role and not role.is_public


def test_a_mount_without_a_secret_is_read_without_credentials(tmp_path: Path) -> None:
    assert mounted(tmp_path, "'b'").places[0].is_public
    assert not mounted(tmp_path, "'b', secret=aws").places[0].is_public


def test_what_the_text_leaves_open_is_named_with_its_line(tmp_path: Path) -> None:
    found = mounted(tmp_path, "os.environ['BUCKET'], secret=modal.Secret.from_name(os.environ['S'])")
    assert found.places == ()
    assert "train" in found.open_places[0] and "app.py:7" in found.open_places[0]
    assert "app.py:7" in found.open_secrets[0]
    assert mounted(tmp_path, "os.environ['BUCKET']", bucket="b").open_places == ()


def test_a_variable_of_this_machine_beats_the_default_in_the_text(tmp_path: Path) -> None:
    text = (
        "@app.function(gpu='A100', volumes={'/d': modal.CloudBucketMount(os.environ.get('BUCKET', 'usual'))})\n"
        "def train(): ...\n"
    )
    assert of(tmp_path, text).places[0].bucket == "usual"
    recipe = reader.read(tmp_path / "app.py", project=tmp_path)
    mine = Settings(project=tmp_path, environ={"BUCKET": "mine"})
    assert named(recipe, mine, None).places[0].bucket == "mine"


def test_the_settings_come_first_and_the_apps_own_places_are_kept(tmp_path: Path) -> None:
    found = of(tmp_path, TWO, bucket="data", prefix="t/", region="eu-west-1", secret="other", keys=("A",))
    assert [(p.at, p.region, p.named_by) for p in found.places] == [
        ("s3://data/t/", "eu-west-1", "tool.preflight.s3"),
        ("s3://cache/c/", None, "prep, app.py:8"),
    ]
    assert found.secrets[0].name == "other" and found.secrets[0].keys == ("A",)
    assert "aws" in [s.name for s in found.secrets]


def test_a_prefix_in_the_settings_is_the_planned_mounts(tmp_path: Path) -> None:
    assert [p.at for p in of(tmp_path, TWO, prefix="x/").places] == ["s3://data/x/", "s3://cache/c/"]


def test_a_mount_that_may_be_written_first_need_hold_no_data(tmp_path: Path) -> None:
    text = """
@app.function(volumes={"/c": modal.CloudBucketMount("cache", secret=aws)})
def prep(): ...
@app.function(gpu="A100", volumes={"/d": modal.CloudBucketMount("data", secret=aws, read_only=True),
    "/out": modal.CloudBucketMount("out", secret=aws)})
def train(): ...
"""
    assert {p.bucket: p.must_hold_data for p in of(tmp_path, text).places} == {
        "data": True,
        "out": False,
        "cache": False,
    }


def test_without_an_app_the_settings_alone_are_asked() -> None:
    settings = Settings(s3=S3Settings(bucket="b", secret="s"), volumes=("v",))
    found = named(None, settings, None)
    assert [p.bucket for p in found.places] == ["b"]
    assert [s.name for s in found.secrets] == ["s"]
    assert [v.name for v in found.volumes] == ["v"]
