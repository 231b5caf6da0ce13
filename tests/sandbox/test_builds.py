"""Image builds print what the scenario says, and fail where it says so."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from preflight.sandbox import serve
from tests.sandbox.conftest import without_s3

World = Callable[[str], Path]
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_failing_build_streams_its_log_and_keeps_it_for_image_logs(modal: Run) -> None:
    with serve.start(without_s3("smoke-fails")) as sandbox:
        ended = modal(sandbox, "run", "deploy/modal/app.py", "--action", "smoke")
        said = ended.stdout + ended.stderr
        assert ended.returncode == 1
        assert "error: <urlopen error [Errno -2] Name or service not known>" in said
        assert 'failed to run builder command "pip install -v --no-build-isolation mamba-ssm==2.2.2"' in said
        assert "epoch" not in said
        image = re.search(r"Image build for (im-\S+) failed", said)
        assert image is not None
        kept = modal(sandbox, "image", "logs", image[1])
        assert kept.returncode == 0, kept.stderr
        assert "ERROR: Failed building wheel for mamba-ssm" in kept.stdout


def test_a_layer_built_once_is_not_built_again(modal: Run, world: World) -> None:
    with serve.start(world("")) as sandbox:
        first = modal(sandbox, "deploy", "deploy/modal/app.py")
        second = modal(sandbox, "deploy", "deploy/modal/app.py")
    assert "Building image" in first.stdout
    assert "legacy" not in first.stdout  # the word of a builder of 2023
    assert second.returncode == 0, second.stderr
    assert "Building image" not in second.stdout


def test_the_oldest_builder_says_so_in_the_build_log(modal: Run) -> None:
    with serve.start(without_s3("legacy-builder")) as sandbox:
        said = modal(sandbox, "deploy", "deploy/modal/app.py").stdout
    assert "Using legacy Image Builder version." in said
