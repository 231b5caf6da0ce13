"""The app as the real client deploys it: what is recorded, how it is compared with the text, and what it fills."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from preflight.app import reader
from preflight.app.model import BucketMount, Function, Known, Recipe, SecretRef, Unresolved, VolumeRef
from preflight.discover.compare import Difference, differences
from preflight.discover.merge import filled
from preflight.discover.recorder import NotRecorded, Obstacle
from preflight.discover.recording import (
    Deploy,
    Order,
    RecordedBucket,
    RecordedFunction,
    RecordedVolume,
    Recording,
    line,
    read,
)
from tests.discover.conftest import Record, recorded

APPS = Path(__file__).parent.parent / "data" / "apps"
WHOLE = """
import codecs
import modal

app = modal.App("whole", secrets=[modal.Secret.from_name("for-all")])
base = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").entrypoint([])
image = (
    base.apt_install("git", "ffmpeg")
    .pip_install("torch==2.6.0", "numpy<2", index_url="https://download.pytorch.org/whl/cu124")
    .pip_install_from_requirements("requirements.txt")
    .uv_pip_install("einops")
    .run_commands("CC=gcc pip install --no-build-isolation 'mamba-ssm==2.2.4'", "apt-get install -y ninja-build")
    .env({"HF_HOME": "/cache", "NAME": "two words"})
)
bucket = modal.CloudBucketMount(
    "data",
    key_prefix="tusz/",
    secret=modal.Secret.from_name("aws", required_keys=["AWS_REGION"], environment_name="prod"),
    read_only=True,
    bucket_endpoint_url="https://r2.example",
)


def pick(name):
    return codecs.decode(codecs.encode(name, "rot13"), "rot13")


@app.function(
    image=image,
    gpu="A100-80GB:2",
    timeout=86400,
    cpu=(4, 8),
    memory=(1024, 2048),
    retries=modal.Retries(max_retries=2),
    secrets=[modal.Secret.from_name("wandb", required_keys=["WANDB_API_KEY"]), modal.Secret.from_dict({"K": "v"})],
    volumes={"/cache/": modal.Volume.from_name("cache", create_if_missing=True), "/data": bucket},
)
def train():
    pass


@app.function(
    gpu=pick("L4"),
    timeout=int(pick("700")),
    secrets=[modal.Secret.from_name(pick("open-secret"), required_keys=["A"])],
    volumes={"/v": modal.Volume.from_name(pick("open-volume"))},
    name="renamed",
)
def opened():
    pass


@app.cls(image=image, gpu=["H100", "A100-80GB"], startup_timeout=900)
class Model:
    @modal.method()
    def go(self):
        pass


@app.local_entrypoint()
def main():
    train.remote()
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Recording]:
    project = tmp_path_factory.mktemp("whole")
    (project / "app.py").write_text(WHOLE)
    (project / "requirements.txt").write_text("# ours\nscipy==1.15.0\neinops>=0.8 ; python_version < '3.13'\n")
    recipe = reader.read(project / "app.py", project=project)
    told = recorded(project / "app.py", project)
    assert isinstance(told, Recording), told
    return recipe, told


@pytest.fixture(scope="module")
def train(whole: tuple[Recipe, Recording]) -> RecordedFunction:
    return next(f for f in whole[1].functions if f.name == "train")


def function(recipe: Recipe, name: str) -> Function:
    return next(f for f in recipe.functions if f.name == name)


def test_the_recording_holds_the_resources_that_the_client_asks_for(train: RecordedFunction) -> None:
    assert train.gpus == (("A100-80GB", 2),)
    assert (train.timeout_s, train.retries) == (86400, 2)
    assert train.cpu == (4.0, 8.0)
    assert train.memory_mib == (1024.0, 2048.0)


def test_the_recording_holds_secrets_with_their_keys_and_without_their_values(train: RecordedFunction) -> None:
    assert {(s.name, s.required_keys, s.keys) for s in train.secrets} == {
        ("for-all", (), ()),
        ("wandb", ("WANDB_API_KEY",), ()),
        (None, (), ("K",)),
    }


def test_the_recording_holds_what_is_mounted_where(train: RecordedFunction) -> None:
    volume, bucket = train.mounts["/cache"], train.mounts["/data"]
    assert isinstance(volume, RecordedVolume)
    assert (volume.name, volume.creates_if_missing) == ("cache", True)
    assert isinstance(bucket, RecordedBucket)
    assert (bucket.bucket, bucket.prefix, bucket.endpoint_url) == ("data", "tusz/", "https://r2.example")
    assert bucket.is_read_only
    assert bucket.secret is not None
    assert (bucket.secret.name, bucket.secret.required_keys) == ("aws", ("AWS_REGION",))
    assert bucket.secret.environment == "prod"


def test_the_recording_holds_the_commands_as_the_builder_renders_them(train: RecordedFunction) -> None:
    assert train.image is not None
    assert train.image.base[0] == "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04"
    assert "RUN CC=gcc pip install --no-build-isolation 'mamba-ssm==2.2.4'" in train.image.commands
    assert not [c for c in train.image.commands if c.startswith("FROM ")]
    assert any("scipy==1.15.0" in text for text in train.image.files.values())


def test_a_class_is_one_function_with_every_alternative_of_its_gpu(whole: tuple[Recipe, Recording]) -> None:
    model = next(f for f in whole[1].functions if f.name == "Model")
    assert model.is_class
    assert model.gpus == (("H100", 1), ("A100-80GB", 1))
    assert model.startup_timeout_s == 900


def test_a_text_that_says_what_the_client_asks_for_has_no_difference(whole: tuple[Recipe, Recording]) -> None:
    assert differences(*whole) == ()


def test_what_the_text_leaves_open_is_filled_and_says_so(whole: tuple[Recipe, Recording]) -> None:
    recipe, recording = whole
    before, after = function(recipe, "opened"), function(filled(recipe, recording), "opened")
    assert isinstance(before.gpu, Unresolved)
    assert isinstance(after.gpu, tuple)
    assert [(g.type, g.count) for g in after.gpu] == [("L4", 1)]
    assert isinstance(after.timeout_s, Known)
    assert after.timeout_s.value == 700
    names = [s.name for s in after.secrets if isinstance(s, SecretRef)]
    assert sorted(str(n) for n in names) == ["for-all", "open-secret"]
    assert {"gpu", "timeout_s", "secrets", "volumes"} <= set(after.recorded)
    volume = after.volumes["/v"]
    assert isinstance(volume, VolumeRef)
    assert volume.name == "open-volume"
    assert after.gpu[0].where.line == before.gpu.where.line


def test_what_the_text_says_is_left_as_it_is_with_its_lines(whole: tuple[Recipe, Recording]) -> None:
    recipe, recording = whole
    after = filled(recipe, recording)
    for name in ("train", "Model", "main"):
        assert function(after, name) == function(recipe, name)
        assert function(after, name).recorded == ()
    assert after.images == recipe.images


def altered(recording: Recording, **new: object) -> Recording:
    """The recording as it would be had the client asked for something else in train."""
    functions = tuple(changed(f, **new) if f.name == "train" else f for f in recording.functions)  # type: ignore[arg-type]
    return changed(recording, functions=functions)


@pytest.mark.parametrize(
    ("what", "new", "read", "recorded"),
    [
        ("gpu", {"gpus": (("H100", 1),)}, "A100-80GB:2", "H100"),
        ("timeout", {"timeout_s": 300}, "86400 s", "300 s"),
        ("cpu", {"cpu": None}, "4 cores, at most 8", "not given"),
        ("memory", {"memory_mib": (512.0, None)}, "1024 MiB, at most 2048", "512 MiB"),
        ("retries", {"retries": 0}, "2", "0"),
        ("mounts", {"mounts": {}}, "/cache, /data", "none"),
    ],
)
def test_a_difference_names_the_function_and_both_values(
    whole: tuple[Recipe, Recording], what: str, new: dict[str, object], read: str, recorded: str
) -> None:
    (found,) = differences(whole[0], altered(whole[1], **new))
    assert (found.subject, found.read, found.recorded) == (f"train: {what}", read, recorded)
    assert found.where.line == function(whole[0], "train").where.line


def test_another_secret_bucket_or_key_is_a_difference(whole: tuple[Recipe, Recording], train: RecordedFunction) -> None:
    recipe, recording = whole
    bucket = train.mounts["/data"]
    assert isinstance(bucket, RecordedBucket)
    other = {**train.mounts, "/data": changed(bucket, prefix="other/", is_read_only=False)}
    (found,) = differences(recipe, altered(recording, mounts=other))
    assert "prefix tusz/" in found.read
    assert "prefix other/" in found.recorded
    fewer = tuple(changed(s, required_keys=()) for s in train.secrets)
    (found,) = differences(recipe, altered(recording, secrets=fewer))
    assert "WANDB_API_KEY" in found.read
    assert "WANDB_API_KEY" not in found.recorded


def test_another_package_base_or_variable_of_the_image_is_a_difference(
    whole: tuple[Recipe, Recording], train: RecordedFunction
) -> None:
    image = train.image
    assert image is not None
    other = changed(
        image,
        base=("FROM ubuntu:22.04",),
        commands=tuple(c.replace("numpy<2", "numpy<3").replace("HF_HOME=/cache", "HF_HOME=/x") for c in image.commands),
    )
    found = {d.subject: d for d in differences(whole[0], altered(whole[1], image=other))}
    assert found["train: image's base"].recorded == "ubuntu:22.04"
    packages = found["train: image's packages"]
    assert (packages.read, packages.recorded) == ("numpy<2", "numpy<3")
    assert found["train: image's variables"].read == "HF_HOME=/cache"


def test_a_function_that_only_one_of_them_has_is_told(whole: tuple[Recipe, Recording]) -> None:
    recipe, recording = whole
    fewer = changed(recording, functions=tuple(f for f in recording.functions if f.name != "train"))
    (found,) = differences(recipe, fewer)
    assert (found.subject, found.recorded, found.is_about_a_value) == ("train", "not deployed", False)
    (unread,) = differences(replace(recipe, functions=recipe.functions[1:]), recording)
    assert (unread.subject, unread.read) == ("train", "not found")


def test_a_local_entrypoint_is_not_missed(whole: tuple[Recipe, Recording]) -> None:
    assert not [d for d in differences(*whole) if d.subject == "main"]


def test_a_condition_of_the_text_is_no_difference(record: Record) -> None:
    text = (
        "import modal\napp = modal.App('x')\n"
        "@app.function(gpu='A100' if modal.is_local() else 'T4', secrets=[modal.Secret.from_name('a')] if 1 else [])\n"
        "def f(): ...\n"
    )
    told = record(whole=text)
    assert isinstance(told, Recording)
    assert told.functions[0].gpus == (("A100", 1),)


def test_a_value_that_the_environment_overrides_names_its_variable(record: Record, project: Path) -> None:
    text = (
        "import os\nimport modal\napp = modal.App('x')\n"
        "@app.function(gpu=os.environ.get('GPU_OF_MINE', 'T4'))\ndef f(): ...\n"
    )
    told = record(whole=text, environ={"GPU_OF_MINE": "L4"})
    assert isinstance(told, Recording)
    (found,) = differences(reader.read(project / "app.py", project=project), told)
    assert found == Difference(subject="f: gpu", read="T4", recorded="L4", where=found.where, unless="GPU_OF_MINE")


def test_every_app_of_a_file_is_recorded_whatever_its_variable_is_called(record: Record) -> None:
    text = (
        "import modal\none = modal.App('first')\ntwo = modal.App('second')\n"
        "@one.function()\ndef f(): ...\n@two.function()\ndef g(): ...\n"
    )
    told = record(whole=text)
    assert isinstance(told, Recording)
    assert told.apps == ("first", "second")
    assert sorted(f.name for f in told.functions) == ["f", "g"]


def test_a_function_that_builds_an_image_is_not_deployed(record: Record, project: Path) -> None:
    text = (
        "import modal\ndef download(): ...\napp = modal.App('x')\n"
        "image = modal.Image.debian_slim().run_function(download, gpu='T4').pip_install('einops')\n"
        "@app.function(image=image)\ndef f(): ...\n"
    )
    told = record(whole=text)
    assert isinstance(told, Recording)
    assert [f.name for f in told.functions] == ["f"]
    assert told.functions[0].image is not None
    assert told.functions[0].image.commands == ("RUN python -m pip install einops",)
    assert differences(reader.read(project / "app.py", project=project), told) == ()


def test_an_order_with_names_that_are_no_text_arrives_as_it_was(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    deploy = Deploy(words=("deploy", odd), project=tmp_path / odd, builder="2025.06", environment=None)
    order = Order(deploy=deploy, folder=tmp_path, environ={"NAME": odd})
    assert read(line(order), Order) == order


def test_a_variable_that_is_no_text_does_not_keep_an_app_from_being_recorded(record: Record) -> None:
    assert isinstance(record(environ={"NAME": os.fsdecode(b"caf\xe9")}), Recording)


def test_an_app_without_a_name_is_recorded(record: Record) -> None:
    told = record(whole="import modal\napp = modal.App()\n@app.function()\ndef f(): ...\n")
    assert isinstance(told, Recording)


def test_a_file_with_relative_imports_is_deployed_as_a_module(record: Record, project: Path) -> None:
    package = project / "deploy"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "images.py").write_text("import modal\nimage = modal.Image.debian_slim().pip_install('numpy')\n")
    (package / "app.py").write_text(
        "import modal\nfrom .images import image\napp = modal.App('x')\n@app.function(image=image)\ndef f(): ...\n"
    )
    told = recorded(package / "app.py", project)
    assert isinstance(told, Recording), told
    assert told.functions[0].image is not None


@pytest.mark.parametrize("name", ["chain", "factories", "shells", "versions"])
def test_the_reader_says_of_the_example_apps_what_the_client_asks_for(name: str) -> None:
    recipe = reader.read(APPS / f"{name}.py", project=APPS)
    told = recorded(APPS / f"{name}.py", APPS)
    assert isinstance(told, Recording), told
    assert [d.subject for d in differences(recipe, told) if d.subject != "<lambda>"] == []


def test_an_example_app_of_an_older_modal_is_told_by_the_client_itself() -> None:
    told = recorded(APPS / "removed.py", APPS)
    assert isinstance(told, NotRecorded)
    assert told.obstacle is Obstacle.RAISED
    assert "cannot import name 'gpu'" in told.message


def test_buckets_keep_what_the_text_says_when_they_are_filled(whole: tuple[Recipe, Recording]) -> None:
    mount = function(filled(*whole), "train").volumes["/data"]
    assert isinstance(mount, BucketMount)
    assert mount == function(whole[0], "train").volumes["/data"]
