"""`preflight link` as a user meets it: exit codes, the document, the screen, and bad input."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import Preflight

BINARIES = Path(__file__).parent.parent / "data" / "binaries"
OLD, PACKED = BINARIES / "op-torch-2.2.2.so", BINARIES / "packed.so"
SCHEMA = json.loads((files("preflight") / "report" / "schemas" / "preflight.link-1.json").read_text("utf-8"))


def document(out: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(out)
    jsonschema.Draft202012Validator(SCHEMA).validate(said)
    return said


def test_a_library_that_loads_leaves_with_0_and_names_its_torch(preflight: Preflight) -> None:
    ran = preflight("link", OLD)
    assert ran.code == 0
    assert ran.out.startswith("LOADS  ")
    assert "2.2 to 2.3, by 19 of its 19 symbols of torch; old C++ ABI" in ran.out
    assert ran.err == ""


def test_one_that_does_not_load_leaves_with_1_and_says_what_the_loader_would(preflight: Preflight) -> None:
    ran = preflight("link", OLD, "--torch", "2.13.0", "--json")
    assert ran.code == 1
    (file,) = document(ran.out)["files"]
    assert file["verdict"] == "does-not-load"
    assert file["torch_versions"] == ["2.2", "2.3"]
    assert file["cxx11abi"] is False
    assert file["missing_symbols"][0] in file["reasons"][0]


def test_the_architectures_are_held_against_the_gpus_that_are_asked_for(preflight: Preflight) -> None:
    ran = preflight("link", PACKED, "--gpu", "H100", "--gpu", "a100-80gb", "--json")
    assert ran.code == 1
    said = document(ran.out)
    (file,) = said["files"]
    assert {"sm": 90, "kind": "cubin", "variant": "a"} in file["archs"]
    assert {"sm": 120, "kind": "ptx", "variant": ""} in file["archs"]
    assert [(g["name"], g["runs"]) for g in file["gpus"]] == [("H100", True), ("A100-80GB", False)]
    assert said["target"]["gpus"][0]["by"] == "--gpu"


def test_what_cannot_be_read_leaves_with_3(preflight: Preflight, tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(OLD.read_bytes()[:5000])
    ran = preflight("link", tmp_path / "a.so", "--json")
    assert ran.code == 3
    assert document(ran.out)["files"][0]["verdict"] == "unreadable"


def test_one_bad_file_among_good_ones_decides_and_1_goes_before_3(preflight: Preflight, tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(b"")
    ran = preflight("link", tmp_path / "a.so", OLD, PACKED, "--torch", "2.5.1", "--json")
    assert ran.code == 1
    assert [f["verdict"] for f in document(ran.out)["files"]] == ["unreadable", "does-not-load", "loads"]
    assert preflight("link", tmp_path / "a.so", PACKED).code == 3


def test_a_wheel_is_read_in_place(preflight: Preflight, tmp_path: Path) -> None:
    path = tmp_path / "x-1.0+cu12torch2.2cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(OLD, "selective_scan_cuda.cpython-311-x86_64-linux-gnu.so")
        archive.writestr("x/__init__.py", "")
    ran = preflight("link", path, "--torch", "2.2.2", "--json")
    assert ran.code == 0
    (file,) = document(ran.out)["files"]
    assert file["path"].endswith(".whl/selective_scan_cuda.cpython-311-x86_64-linux-gnu.so")
    assert file["python"] == "cpython-311"


def test_a_wheel_without_a_library_is_incomplete(preflight: Preflight, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("x/__init__.py", "")
    ran = preflight("link", tmp_path / "x-1.0-py3-none-any.whl")
    assert ran.code == 3
    assert "built without its extension" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "FILE"),
        (("no-such.so",), "no-such.so is not there"),
        ((str(OLD), "--torch", "newest"), "'newest' is no release of torch"),
        ((str(OLD), "--gpu", "H1000"), "'H1000' is none of Modal's GPUs: T4"),
    ],
)
def test_bad_input_is_a_usage_error_that_says_what_was_wanted(
    preflight: Preflight, words: tuple[str, ...], said: str
) -> None:
    ran = preflight("link", *words)
    assert ran.code == 2
    assert said in ran.err and ran.out == ""


APP = """import modal
app = modal.App("x")
@app.function(gpu="B200")
def train(): ...
"""


def test_the_gpus_are_those_of_the_projects_one_app(preflight: Preflight, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "pyproject.toml").write_text('[tool.preflight]\napp = "app.py"\n')
    ran = preflight("link", BINARIES / "speed.so", "--json", cwd=tmp_path)
    assert document(ran.out)["target"]["gpus"] == [{"name": "B200", "sm": 100, "by": "app.py, train"}]
    assert ran.code == 0  # its PTX of sm_86 is compiled on a B200
    assert preflight("link", BINARIES / "speed.so", "--gpu", "T4", cwd=tmp_path).code == 1


def test_a_folder_that_is_no_project_is_not_searched_for_an_app(preflight: Preflight, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    assert document(preflight("link", PACKED, "--json", cwd=tmp_path).out)["target"]["gpus"] == []


def test_a_hostile_name_of_a_file_does_not_reach_the_terminal(preflight: Preflight, tmp_path: Path) -> None:
    path = tmp_path / "a\x1b]0;owned\x07[bold].so"
    path.write_bytes(PACKED.read_bytes())
    ran = preflight("link", path)
    assert ran.code == 0
    assert "\x1b" not in ran.out and "\x07" not in ran.out
    assert "[bold]" in ran.out


def test_a_reader_that_has_gone_is_no_verdict(preflight: Preflight, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "preflight", "link", *[str(PACKED)] * 200]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=preflight.environ(), cwd=tmp_path) as ran:
        assert ran.stdout is not None
        ran.stdout.close()
        assert ran.wait(timeout=60) == 130
