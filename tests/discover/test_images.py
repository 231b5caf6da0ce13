"""An image that only the recording knows, as rules and lookups see it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from preflight.app import reader
from preflight.app.model import Image
from preflight.build.surroundings import base_of, python_of
from preflight.discover.images import image_of
from preflight.discover.merge import filled
from preflight.discover.recording import RecordedImage, Recording
from preflight.engine import builtin
from preflight.engine.files import judge, static_rules
from preflight.model import Where
from preflight.settings import Settings
from tests.discover.conftest import Record

AT = Where("app.py", 7, 3)
DEVEL = RecordedImage(
    base=("FROM nvidia/cuda:12.1.1-devel-ubuntu22.04", "COPY /python/. /usr/local"),
    added_python="3.11",
    commands=(
        "ENTRYPOINT []",
        "RUN apt-get update",
        "RUN apt-get install -y git ninja-build",
        "ENV CC=gcc NAME='two words'",
        "ENV TERMINFO_DIRS=/etc/terminfo",
        "COPY /.requirements.txt /.requirements.txt",
        "RUN python -m pip install -r /.requirements.txt",
        "RUN python -m pip install 'numpy<2' torch==2.11.0 --index-url https://download.pytorch.org/whl/cu121",
        "RUN CC=gcc pip install mamba-ssm==2.2.4",
        "WORKDIR /root",
        'SHELL ["/bin/bash", "-c"]',
        "COPY . /",
    ),
    files={
        "/.requirements.txt": "# ours\nscipy==1.15.0\n--extra-index-url https://x.example\neinops>=0.8  # a reason\n"
    },
)
OPEN = """
import modal

app = modal.App("x")


def made():
    return getattr(modal.Image, "debian_" + chr(115) + "lim")(python_version="3.12").pip_install("einops==0.8.0")


@app.function(image=made())
def f():
    pass


@app.function(image=made())
def g():
    pass
"""


@pytest.fixture
def image() -> Image:
    found = image_of(DEVEL, AT)
    assert found is not None
    return found


def test_its_base_and_python_are_those_of_the_client(image: Image) -> None:
    base = base_of(image)
    assert base is not None
    assert base.reference == "nvidia/cuda:12.1.1-devel-ubuntu22.04"
    assert python_of(image) == "3.11"


def test_a_slim_base_is_read_as_one() -> None:
    found = image_of(RecordedImage(base=("FROM python:3.12.10-slim-bookworm", "RUN pip install uv"), commands=()), AT)
    assert found is not None
    base = base_of(found)
    assert base is not None
    assert base.is_slim
    assert python_of(found) == "3.12"


def test_packages_variables_and_requirement_files_are_read(image: Image) -> None:
    packages = [p.written for _, install in image.pip_installs() for p in install.packages]
    assert packages == ["scipy==1.15.0", "einops>=0.8", "numpy<2", "torch==2.11.0", "mamba-ssm==2.2.4"]
    assert {k: v for s in image.steps for k, v in s.env.items()} == {"CC": "gcc", "NAME": "two words"}


def test_what_a_python_function_leaves_in_it_keeps_rules_about_what_is_missing_silent() -> None:
    found = image_of(changed(DEVEL, is_whole=False), AT)
    assert found is not None
    assert not found.is_complete


def test_what_is_copied_from_another_image_is_kept_and_the_clients_own_uv_is_not() -> None:
    commands = ("COPY --from=ghcr.io/astral-sh/uv:latest /uv /.uv/uv", "COPY --from=node:22 /usr/local /usr/local")
    found = image_of(changed(DEVEL, commands=commands), AT)
    assert found is not None
    assert [s.args for s in found.steps if s.method == "dockerfile_commands"] == [(commands[1],)]


def test_every_place_is_that_of_the_expression_and_no_edit_is_offered(image: Image) -> None:
    assert {s.where for s in image.steps} == {AT}
    assert {p.where for _, install in image.pip_installs() for p in install.packages} == {AT}
    assert image.where == AT


def test_no_rule_breaks_on_it_and_those_about_packages_speak(image: Image, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(OPEN)
    recipe = reader.read(tmp_path / "app.py", project=tmp_path)
    functions = tuple(replace(f, images=(image,)) for f in recipe.functions)
    whole = replace(recipe, functions=functions, images=(image,))
    results = asyncio.run(judge(static_rules(builtin.checks()), whole, Settings(project=tmp_path, app="app.py")))
    assert [r for r in results if r.status in ("error", "blocked")] == []
    findings = [f for r in results for f in r.findings]
    assert findings
    assert all(f.fix is None for f in findings)
    assert any("mamba-ssm" in f.message for f in findings)


def test_a_function_whose_image_is_open_gets_it_once_for_all(record: Record, project: Path) -> None:
    told = record(whole=OPEN)
    assert isinstance(told, Recording)
    recipe = reader.read(project / "app.py", project=project)
    after = filled(recipe, told)
    for function in after.functions:
        assert function.recorded == ("images",)
        assert isinstance(function.images, tuple)
        assert python_of(function.images[0]) == "3.12"
    assert len(after.images) == len(recipe.images) + 1
