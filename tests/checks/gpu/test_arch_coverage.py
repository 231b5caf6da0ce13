"""arch-coverage: a compiled file at hand is held against the image's torch and its functions' GPUs."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from preflight.app import reader
from preflight.app.lookups import RECIPE
from preflight.engine import builtin
from preflight.model import Result, Status
from preflight.settings import Settings
from preflight.testing import run_check

BINARIES = Path(__file__).parents[2] / "data" / "binaries"
CHECK = next(c for c in builtin.checks() if c.id == "GPU002")
WHEEL = "kernels-1.0-cp311-cp311-linux_x86_64.whl"
APP = """import modal
image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .pip_install("torch=={torch}")
    .{step}
    .run_commands("pip install /root/{wheel}")
)
app = modal.App("x", image=image)
@app.function(gpu={gpu}, image=image)
def train(): ...
"""


def result(folder: Path, *, torch: str = "2.2.2", gpu: str = '"H100"', step: str = "") -> Result:
    step = step or f'add_local_file("{WHEEL}", "/root/{WHEEL}", copy=True)'
    (folder / "app.py").write_text(APP.format(torch=torch, gpu=gpu, step=step, wheel=WHEEL))
    recipe = reader.read(folder / "app.py", project=folder)
    return run_check(CHECK, {RECIPE: recipe}, settings=Settings(project=folder))


def wheel(folder: Path, *names: str) -> None:
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        for name in names:
            archive.write(BINARIES / name, name)


def test_a_wheel_for_this_torch_and_this_gpu_passes(tmp_path: Path) -> None:
    wheel(tmp_path, "op-torch-2.2.2.so", "plain.so")
    assert result(tmp_path).status is Status.PASS
    assert result(tmp_path).reason == "1 compiled file"


def test_a_wheel_for_another_torch_fails_where_it_is_added(tmp_path: Path) -> None:
    wheel(tmp_path, "op-torch-2.13.0.so")
    found = result(tmp_path)
    assert found.status is Status.FAIL and found.answer is not None
    (finding,) = found.answer.findings
    assert finding.message.startswith(f"{WHEEL}/op-torch-2.13.0.so does not load with torch 2.2.2: undefined symbol: ")
    assert finding.where is not None and (finding.where.path, finding.where.line) == ("app.py", 5)


def test_a_gpu_of_a_fallback_list_without_code_fails(tmp_path: Path) -> None:
    wheel(tmp_path, "packed.so")
    found = result(tmp_path, gpu='["H100", "A100-80GB"]')
    assert found.status is Status.FAIL and found.answer is not None
    (finding,) = found.answer.findings
    assert "no kernel image for A100-80GB (sm_80, train)" in finding.message


def test_a_folder_that_is_added_is_looked_into_and_a_library_of_its_own_too(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    shutil.copy(BINARIES / "op-torch-2.13.0.so", tmp_path / "dist")
    assert result(tmp_path, step='add_local_dir("dist", "/root/dist", copy=True)').status is Status.FAIL


def test_a_damaged_wheel_is_not_green(tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(b"PK\x03\x04 cut off")
    assert result(tmp_path).status is Status.WARN


@pytest.mark.parametrize("torch", ["2.16.0", "1.13.1"])
def test_a_torch_that_is_not_in_the_table_is_not_green(tmp_path: Path, torch: str) -> None:
    wheel(tmp_path, "op-torch-2.2.2.so")
    assert result(tmp_path, torch=torch).status is Status.WARN


def test_without_the_file_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    assert result(tmp_path).status is Status.SKIP


def test_a_pure_python_wheel_is_none_of_its_business(tmp_path: Path) -> None:
    name = "own-1.0-py3-none-any.whl"
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("own/__init__.py", "")
    assert result(tmp_path, step=f'add_local_file("{name}", "/root/{name}")').status is Status.SKIP


def test_a_torch_that_is_not_pinned_is_not_guessed(tmp_path: Path) -> None:
    wheel(tmp_path, "op-torch-2.13.0.so")
    (tmp_path / "app.py").write_text(
        "import modal\n"
        'image = modal.Image.debian_slim().pip_install("torch").'
        f'add_local_file("{WHEEL}", "/root/{WHEEL}")\n'
        'app = modal.App("x")\n'
    )
    recipe = reader.read(tmp_path / "app.py", project=tmp_path)
    assert run_check(CHECK, {RECIPE: recipe}, settings=Settings(project=tmp_path)).status is Status.PASS


def test_a_gpu_of_another_image_is_not_asked_of_this_one(tmp_path: Path) -> None:
    wheel(tmp_path, "packed.so")
    (tmp_path / "app.py").write_text(
        "import modal\n"
        f'image = modal.Image.debian_slim().add_local_file("{WHEEL}", "/root/{WHEEL}")\n'
        "other = modal.Image.debian_slim()\n"
        'app = modal.App("x")\n'
        '@app.function(gpu="H100", image=image)\ndef a(): ...\n'
        '@app.function(gpu="A100-80GB", image=other)\ndef b(): ...\n'
    )
    recipe = reader.read(tmp_path / "app.py", project=tmp_path)
    assert run_check(CHECK, {RECIPE: recipe}, settings=Settings(project=tmp_path)).status is Status.PASS


def test_a_finding_that_the_file_takes_back_is_counted(tmp_path: Path) -> None:
    wheel(tmp_path, "op-torch-2.13.0.so")
    step = f'add_local_file("{WHEEL}", "/root/{WHEEL}", copy=True)  # preflight: ignore[arch-coverage]'
    found = result(tmp_path, step=step + "\n    ")
    assert found.status is Status.PASS
    assert "1 ignored in the file" in found.reason
