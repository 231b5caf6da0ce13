"""The permissive world keeps every request of a client, and runs none of its functions."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from preflight.sandbox import serve, worlds

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    import os
    import sys

    lines = tmp_path_factory.mktemp("record") / "requests.jsonl"
    with serve.start(worlds.RECORDER, record=lines) as sandbox:
        ended = subprocess.run(
            [sys.executable, "-m", "modal", "deploy", "deploy/modal/app.py"],
            env=sandbox.applied(os.environ),
            cwd=sandbox.project,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert ended.returncode == 0, ended.stderr
        assert sandbox.s3_url == ""
    return [json.loads(line) for line in lines.read_text().splitlines()]


def of(rows: list[dict[str, Any]], rpc: str) -> list[dict[str, Any]]:
    return [r for r in rows if r["rpc"] == rpc]


def test_the_record_holds_the_resources_of_every_function(recorded: list[dict[str, Any]]) -> None:
    functions = [r["request"]["function"] for r in of(recorded, "FunctionCreate")]
    gpus = {f["function_name"]: f["resources"]["gpu_config"]["gpu_type"] for f in functions}
    assert gpus == {"train": "A100-80GB", "smoke": "A100-80GB"}
    train = next(f for f in functions if f["function_name"] == "train")
    assert train["timeout_secs"] == 86400
    assert train["cloud_bucket_mounts"][0]["bucket_name"] == "eeg-training-data"
    assert train["cloud_bucket_mounts"][0]["key_prefix"] == "tusz/"


def test_an_id_in_one_request_is_found_in_the_answer_of_another(recorded: list[dict[str, Any]]) -> None:
    secrets = {r["response"]["secret_id"]: r["request"] for r in of(recorded, "SecretGetOrCreate")}
    mount = of(recorded, "FunctionCreate")[0]["request"]["function"]["cloud_bucket_mounts"][0]
    secret = secrets[mount["credentials_secret_id"]]
    assert secret["deployment_name"] == "aws-s3-secret"
    assert secret["required_keys"] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]


def test_the_record_holds_every_image_step_as_the_builder_renders_it(recorded: list[dict[str, Any]]) -> None:
    steps = [s for r in of(recorded, "ImageGetOrCreate") for s in r["request"]["image"]["dockerfile_commands"]]
    assert "FROM nvidia/cuda:12.1.1-devel-ubuntu22.04" in steps
    assert "RUN pip install -v --no-build-isolation mamba-ssm==2.2.2" in steps


def test_nothing_is_uploaded_to_a_recorder(recorded: list[dict[str, Any]]) -> None:
    assert of(recorded, "MountGetOrCreate")
    assert not of(recorded, "MountPutFile")


def test_a_function_called_at_the_top_level_is_refused_and_not_run(run: Run, tmp_path: Path) -> None:
    with serve.start(worlds.RECORDER, record=tmp_path / "r.jsonl") as sandbox:
        ended = run(sandbox, "-m", "modal", "run", "deploy/modal/app.py", "--action", "smoke")
    assert ended.returncode == 1
    assert "records and runs no function" in ended.stdout + ended.stderr
