"""The file of the last pass: what is written is read, and nothing else is."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from preflight.model import Stage
from preflight.state.follow import Unreadable, Worked, keep, kept
from preflight.state.vector import Vector
from tests.state.conftest import NOW

APP = "deploy/modal/app.py"


def written(state: Path, project: Path, worked: Vector, stage: Stage = Stage.PAID) -> Path:
    keep(state, project, APP, Worked(NOW, stage, worked))
    return next(state.rglob(f"worked-*-{stage.value}.json"))


def test_what_was_kept_is_read_again(tmp_path: Path, worked: Vector) -> None:
    written(tmp_path, tmp_path / "p", worked)
    assert kept(tmp_path, tmp_path / "p", APP) == ([Worked(NOW, Stage.PAID, worked)], [])


def test_the_newest_stage_comes_first_and_a_static_pass_does_not_replace_a_paid_one(
    tmp_path: Path, worked: Vector
) -> None:
    written(tmp_path, tmp_path / "p", worked)
    later = Worked(NOW + timedelta(days=1), Stage.STATIC, {"files": {}})
    keep(tmp_path, tmp_path / "p", APP, later)
    good, bad = kept(tmp_path, tmp_path / "p", APP)
    assert ([w.stage for w in good], bad) == ([Stage.STATIC, Stage.PAID], [])


def test_it_is_its_owners_alone(tmp_path: Path, worked: Vector) -> None:
    assert written(tmp_path, tmp_path / "p", worked).stat().st_mode & 0o077 == 0


def test_another_project_or_app_has_its_own(tmp_path: Path, worked: Vector) -> None:
    written(tmp_path, tmp_path / "p", worked)
    assert kept(tmp_path, tmp_path / "q", APP) == ([], [])
    assert kept(tmp_path, tmp_path / "p", "other.py") == ([], [])


def test_where_nothing_was_kept_there_is_nothing_and_no_word(tmp_path: Path) -> None:
    assert kept(tmp_path / "none", tmp_path, APP) == ([], [])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b'"worked"',
        b"[" * 100_000,
        b'{"schema": "preflight.worked/0"}',
        b'{"schema": "preflight.worked/2", "facts": {"new": 1}}',
    ],
    ids=range(9),
)
def test_what_is_no_such_document_is_named_and_ignored(tmp_path: Path, worked: Vector, content: bytes) -> None:
    file = written(tmp_path, tmp_path / "p", worked)
    file.write_bytes(content)
    good, bad = kept(tmp_path, tmp_path / "p", APP)
    assert (good, [b.file for b in bad]) == ([], [file])
    assert bad[0].why


@pytest.mark.parametrize(
    "change",
    [
        {"app": "other.py"},
        {"stage": "static"},
        {"at": "yesterday"},
        {"at": "2026-11-20T10:00:00"},
        {"at": 5},
        {"facts": []},
        {"facts": {"pins": []}},
        {"facts": {"pins": {"torch": 2}}},
    ],
    ids=str,
)
def test_a_field_of_another_type_or_app_is_ignored(tmp_path: Path, worked: Vector, change: dict[str, object]) -> None:
    file = written(tmp_path, tmp_path / "p", worked)
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **change}), encoding="utf-8")
    good, bad = kept(tmp_path, tmp_path / "p", APP)
    assert (good, len(bad)) == ([], 1)


def test_a_folder_in_its_place_is_named(tmp_path: Path, worked: Vector) -> None:
    file = written(tmp_path, tmp_path / "p", worked)
    file.unlink()
    file.mkdir()
    good, (bad,) = kept(tmp_path, tmp_path / "p", APP)
    assert good == [] and isinstance(bad, Unreadable)
