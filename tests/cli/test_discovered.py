"""`preflight list --discovered`: what the file says, with its place, in 80 columns or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Preflight

APP = """
import os

import modal

app = modal.App("brain")
image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .apt_install("git")
    .pip_install("torch==2.6.0", index_url="https://download.pytorch.org/whl/cu124")
    .run_commands("pip install --no-build-isolation mamba-ssm==2.2.4", "echo done")
    .env({"HF_HOME": "/cache"})
)


@app.function(
    image=image,
    gpu="A100-80GB",
    timeout=86400,
    cpu=(4, 8),
    memory=65536,
    secrets=[modal.Secret.from_name("wandb", required_keys=["WANDB_API_KEY"])],
    volumes={
        "/results": modal.Volume.from_name("results", create_if_missing=True),
        "/data": modal.CloudBucketMount("tusz", key_prefix="v1/", secret=modal.Secret.from_name("aws"), read_only=True),
    },
)
def train():
    return os.environ["WANDB_API_KEY"], os.getenv("SEED")


@app.function(gpu=open("gpu.txt").read())
def other():
    pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    (folder / "gpu.txt").write_text("L4")
    return folder


def document(preflight: Preflight, project: Path, *words: str, code: int = 0) -> dict[str, Any]:
    ran = preflight("list", "--discovered", "--json", *words, cwd=project)
    assert ran.code == code, ran.out + ran.err
    whole: dict[str, Any] = json.loads(ran.out)
    assert whole["schema"] == "preflight.discovered/1"
    return whole


def test_every_fact_stands_in_80_columns_with_its_place(preflight: Preflight, project: Path) -> None:
    ran = preflight("list", "--discovered", "app.py", cwd=project)
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    for words in (
        "app brain  app.py:6",
        "function train  app.py:28",
        "A100-80GB",
        "86400 s (24 h)",
        "4 cores, at most 8",
        "65536 MiB",
        "wandb with WANDB_API_KEY",
        "/results results, made if missing  (app.py:24)",
        "/data tusz/v1/, read-only  (app.py:25)",
        ".run_commands pip install --no-build-isolation mamba-ssm==2.2.4",
        "index_url=https://download.pytorch.org/whl/cu124",
        "WANDB_API_KEY, must be set (os.environ[…] in train)",
        "SEED, may be set (os.getenv() in train)",
        "not in the text",
    ):
        assert words in ran.out, words


def test_the_document_holds_the_same_as_data(preflight: Preflight, project: Path) -> None:
    whole = document(preflight, project, "app.py")
    train, other = whole["functions"]
    assert train["gpu"] == [{"type": "A100-80GB", "count": 1, "written": "A100-80GB"}]
    assert train["cpu"] == [4.0, 8.0]
    assert train["volumes"]["/data"]["prefix"] == "v1/"
    assert train["volumes"]["/results"]["where"] == "app.py:24"
    assert "unresolved" in other["gpu"]
    assert whole["images"][0]["steps"][0]["method"] == "from_registry"
    assert {r["key"]: r["required"] for r in whole["environ"]} == {"WANDB_API_KEY": True, "SEED": False}
    assert whole["recording"] is None


def test_without_record_nothing_of_the_app_is_run(preflight: Preflight, project: Path) -> None:
    (project / "app.py").write_text(APP + f"\nopen({str(project / 'ran')!r}, 'w')\n")
    (project / "pyproject.toml").write_text("[tool.preflight]\nrecord = true\n")
    document(preflight, project, "app.py")
    assert not (project / "ran").exists()


def test_with_record_the_open_values_are_filled_and_marked(preflight: Preflight, project: Path) -> None:
    whole = document(preflight, project, "app.py", "--record")
    assert whole["recording"]["ok"]
    assert whole["recording"]["differences"] == []
    other = whole["functions"][1]
    assert other["gpu"] == [{"type": "L4", "count": 1, "written": "L4"}]
    assert other["recorded"] == ["gpu"]
    commands = next(f for f in whole["recording"]["functions"] if f["name"] == "train")["image"]
    assert "RUN pip install --no-build-isolation mamba-ssm==2.2.4" in commands
    ran = preflight("list", "--discovered", "app.py", "--record", cwd=project)
    assert "L4 (recorded)" in ran.out
    assert "the text says what the client asks for" in ran.out


def test_a_recording_that_failed_is_incomplete_and_leaves_what_was_read(preflight: Preflight, project: Path) -> None:
    (project / "gpu.txt").unlink()
    whole = document(preflight, project, "app.py", "--record", code=3)
    assert whole["recording"]["ok"] is False
    assert whole["recording"]["where"] == "app.py:32"
    assert "gpu.txt" in whole["recording"]["said"]
    assert whole["functions"][0]["name"] == "train"


def test_a_file_that_does_not_parse_says_so_and_is_incomplete(preflight: Preflight, project: Path) -> None:
    (project / "app.py").write_text("import modal\napp = modal.App('x'\n")
    ran = preflight("list", "--discovered", "app.py", "--record", cwd=project)
    assert ran.code == 3
    assert "app.py does not parse: '(' was never closed" in ran.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["app.py"], "belong to --discovered"),
        (["--record"], "belong to --discovered"),
        (["--discovered", "nope.py"], "nope.py is not there"),
        (["--discovered", "."], "is a folder"),
    ],
)
def test_what_can_not_be_meant_is_a_usage_error(
    preflight: Preflight, project: Path, words: list[str], says: str
) -> None:
    ran = preflight("list", *words, cwd=project)
    assert ran.code == 2
    assert says in ran.err
    assert ran.out == ""


def test_several_apps_ask_for_a_choice_by_name(preflight: Preflight, project: Path) -> None:
    (project / "second.py").write_text("import modal\napp = modal.App('second')\n")
    ran = preflight("list", "--discovered", cwd=project)
    assert ran.code == 2
    assert "app.py" in ran.err
    assert "second.py" in ran.err


def test_text_of_the_app_can_not_reach_the_terminal(preflight: Preflight, project: Path) -> None:
    (project / "app.py").write_text(
        "import modal\napp = modal.App('a\\x1b[31mred\\u202e')\n"
        "image = modal.Image.debian_slim().run_commands('x\\ny\\x07')\n"
    )
    ran = preflight("list", "--discovered", "app.py", cwd=project)
    assert ran.code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(ran.out)
    assert "\\x1b[31mred" in ran.out


def test_a_secret_in_the_text_is_not_shown(preflight: Preflight, project: Path) -> None:
    token = "hf_" + "a1B2" * 8
    (project / "app.py").write_text(
        f"import modal\napp = modal.App('x')\nimage = modal.Image.debian_slim().env({{'HF_TOKEN': '{token}'}})\n"
        "@app.function(image=image)\ndef f(): ...\n"
    )
    for words in ((), ("--json",), ("--json", "--record")):
        ran = preflight("list", "--discovered", "app.py", *words, cwd=project)
        assert ran.code == 0, ran.err
        assert token not in ran.out


def test_a_long_word_stays_whole_to_be_copied(preflight: Preflight, project: Path) -> None:
    url = "https://wheels.example/" + "long-" * 20 + "name.whl"
    (project / "app.py").write_text(
        f"import modal\napp = modal.App('x')\nimage = modal.Image.debian_slim().pip_install('{url}')\n"
    )
    assert url in preflight("list", "--discovered", "app.py", cwd=project).out
