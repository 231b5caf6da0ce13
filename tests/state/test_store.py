from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from preflight.store import write_whole


def test_a_file_is_its_owners_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "x"
    write_whole(file, b"one")
    write_whole(file, b"two")
    assert file.read_bytes() == b"two" and [p.name for p in file.parent.iterdir()] == ["x"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_first_stays_where_nothing_is_replaced(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        write_whole(tmp_path / "x", content, replaces=False)
    assert (tmp_path / "x").read_bytes() == b"one" and len([*tmp_path.iterdir()]) == 1


def test_what_can_not_be_written_leaves_the_old_content_and_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x"
    write_whole(file, b"one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, b"two")
    assert file.read_bytes() == b"one" and [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "x").symlink_to(tmp_path / "other")
    write_whole(tmp_path / "x", b"one")
    assert (tmp_path / "other").read_bytes() == b"other" and not (tmp_path / "x").is_symlink()
