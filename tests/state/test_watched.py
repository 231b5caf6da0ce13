from __future__ import annotations

from pathlib import Path

import pytest

from preflight.app import reader
from preflight.state.sources import Watched
from preflight.state.watched import watched

HEAD = """
import os, sys
from pathlib import Path
import modal
HERE = Path(__file__).resolve().parent
image = modal.Image.debian_slim()
app = modal.App("x")
"""


def of(project: Path, text: str, *, cwd: Path | None = None, **environ: str) -> Watched:
    app = project / "deploy" / "app.py"
    app.parent.mkdir(parents=True, exist_ok=True)
    app.write_text(HEAD + text, encoding="utf-8")
    recipe = reader.read(app, project=project)
    return watched(recipe, project=project, app=app, cwd=cwd or project, environ=environ)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("project/data", "project/deploy", "shared/pkg", "cwd"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("project/requirements.txt", "project/deploy/near.txt", "shared/pkg/__init__.py", "cwd/.env"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('image.add_local_dir(HERE.parent.parent / "shared", "/s")', "shared"),
        ('image.add_local_dir("data", "/d")', "project/data"),
        ('image.add_local_dir(local_path="data", remote_path="/d")', "project/data"),
        ('image.add_local_file(str(HERE / "near.txt"), "/n")', "project/deploy/near.txt"),
        ('image.pip_install_from_requirements("requirements.txt")', "project/requirements.txt"),
        ('image.uv_sync("data")', "project/data"),
        ('image.dockerfile_commands(["COPY . ."], context_dir="data")', "project/data"),
        ('image.uv_pip_install(requirements=["requirements.txt"])', "project/requirements.txt"),
        ('modal.Image.from_dockerfile("requirements.txt", context_dir="data")', "project/data"),
    ],
)
def test_local_paths_of_the_app_are_watched(project: Path, line: str, place: str) -> None:
    found = of(project, f"other = {line}\n")
    assert str(project.parent / place) in found.paths
    assert not found.unseen


def test_a_relative_path_may_mean_the_folder_the_command_is_started_in(project: Path) -> None:
    found = of(project, 'more = image.add_local_file(".env", "/e")\n', cwd=project.parent / "cwd")
    assert str(project.parent / "cwd/.env") in found.paths


def test_a_path_that_is_not_there_is_watched_for_its_coming(project: Path) -> None:
    assert str(project / "later") in of(project, 'more = image.add_local_dir("later", "/l")\n').paths


def test_a_local_module_outside_the_project_is_watched(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(project.parent / "shared"))
    found = of(project, 'more = image.add_local_python_source("pkg", "no_such_module")\n')
    assert str(project.parent / "shared/pkg") in found.paths


def test_variables_that_the_app_reads_are_watched_by_name(project: Path) -> None:
    text = 'GPU = os.environ.get("GPU", "T4")\nsecret = modal.Secret.from_local_environ(["HF_TOKEN", "WANDB"])\n'
    assert of(project, text).variables == ("GPU", "HF_TOKEN", "WANDB")


@pytest.mark.parametrize(
    "text",
    [
        'more = image.add_local_dir(os.environ.get("DATA", "data"), "/x")\n',
        'D = os.environ.get("DATA", "data")\nmore = image.add_local_dir(D, "/x")\n',
        'D = os.getenv("DATA") or "data"\nmore = image.add_local_dir(local_path=f"{D}", remote_path="/x")\n',
    ],
)
def test_a_variable_that_decides_a_path_is_said_when_it_is_set_and_its_default_holds_when_not(
    project: Path, text: str
) -> None:
    unset, is_set = of(project, text), of(project, text, DATA="/mnt/data", OTHER="x")
    assert str(project / "data") in unset.paths and not unset.unseen
    (said,) = is_set.unseen
    assert said.endswith("add_local_dir: the variable DATA decides its path")


def test_a_variable_beside_a_path_is_not_taken_for_one_in_it(project: Path) -> None:
    text = 'GPU = os.environ.get("GPU", "T4")\nmore = image.add_local_dir("data", os.environ.get("TO", "/x"))\n'
    assert not of(project, text, GPU="A100", TO="/y").unseen


@pytest.mark.parametrize("path", ["sys.argv[0]", 'os.environ["DATA"]', "unknown()", 'f"{unknown()}/x"'])
def test_a_path_that_the_text_leaves_open_is_said(project: Path, path: str) -> None:
    (said,) = of(project, f'more = image.add_local_dir({path}, "/x")\n').unseen
    assert said == "deploy/app.py:8 add_local_dir: its path is not in the text"


def test_remote_paths_and_names_are_no_local_paths(project: Path) -> None:
    text = (
        'v = modal.Volume.from_name("data")\n'
        'more = image.pip_install("requirements.txt").run_commands("ls data").env({"DATA": "data"})\n'
        's = modal.Secret.from_name("data")\n'
    )
    found = of(project, text)
    assert found.paths == (str(project / "deploy/app.py"),)
    assert not found.unseen


def test_an_app_that_does_not_parse_is_watched_itself(project: Path) -> None:
    assert of(project, "def (:\n").paths == (str(project / "deploy/app.py"),)


@pytest.mark.parametrize(
    "text",
    [
        "image = image.add_local_dir(**where())\n",
        'take = image.add_local_dir\nimage = take("../outside", "/x")\n',
        'image = getattr(image, "add_local_" + "dir")("../outside", "/x")\n',
        'with volume.batch_upload() as batch:\n    batch.put_directory("/outside", "/x")\n',
    ],
)
def test_a_path_that_the_reader_does_not_see_keeps_any_pass_from_being_kept(tmp_path: Path, text: str) -> None:
    assert of(tmp_path, text).unseen


def test_requirement_files_and_locks_that_are_included_count(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/base.txt").write_text("-c pins.txt\n", encoding="utf-8")
    (tmp_path / "out/pins.txt").write_text("torch==2.5.1\n", encoding="utf-8")
    project = tmp_path / "project"
    project.mkdir()
    (project / "requirements.txt").write_text("-r ../out/base.txt\n", encoding="utf-8")
    found = of(project, 'image = image.pip_install_from_requirements("requirements.txt")\n')
    assert {Path(p).name for p in found.paths} >= {"requirements.txt", "base.txt", "pins.txt"}
    assert not found.unseen


def test_plain_calls_are_seen(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    found = of(
        tmp_path, 'image = (\n    image.pip_install("torch")\n    .add_local_dir(\n        "src", "/x"\n    )\n)\n'
    )
    assert not found.unseen
