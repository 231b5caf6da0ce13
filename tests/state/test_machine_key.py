from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from preflight.state import machine_key
from preflight.state.machine_key import BrokenSeal, KeyRefused

KEY = bytes(range(32))


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    first, second = machine_key.load_or_make(tmp_path), machine_key.load_or_make(tmp_path)
    file = machine_key.path_of(tmp_path)
    assert first == second == file.read_bytes() and len(first) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_several_that_make_the_key_at_once_have_one_key(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from preflight.state import machine_key;"
        " print(machine_key.load_or_make(pathlib.Path(sys.argv[1])).hex())"
    )
    words = [sys.executable, "-c", script, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    children = [subprocess.Popen(words, stdout=subprocess.PIPE, env=env) for _ in range(4)]
    keys = {child.communicate(timeout=60)[0].strip() for child in children}
    assert [len(key) for key in keys] == [64]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    machine_key.load_or_make(tmp_path)
    machine_key.path_of(tmp_path).chmod(mode)
    with pytest.raises(KeyRefused, match="can be read by others"):
        machine_key.load_or_make(tmp_path)


def test_a_folder_or_a_link_in_the_keys_place_is_refused(tmp_path: Path) -> None:
    file = machine_key.path_of(tmp_path)
    file.mkdir(parents=True)
    with pytest.raises(KeyRefused, match="not a file of this user"):
        machine_key.load_or_make(tmp_path)
    file.rmdir()
    file.symlink_to("/etc/hostname")
    with pytest.raises(KeyRefused, match="can't be read"):
        machine_key.load_or_make(tmp_path)


def test_a_state_folder_that_can_not_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("x")
    with pytest.raises(KeyRefused, match="can't be written"):
        machine_key.load_or_make(tmp_path / "state")


def test_what_was_sealed_is_read_back(tmp_path: Path) -> None:
    body = {"a": 1, "b": {"c": ["é", None, True]}}
    machine_key.write_sealed(tmp_path / "x", KEY, body)
    assert machine_key.read_sealed(tmp_path / "x", KEY) == body
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_the_order_and_spacing_of_the_json_are_no_edit(tmp_path: Path) -> None:
    machine_key.write_sealed(tmp_path / "x", KEY, {"a": 1, "b": 2})
    document = json.loads((tmp_path / "x").read_text("utf-8"))
    document["body"] = dict(reversed(document["body"].items()))
    (tmp_path / "x").write_text(json.dumps(document, indent=3), encoding="utf-8")
    assert machine_key.read_sealed(tmp_path / "x", KEY) == {"a": 1, "b": 2}


def test_every_single_bit_of_a_sealed_file_matters(tmp_path: Path) -> None:
    file, body = tmp_path / "x", {"at": "é"}
    machine_key.write_sealed(file, KEY, body)
    content = file.read_bytes()
    for n in range(len(content) * 8):
        flipped = bytearray(content)
        flipped[n // 8] ^= 1 << n % 8
        file.write_bytes(flipped)
        try:
            assert machine_key.read_sealed(file, KEY) == body  # white space, or a letter of an escape
        except BrokenSeal:
            continue
        assert json.loads(flipped) == json.loads(content)


def test_a_blurred_value_is_neither_the_value_nor_the_same_under_another_key() -> None:
    first, second = machine_key.blurred(KEY, "as-secret"), machine_key.blurred(bytes(32), "as-secret")
    assert "as-secret" not in first and first != second
    assert first == machine_key.blurred(KEY, "as-secret") != machine_key.blurred(KEY, "as-secreu")
