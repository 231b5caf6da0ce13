"""Receipts that were not made by this machine for this project, or that a later run has made void: refused."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from preflight.state import machine_key
from preflight.state.receipt import Receipts, Refused
from tests.cli.gate.conftest import APP, World

State = Callable[[World], None]


def edited(change: Callable[[dict[str, Any]], object]) -> State:
    """The receipt's JSON with a change in it, and the seal as it was."""

    def edit(world: World) -> None:
        document = json.loads(world.receipts.file.read_text("utf-8"))
        change(document)
        world.receipts.file.write_text(json.dumps(document), encoding="utf-8")

    return edit


def content(change: Callable[[bytes], bytes]) -> State:
    def write(world: World) -> None:
        file = world.receipts.file
        file.write_bytes(change(file.read_bytes()))

    return write


def swap(document: dict[str, Any], one: str, other: str) -> None:
    body = document["body"]
    body[one], body[other] = body[other], body[one]


def other_key(world: World) -> None:
    world.key.write_bytes(secrets.token_bytes(32))


def of_another_project(world: World) -> None:
    """Rightly sealed by this machine, for another folder."""
    theirs = Receipts(world.receipts.state, world.top / "other", APP)
    held = world.receipts.read(datetime.now(UTC))
    assert held is not None
    theirs.keep(replace(held, run=theirs.begin(datetime.now(UTC))), datetime.now(UTC))
    for file, to in ((theirs.file, world.receipts.file), (theirs.newest, world.receipts.newest)):
        shutil.copy(file, to)


def of_another_app(world: World) -> None:
    theirs = Receipts(world.receipts.state, world.project, "other.py")
    held = world.receipts.read(datetime.now(UTC))
    assert held is not None
    theirs.keep(replace(held, run=theirs.begin(datetime.now(UTC))), datetime.now(UTC))
    shutil.copy(theirs.file, world.receipts.file)


def link_to_another(world: World) -> None:
    theirs = world.top / "theirs.json"
    world.receipts.file.rename(theirs)
    world.receipts.file.symlink_to(theirs)


def replayed_after_a_newer_run(world: World) -> None:
    old = world.receipts.file.read_bytes()
    world.receipts.begin(datetime.now(UTC))
    world.receipts.file.write_bytes(old)


def replayed_after_a_newer_pass(world: World) -> None:
    old = world.receipts.file.read_bytes()
    held = world.receipts.read(datetime.now(UTC))
    assert held is not None
    later = world.receipts.begin(datetime.now(UTC))
    world.receipts.keep(replace(held, run=later), datetime.now(UTC))
    world.receipts.file.write_bytes(old)


def pipe(world: World) -> None:
    world.receipts.file.unlink()
    os.mkfifo(world.receipts.file)


def folder(world: World) -> None:
    world.receipts.file.unlink()
    world.receipts.file.mkdir()


FORGED: dict[str, tuple[State, str]] = {
    "a status edited": (edited(lambda d: d["body"]["entries"][0].update(status="fail")), "it was edited"),
    "a file's digest edited": (edited(lambda d: d["body"]["local"].update({f"file {APP}": "0" * 64})), "it was edited"),
    "a time edited": (edited(lambda d: d["body"].update(at="2099-01-01T00:00:00+00:00")), "it was edited"),
    "fields swapped": (edited(lambda d: swap(d, "local", "cloud")), "it was edited"),
    "a field taken out": (edited(lambda d: d["body"].pop("local")), "it was edited"),
    "a field added": (edited(lambda d: d["body"].update(more=1)), "it was edited"),
    "no seal": (edited(lambda d: d.pop("seal")), "not whole"),
    "an empty seal": (edited(lambda d: d.update(seal="")), "it was edited"),
    "a seal that is no text": (edited(lambda d: d.update(seal=None)), "not whole"),
    "a seal of another alphabet": (edited(lambda d: d.update(seal="é" * 64)), "it was edited"),
    "another key": (other_key, "not of this machine's key"),
    "a key that others can read": (lambda w: w.key.chmod(0o644), "can be read by others (mode 0644)"),
    "a key cut short": (lambda w: w.key.write_bytes(b"short") and None, "holds 5 bytes, wanted 32"),
    "a key that is a link": (lambda w: (w.key.rename(w.top / "k"), w.key.symlink_to(w.top / "k"))[1], "can't be read"),
    "no key": (lambda w: w.key.unlink(), "can't be read"),
    "truncated": (content(lambda b: b[: len(b) // 2]), "not whole"),
    "empty": (content(lambda b: b""), "empty"),
    "bytes that are no text": (content(lambda b: bytes(range(256))), "not whole"),
    "another JSON document": (content(lambda b: b"[1, 2]"), "not whole"),
    "nested without end": (content(lambda b: b"[" * 200_000), "not whole"),
    "a link to the receipt": (link_to_another, "is a link"),
    "a pipe in its place": (pipe, "is no file"),
    "a folder in its place": (folder, "is no file"),
    "another project's": (of_another_project, "it is of project "),
    "another app's": (of_another_app, "it is of app 'other.py', wanted"),
    "an old one after a newer run": (replayed_after_a_newer_run, "has begun and has not passed"),
    "an old one after a newer pass": (replayed_after_a_newer_pass, "a later run, of "),
    "the newest run's record gone": (lambda w: w.receipts.newest.unlink(), "is gone"),
    "the newest run's record edited": (
        lambda w: w.receipts.newest.write_bytes(w.receipts.newest.read_bytes().replace(b"passed", b"posted")) and None,
        "it was edited",
    ),
    "the receipt as the newest run's record": (
        lambda w: shutil.copy(w.receipts.file, w.receipts.newest) and None,
        "the record of the newest run: it is of schema",
    ),
    "the newest run's record as the receipt": (
        lambda w: shutil.copy(w.receipts.newest, w.receipts.file) and None,
        "preflight.newest-run/1",
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_no_receipt_of_this_pass_is_refused(world: World, name: str) -> None:
    forge, words = FORGED[name]
    forge(world)
    ran = world.held("--offline")
    assert (ran.code, ran.out, world.ran.exists()) == (5, "", False), ran.err
    assert words in ran.err
    assert "next  preflight gate --renew" in ran.err


def test_the_key_is_apart_from_the_receipts_and_its_owners_alone(world: World) -> None:
    key = world.key.read_bytes()
    assert (len(key), world.key.stat().st_mode & 0o777) == (32, 0o600)
    assert world.key.parent.stat().st_mode & 0o777 == 0o700
    for file in world.receipts.file.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0
        assert key not in file.read_bytes() and key.hex() not in file.read_text("utf-8")


def test_a_newer_failure_takes_the_pass_away_and_an_old_receipt_put_back_is_refused(world: World) -> None:
    old = world.receipts.file.read_bytes()
    pyproject = world.project / "pyproject.toml"
    fine = pyproject.read_text("utf-8")
    pyproject.write_text(fine.replace("python -m compileall -q src deploy", "false"), encoding="utf-8")
    failed = world.preflight("run", "--only", "project-lint")
    assert failed.code == 1
    pyproject.write_text(fine, encoding="utf-8")
    assert not world.receipts.file.exists()
    world.receipts.file.write_bytes(old)
    ran = world.held("--offline")
    assert (ran.code, world.ran.exists()) == (5, False)
    assert "found that project-lint fails" in ran.err


def test_a_failed_renewal_leaves_no_pass_and_the_next_gate_looks_again(world: World) -> None:
    pyproject = world.project / "pyproject.toml"
    fine = pyproject.read_text("utf-8")
    pyproject.write_text(fine.replace("python -m compileall -q src deploy", "false"), encoding="utf-8")
    failed = world.gate("--renew", "-o", "json=failed.json")
    assert json.loads((world.project / "failed.json").read_text("utf-8"))["command_started"] is False
    assert (failed.code, world.ran.exists(), world.receipts.file.exists()) == (5, False, False)
    assert "`false` ended with exit code 1" in failed.err
    assert "REFUSED: the checklist did not pass" in failed.err
    pyproject.write_text(fine, encoding="utf-8")
    again = world.gate()
    assert (again.code, world.ran.exists(), world.receipts.file.exists()) == (0, True, True), again.err


def test_a_copied_project_has_no_pass(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.project, tmp_path / "copy", symlinks=True)
    ran = world.held("--offline", str(tmp_path / "copy" / APP))
    assert (ran.code, world.ran.exists()) == (5, False)
    assert "a pass  is not there, and --offline asks nobody for one" in ran.err


def test_a_pass_is_not_kept_when_another_run_has_begun_since(world: World) -> None:
    held = world.receipts.read(datetime.now(UTC))
    assert held is not None
    world.receipts.begin(datetime.now(UTC))
    with pytest.raises(Refused, match="another run has begun since"):
        world.receipts.keep(held, datetime.now(UTC))


def test_a_receipt_of_our_own_seal_with_missing_fields_is_refused_and_no_crash(world: World) -> None:
    key = machine_key.load(world.receipts.state)
    body = machine_key.read_sealed(world.receipts.file, key)
    for name in ("entries", "watched", "at", "local"):
        machine_key.write_sealed(world.receipts.file, key, {k: v for k, v in body.items() if k != name})
        with pytest.raises(Refused):
            world.receipts.read(datetime.now(UTC))
