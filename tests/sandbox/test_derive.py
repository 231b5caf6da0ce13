"""The world that is derived from an app holds what the app names, and nothing else; a fault is laid over all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.app import reader
from preflight.sandbox import derive, state, worlds
from preflight.settings import S3Settings, Settings

APP = """
import os
import modal

app = modal.App("x")
keys = modal.Secret.from_name("keys")
hugging = modal.Secret.from_name("hugging", required_keys=["HF_TOKEN"], environment_name="prod")
made = modal.Secret.from_dict({"A": "1"})
bucket = modal.CloudBucketMount("data", key_prefix="eeg/", secret=keys)
google = modal.CloudBucketMount("g", bucket_endpoint_url="https://storage.googleapis.com",
                                secret=modal.Secret.from_name("google"))


@app.function(secrets=[hugging, made], volumes={"/data": bucket, "/g": google, "/v": modal.Volume.from_name("v")})
def train():
    os.environ["NEEDED"], os.environ.get("OPTIONAL", "3")
    modal.Function.from_name("other", "square"), modal.Cls.from_name("other", "Model", environment_name="prod")
    modal.Dict.from_name("d"), modal.Queue.from_name("q")
"""


@pytest.fixture
def world(tmp_path: Path) -> state.Scenario:
    (tmp_path / "app.py").write_text(APP)
    recipe = reader.read(tmp_path / "app.py", project=tmp_path)
    return derive.derived([recipe], Settings(project=tmp_path, environ={}))


def test_a_secret_holds_its_required_keys_what_bodies_must_read_and_what_a_mount_needs(world: state.Scenario) -> None:
    assert world.secrets["hugging"] == {"HF_TOKEN": "stand-in-for-HF_TOKEN", "NEEDED": "stand-in-for-NEEDED"}
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= world.secrets["keys"].keys()
    assert set(world.secrets["google"]) == {"GOOGLE_ACCESS_KEY_ID", "GOOGLE_ACCESS_KEY_SECRET"}


def test_what_the_app_makes_itself_or_may_do_without_is_not_made_up(world: state.Scenario) -> None:
    assert set(world.secrets) == {"keys", "hugging", "google"}
    assert "OPTIONAL" not in world.secrets["hugging"]


def test_every_bucket_holds_an_object_under_its_prefix(world: state.Scenario) -> None:
    assert {b.name: list(b.objects) for b in world.storage.buckets} == {
        "data": ["eeg/stand-in.txt"],
        "g": ["stand-in.txt"],
    }


def test_what_is_looked_up_by_name_is_there(world: state.Scenario) -> None:
    assert (world.volumes, world.dicts, world.queues) == (("v",), ("d",), ("q",))
    assert [(a.name, a.environment, a.functions, a.classes) for a in world.apps] == [
        ("other", "main", ("square",), ()),
        ("other", "prod", (), ("Model",)),
    ]
    assert set(world.environments) == {"main", "prod"}


def test_the_bucket_and_secret_of_the_settings_are_there_too(tmp_path: Path) -> None:
    s3 = S3Settings(secret="mine", keys=("K",), bucket="b", prefix="p")
    world = derive.derived([], Settings(project=tmp_path, environ={}, s3=s3))
    assert (world.secrets, [b.objects.keys() for b in world.storage.buckets]) == (
        {"mine": {"K": "stand-in-for-K"}},
        [{"p/stand-in.txt"}],
    )


def test_a_world_is_read_back_as_it_was_written(world: state.Scenario) -> None:
    text = worlds.write(world)
    assert worlds.read(text) == world


def test_the_stand_ins_of_a_derived_world_are_the_shipped_ones(world: state.Scenario) -> None:
    assert worlds.placed(world).gpu == worlds.load("healthy").gpu
    assert all(Path(folder).is_dir() for folder in worlds.placed(world).gpu.stand_ins)
    assert "stand-ins" not in worlds.write(world)


def test_any_text_survives_being_written() -> None:
    odd = state.Scenario(title='a "quote"\\ \x7f\nline', wrong="ü", environ={"a.b c": "é", "": "x"})
    assert worlds.read(worlds.write(odd)) == odd


@pytest.mark.parametrize("name", [n for n in worlds.names() if n != "lint-fails"])
def test_every_shipped_fault_can_be_laid_over_an_app(world: state.Scenario, name: str) -> None:
    laid = worlds.laid_over(world, worlds.load(name), name)
    assert laid.volumes == world.volumes
    assert laid.storage.access_key_id == world.storage.access_key_id


def test_a_fault_of_the_example_is_one_of_the_apps_own_things(world: state.Scenario) -> None:
    def laid(name: str) -> state.Scenario:
        return worlds.laid_over(world, worlds.load(name), name)

    assert laid("missing-secret").secrets == {}
    assert laid("no-bucket").storage.buckets == ()
    assert {b.access for b in laid("denied-bucket").storage.buckets} == {"denied"}
    assert {b.region for b in laid("wrong-region").storage.buckets} == {"eu-west-1"}
    assert not any(b.objects for b in laid("empty-prefix").storage.buckets)
    assert not laid("missing-secret").invents  # or what was taken away would be made up again
    assert laid("expiring-token").invents


def test_a_fault_in_the_examples_own_files_is_refused(world: state.Scenario) -> None:
    with pytest.raises(ValueError, match="bundled example"):
        worlds.laid_over(world, worlds.load("lint-fails"), "lint-fails")
