"""The permissive world answers a client whatever it asks, runs none of its functions, and is read as a recording."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from preflight.discover.recording import RecordedBucket, Recording
from preflight.sandbox import serve, state
from preflight.sandbox.control_plane.plane import Plane
from preflight.sandbox.control_plane.recorded import recorded
from preflight.sandbox.control_plane.service import client_server

SCENARIO = state.Scenario(title="a recorder", wrong="", permissive=True, storage=state.Storage())
APP = str(serve.EXAMPLE / "deploy/modal/app.py")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as name:
        yield Path(name)


async def asked(folder: Path, *words: str) -> tuple[Plane, int, str]:
    """A plane, and how `modal WORDS` ended against it."""
    plane = Plane(SCENARIO, folder, folder)
    server = client_server(plane)
    await server.start(path=str(folder / "plane"))
    token = {"MODAL_TOKEN_ID": SCENARIO.token.id, "MODAL_TOKEN_SECRET": SCENARIO.token.secret}
    modal = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "modal", *words),
        env={k: v for k, v in os.environ.items() if not k.startswith("MODAL_")}
        | {"MODAL_SERVER_URL": f"unix://{folder / 'plane'}", "MODAL_CONFIG_PATH": str(folder / "no.toml"), **token},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(modal.communicate(), 60)
    await plane.stop()
    server.close()
    assert modal.returncode is not None
    return plane, modal.returncode, out.decode()


@pytest.fixture(scope="module")
def deployed(folder: Path) -> tuple[Plane, Recording]:
    plane, code, out = asyncio.run(asked(folder, "deploy", APP))
    assert code == 0, out
    recording = recorded(plane, seconds=1.0, closed_by="kernel")
    assert recording is not None
    return plane, recording


def test_the_record_holds_the_resources_of_every_function(deployed: tuple[Plane, Recording]) -> None:
    functions = {f.name: f for f in deployed[1].functions}
    assert {name: f.gpus for name, f in functions.items()} == {
        "train": (("A100-80GB", 1),),
        "smoke": (("A100-80GB", 1),),
    }
    assert functions["train"].timeout_s == 86400
    (bucket,) = [m for m in functions["train"].mounts.values() if isinstance(m, RecordedBucket)]
    assert (bucket.bucket, bucket.prefix) == ("eeg-training-data", "tusz/")


def test_an_id_in_one_request_is_what_another_request_made(deployed: tuple[Plane, Recording]) -> None:
    bucket = next(m for m in deployed[1].functions[0].mounts.values() if isinstance(m, RecordedBucket))
    assert bucket.secret is not None
    assert bucket.secret.name == "aws-s3-secret"
    assert bucket.secret.required_keys == ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


def test_the_record_holds_every_image_step_as_the_builder_renders_it(deployed: tuple[Plane, Recording]) -> None:
    image = deployed[1].functions[0].image
    assert image is not None
    assert "FROM nvidia/cuda:12.1.1-devel-ubuntu22.04" in image.base
    assert "RUN pip install -v --no-build-isolation mamba-ssm==2.2.2" in image.commands


def test_nothing_is_uploaded_to_a_recorder(deployed: tuple[Plane, Recording]) -> None:
    plane, _ = deployed
    assert "MountGetOrCreate" in plane.requests
    assert "MountPutFile" not in plane.requests
    assert not list(plane.files.iterdir())


def test_a_function_called_at_the_top_level_is_refused_and_not_run(folder: Path) -> None:
    plane, code, out = asyncio.run(asked(folder, "run", APP, "--action", "smoke"))
    assert code == 1
    assert "records and runs no function" in out
    assert recorded(plane, seconds=1.0, closed_by="kernel") is None
