"""Keys, seals, remembered passes and receipts: sizes to a byte, reasons to a word."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from preflight.state import machine_key
from preflight.state.machine_key import BrokenSeal, KeyRefused
from preflight.state.receipt import Pass, Receipts, recall, remember
from tests.state.test_sources import put

KEY = bytes(range(32))
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

# --- the key and its seals -------------------------------------------------------------------------------------------


def test_the_keys_place_and_the_seals_form_are_those_of_earlier_versions(tmp_path: Path) -> None:
    assert machine_key.path_of(tmp_path) == tmp_path / "key" / "machine.key"
    body = {"b": [1, "é\ud800"], "a": None}
    machine_key.write_sealed(tmp_path / "x", KEY, body)
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    seal = hmac.new(KEY, b"sealed:" + canonical, hashlib.sha256).hexdigest()
    assert json.loads((tmp_path / "x").read_bytes()) == {"body": body, "seal": seal}
    assert machine_key.blurred(KEY, "é") == hmac.new(KEY, "value:é".encode(), hashlib.sha256).hexdigest()[:32]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"{", "not whole"),
        (b"[]", "not whole"),
        (b'{"body": {}}', "not whole"),
        (b'{"body": [], "seal": "x"}', "not whole"),
        (b'{"body": {}, "seal": 1}', "not whole"),
        (b'{"body": {}, "seal": "\\ud800"}', "its seal is not of this machine's key: it was edited, or made elsewhere"),
    ],
)
def test_why_a_seal_is_broken(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(BrokenSeal) as e:
        machine_key.read_sealed(tmp_path / "x", KEY)
    assert str(e.value) == why


def test_what_stands_in_a_sealed_files_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x"
    with pytest.raises(FileNotFoundError):
        machine_key.read_sealed(file, KEY)
    file.symlink_to("nowhere")
    with pytest.raises(BrokenSeal, match=r"^x is a link$"):
        machine_key.read_sealed(file, KEY)
    with pytest.raises(BrokenSeal, match=r"^can't be read: Not a directory$"):
        machine_key.read_sealed(put(tmp_path / "y") / "z", KEY)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(BrokenSeal, match=r"^x is no file$"):
        machine_key.read_sealed(file, KEY)
    file.unlink()
    machine_key.write_sealed(file, KEY, {})
    monkeypatch.setattr(machine_key, "LARGEST_BYTES", file.stat().st_size)
    assert machine_key.read_sealed(file, KEY) == {}
    monkeypatch.setattr(machine_key, "LARGEST_BYTES", file.stat().st_size - 1)
    with pytest.raises(BrokenSeal, match=r"^x has more than 0 MB$"):
        machine_key.read_sealed(file, KEY)


@pytest.mark.parametrize(("length", "shown"), [(31, 31), (33, 33), (40, 33), (0, 0)])
def test_a_key_of_another_length_is_refused(tmp_path: Path, length: int, shown: int) -> None:
    file = machine_key.path_of(tmp_path)
    machine_key.load_or_make(tmp_path)
    file.write_bytes(b"k" * length)
    with pytest.raises(KeyRefused) as e:
        machine_key.load_or_make(tmp_path)
    assert str(e.value) == f"{file} holds {shown} bytes, wanted 32; remove it, and the next pass makes one"


def test_the_other_reasons_for_refusing_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = machine_key.path_of(tmp_path)
    with pytest.raises(KeyRefused) as e:
        machine_key.load(tmp_path)
    assert str(e.value) == f"{file} can't be read: No such file or directory"
    key = machine_key.load_or_make(tmp_path)
    file.chmod(0o604)
    with pytest.raises(KeyRefused) as e:
        machine_key.load(tmp_path)
    assert str(e.value) == f"{file} can be read by others (mode 0604); remove it, and the next pass makes one"
    file.chmod(0o700)
    assert machine_key.load(tmp_path) == key
    theirs = "is not a file of this user; remove it, and the next pass makes a new one"
    monkeypatch.setattr(os, "getuid", lambda: file.stat().st_uid + 1)
    with pytest.raises(KeyRefused) as e:
        machine_key.load(tmp_path)
    assert str(e.value) == f"{file} {theirs}"


def test_a_key_that_another_made_meanwhile_is_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, real = machine_key.path_of(tmp_path), os.path.lexists
    first = machine_key.load_or_make(tmp_path)
    monkeypatch.setattr(os.path, "lexists", lambda path: False if Path(path) == file else real(path))
    assert machine_key.load_or_make(tmp_path) == first


# --- remembered passes and receipts ----------------------------------------------------------------------------------


def test_a_pass_is_recalled_for_its_own_question_alone(tmp_path: Path) -> None:
    given = Pass(check="smoke-test", fingerprint="f1", at=NOW, summary="it ran")
    remember(tmp_path, tmp_path / "p", given)
    assert recall(tmp_path, tmp_path / "p", "smoke-test", "f1") == given
    assert recall(tmp_path, tmp_path / "p", "smoke-test", "f2") is None
    assert recall(tmp_path, tmp_path / "q", "smoke-test", "f1") is None
    assert recall(tmp_path, tmp_path / "p", "gpu-probe", "f1") is None
    (file,) = tmp_path.rglob("smoke-test.json")
    body = json.loads(file.read_bytes())["body"]
    assert body == {
        "check": "smoke-test",
        "fingerprint": "f1",
        "at": "2026-11-20T12:00:00+00:00",
        "summary": "it ran",
        "schema": "preflight.pass/1",
        "project": str((tmp_path / "p").resolve()),
    }
    for change in ({"schema": "preflight.pass/2"}, {"at": 5}, {"project": "/other"}):
        machine_key.write_sealed(file, machine_key.load(tmp_path), body | change)
        assert recall(tmp_path, tmp_path / "p", "smoke-test", "f1") is None
    file.with_name("gpu-probe.json").write_bytes(file.read_bytes())
    assert recall(tmp_path, tmp_path / "p", "gpu-probe", "f1") is None


def test_a_receipts_files_are_its_apps_and_its_projects(tmp_path: Path) -> None:
    one, other = Receipts(tmp_path, tmp_path / "p", "a.py"), Receipts(tmp_path, tmp_path / "p", "b.py")
    digest = hashlib.sha256(b"a.py").hexdigest()[:16]
    assert (one.file.name, one.newest.name) == (f"gate-{digest}.json", f"gate-{digest}.newest.json")
    assert one.file != other.file and one.bound == {"project": str((tmp_path / "p").resolve()), "app": "a.py"}
