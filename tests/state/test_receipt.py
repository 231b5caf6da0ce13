"""Receipts by themselves: what is kept is read, and only while no later run has begun and no clock was set back."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from preflight.model import Stage
from preflight.state import machine_key
from preflight.state.receipt import SLACK, Entry, Pass, Receipt, Receipts, Refused, recall, remember
from preflight.state.sources import Watched

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENTRY = Entry(id="AA001", name="one", stage=Stage.PAID, status="pass", at=NOW)
SECOND = timedelta(seconds=1)


@pytest.fixture
def receipts(tmp_path: Path) -> Receipts:
    return Receipts(tmp_path / "state", tmp_path / "project", "deploy/app\udcff.py")


def passed(receipts: Receipts, now: datetime = NOW) -> Receipt:
    receipt = Receipt(
        run=receipts.begin(now),
        at=now,
        entries=(ENTRY,),
        local={"file a": "x 644"},
        cloud={"workspace": "mine"},
        watched=Watched(paths=("/a\udcff",), variables=("GPU",)),
        outputs=("report.json",),
    )
    receipts.keep(receipt, now)
    return receipt


def test_what_was_kept_is_read_as_it_was(receipts: Receipts) -> None:
    assert receipts.read(NOW) is None
    kept = passed(receipts)
    assert receipts.read(NOW) == kept == receipts.read(NOW + SECOND)


def test_a_run_that_has_begun_leaves_no_receipt_and_one_that_failed_makes_an_old_one_worthless(
    receipts: Receipts,
) -> None:
    passed(receipts)
    old = receipts.file.read_bytes()
    receipts.begin(NOW + SECOND)
    assert receipts.read(NOW + SECOND) is None
    receipts.file.write_bytes(old)
    with pytest.raises(Refused, match="a later run, of 2026-11-20 12:00 UTC, has begun and has not passed"):
        receipts.read(NOW + SECOND)


def test_a_pass_is_made_void_by_name_and_only_where_there_is_one(receipts: Receipts) -> None:
    receipts.void(NOW, "nothing")
    assert not receipts.newest.exists()
    passed(receipts)
    old = receipts.file.read_bytes()
    receipts.void(NOW, "found that project-lint fails")
    assert not receipts.file.exists()
    receipts.file.write_bytes(old)
    with pytest.raises(Refused, match="found that project-lint fails"):
        receipts.read(NOW)


def test_a_clock_that_was_set_back_is_refused_beyond_the_slack(receipts: Receipts) -> None:
    passed(receipts)
    assert receipts.read(NOW - SLACK) is not None
    passed(receipts)
    with pytest.raises(Refused, match="it was set back"):
        receipts.read(NOW - SLACK - SECOND)
    passed(receipts)
    receipts.read(NOW + timedelta(hours=1))
    with pytest.raises(Refused, match="looked at on 2026-11-20 13:00"):
        receipts.read(NOW)


def test_one_of_an_older_run_is_not_kept(receipts: Receipts) -> None:
    first = passed(receipts)
    receipts.begin(NOW)
    with pytest.raises(Refused, match="another run has begun since: it has begun and has not passed"):
        receipts.keep(first, NOW)
    receipts.newest.unlink()
    with pytest.raises(Refused, match="is gone"):
        receipts.keep(first, NOW)


@pytest.mark.parametrize(
    "change", [{"at": "2026-11-20T12:00:00"}, {"at": 5}, {"entries": [{}]}, {"local": {"a": 1}}, {"run": None}], ids=str
)
def test_rightly_sealed_and_of_another_form_it_is_refused(receipts: Receipts, change: dict[str, object]) -> None:
    passed(receipts)
    key = machine_key.load(receipts.state)
    machine_key.write_sealed(receipts.file, key, machine_key.read_sealed(receipts.file, key) | change)
    with pytest.raises(Refused, match="not whole"):
        receipts.read(NOW)


def test_another_schema_project_or_app_is_refused_by_name(receipts: Receipts, tmp_path: Path) -> None:
    passed(receipts)
    key = machine_key.load(receipts.state)
    body = machine_key.read_sealed(receipts.file, key)
    for field in ("schema", "project", "app"):
        machine_key.write_sealed(receipts.file, key, body | {field: "other"})
        with pytest.raises(Refused, match=f"it is of {field} 'other'"):
            receipts.read(NOW)


def test_a_state_folder_that_can_not_be_written_makes_no_receipt_less_true(
    receipts: Receipts, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = passed(receipts)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(machine_key, "write_sealed", full)
    assert receipts.read(NOW) == kept


def test_a_key_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine_key.load_or_make(tmp_path)
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(machine_key.KeyRefused, match="not a file of this user"):
        machine_key.load(tmp_path)


def test_a_sealed_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine_key.write_sealed(tmp_path / "x", bytes(32), {"a": "b" * 100})
    size = (tmp_path / "x").stat().st_size
    monkeypatch.setattr(machine_key, "LARGEST_BYTES", size)
    assert machine_key.read_sealed(tmp_path / "x", bytes(32)) == {"a": "b" * 100}
    monkeypatch.setattr(machine_key, "LARGEST_BYTES", size - 1)
    with pytest.raises(machine_key.BrokenSeal, match="more than"):
        machine_key.read_sealed(tmp_path / "x", bytes(32))


def test_a_paid_pass_is_remembered_for_its_fingerprint_project_and_check_alone(tmp_path: Path) -> None:
    given = Pass("PRJ002", "f" * 64, NOW, "it passed")
    assert recall(tmp_path, tmp_path / "p", "PRJ002", "f" * 64) is None
    remember(tmp_path, tmp_path / "p", given)
    assert recall(tmp_path, tmp_path / "p", "PRJ002", "f" * 64) == given
    assert recall(tmp_path, tmp_path / "p", "PRJ002", "e" * 64) is None
    assert recall(tmp_path, tmp_path / "q", "PRJ002", "f" * 64) is None
    assert recall(tmp_path, tmp_path / "p", "GPU001", "f" * 64) is None
    remember(tmp_path, tmp_path / "p", replace(given, fingerprint="e" * 64))
    assert recall(tmp_path, tmp_path / "p", "PRJ002", "f" * 64) is None


def test_a_pass_that_was_edited_or_moved_is_none(tmp_path: Path) -> None:
    remember(tmp_path, tmp_path / "p", Pass("PRJ002", "f" * 64, NOW, "it passed"))
    (file,) = (p for p in tmp_path.rglob("*.json"))
    text = file.read_text("utf-8")
    file.write_text(text.replace("it passed", "it failed"), encoding="utf-8")
    assert recall(tmp_path, tmp_path / "p", "PRJ002", "f" * 64) is None
    file.write_text(text, encoding="utf-8")
    file.rename(file.with_name("GPU001.json"))
    assert recall(tmp_path, tmp_path / "p", "GPU001", "f" * 64) is None
