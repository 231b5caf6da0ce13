"""After a run: a pass is kept, a failure is compared with the last pass, and nothing else is written or said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from preflight.changes import Change, Changed
from preflight.lookups import Looked, Lookup, LookupFailed, World
from preflight.model import Report, Stage, Status
from preflight.remote.lookups import LISTED_SECRETS, RESOLVED_BUILDER, WORKSPACE
from preflight.remote.modal_types import ListedSecret, Workspace
from preflight.settings import Settings
from preflight.state import follow
from preflight.state.follow import Unreadable, Worked, followed, keep, kept
from tests.state.conftest import NOW, report, result

MADE = datetime(2026, 10, 1, tzinfo=UTC)
SECRET = ListedSecret(name="wandb", created=MADE, created_by="alice")
PASSED = report(result("MOD002", "image-builder", "2025.06", status=Status.PASS))
FAILED = report(result("MOD002", "image-builder", "the Image Builder is 2024.10"))
CLARITY = Workspace(name="clarity", warnings=())


@pytest.fixture
def world(tmp_path: Path) -> World:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("import modal\n", encoding="utf-8")
    return World(NOW, Settings(project=project, app="app.py", state=tmp_path / "state"))


def after(world: World, told: Report, found: Mapping[Lookup[Any], object], stage: Stage = Stage.PAID) -> Report:
    return asyncio.run(followed(told, world, found, stage, lambda text: text.replace("clarity", "[here]")))


def all_kept(world: World) -> tuple[list[Worked], list[Unreadable]]:
    assert world.settings.state is not None and world.settings.app is not None
    return kept(world.settings.state, world.settings.project, world.settings.app)


def test_a_pass_is_kept_and_a_failure_is_told_by_what_differs(world: World) -> None:
    assert after(world, PASSED, {RESOLVED_BUILDER: "2025.06"}) is PASSED
    ((passed,), bad) = all_kept(world)
    assert (passed.at, passed.stage, bad) == (NOW, Stage.PAID, [])
    assert passed.facts["builder"] == {"Image Builder": "2025.06"} and "app.py" in passed.facts["files"]
    found = after(world, replace(FAILED, started=NOW + timedelta(days=1)), {RESOLVED_BUILDER: "2024.10"})
    change = Change(group="builder", name="Image Builder", before="2025.06", after="2024.10")
    assert found.changed == Changed(since=NOW, changes=(change,), note="")
    assert all_kept(world) == ([passed], [])


def test_what_is_kept_has_passed_the_redactor(world: World) -> None:
    after(world, PASSED, {WORKSPACE: CLARITY, LISTED_SECRETS: ()})
    assert all_kept(world)[0][0].facts["account"] == {"workspace": "[here]"}


def test_without_a_pass_a_failure_is_as_it_was(world: World) -> None:
    assert after(world, FAILED, {}) is FAILED
    assert all_kept(world) == ([], [])


@pytest.mark.parametrize("without", [{"state": None}, {"app": None}])
def test_nothing_is_kept_without_a_state_folder_or_an_app(world: World, without: dict[str, None]) -> None:
    bare = replace(world, settings=replace(world.settings, **without))
    assert after(bare, PASSED, {}) is PASSED
    assert all_kept(world) == ([], [])


def test_an_interrupted_run_is_neither_kept_nor_compared(world: World) -> None:
    after(world, PASSED, {RESOLVED_BUILDER: "2025.06"})
    cut = replace(FAILED, is_interrupted=True)
    assert after(world, cut, {RESOLVED_BUILDER: "2024.10"}) is cut


def test_each_group_is_that_of_the_newest_pass_that_looked_at_it(world: World) -> None:
    state, project = world.settings.state, world.settings.project
    assert state is not None
    keep(state, project, "app.py", Worked(NOW, Stage.PAID, {"builder": {"b": "paid"}, "gpu": {"g": "paid"}}))
    keep(state, project, "app.py", Worked(NOW + timedelta(hours=1), Stage.STATIC, {"builder": {"b": "static"}}))
    merged = follow._merged(all_kept(world)[0])
    assert merged == {"builder": {"b": "static"}, "gpu": {"g": "paid"}}
    found = after(world, FAILED, {})
    assert found.changed is not None and found.changed.since == NOW + timedelta(hours=1)


def test_a_file_that_can_not_be_used_is_noted_with_and_without_another(world: World) -> None:
    after(world, PASSED, {RESOLVED_BUILDER: "2025.06"}, Stage.STATIC)
    (file,) = world.settings.state.rglob("worked-*-static.json")  # type: ignore[union-attr]
    file.write_text("{", encoding="utf-8")
    note = f"{file.parent.name}/{file.name} is ignored: it is no preflight.worked/1: Input data was truncated"
    assert after(world, FAILED, {}).changed == Changed(note=note)
    after(world, PASSED, {RESOLVED_BUILDER: "2025.06"}, Stage.REMOTE)
    found = after(world, FAILED, {RESOLVED_BUILDER: "2025.06"}).changed
    assert found == Changed(since=NOW, note=note)


def test_each_reason_for_leaving_a_file_aside_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    after(world, PASSED, {}, Stage.PAID)
    (file,) = world.settings.state.rglob("worked-*-paid.json")  # type: ignore[union-attr]
    other = file.with_name(file.name.replace("paid", "static"))
    other.write_bytes(file.read_bytes())
    assert all_kept(world)[1] == [Unreadable(other, "it is no preflight.worked/1 of this app")]
    other.unlink()
    monkeypatch.setattr(follow, "MOST_BYTES", file.stat().st_size)
    assert all_kept(world)[1] == []
    monkeypatch.setattr(follow, "MOST_BYTES", file.stat().st_size - 1)
    assert all_kept(world) == ([], [Unreadable(file, "it is larger than this ever writes")])
    file.unlink()
    file.symlink_to(file.name)
    assert all_kept(world)[1] == [Unreadable(file, "Too many levels of symbolic links")]


def test_a_name_that_is_no_text_has_its_own_file(world: World) -> None:
    state, project = world.settings.state, world.settings.project
    assert state is not None
    for name in ("a\udcff.py", "a\udcfe.py", "é.py"):
        keep(state, project, name, Worked(NOW, Stage.PAID, {"files": {"of": ascii(name)}}))
    for name in ("a\udcff.py", "a\udcfe.py", "é.py"):
        assert [w.facts["files"]["of"] for w in kept(state, project, name)[0]] == [ascii(name)]


# --- when the secrets were made ----------------------------------------------------------------------------------


def with_secrets(world: World, found: Mapping[Lookup[Any], object], answer: object, slow_s: float = 0) -> object:
    """``answer`` stands in for Modal's list."""

    @asynccontextmanager
    async def listed(looked: Looked) -> AsyncIterator[object]:
        await asyncio.sleep(slow_s)
        if isinstance(answer, Exception):
            raise answer
        yield answer

    stand_in = replace(world, instead={LISTED_SECRETS: Lookup("the secrets", listed)})
    return asyncio.run(follow._with_secrets(stand_in, found))


def test_the_secrets_are_asked_once_and_only_where_modal_has_answered(world: World) -> None:
    found: dict[Lookup[Any], object] = {WORKSPACE: CLARITY}
    assert with_secrets(world, found, (SECRET,)) == {WORKSPACE: CLARITY, LISTED_SECRETS: (SECRET,)}
    assert with_secrets(world, {}, (SECRET,)) == {}
    known: dict[Lookup[Any], object] = {WORKSPACE: CLARITY, LISTED_SECRETS: ()}
    assert with_secrets(world, known, (SECRET,)) is known


def test_secrets_that_can_not_be_had_cost_their_group_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[Lookup[Any], object] = {WORKSPACE: CLARITY}
    assert with_secrets(world, found, LookupFailed(LISTED_SECRETS, "refused")) is found
    monkeypatch.setattr(follow, "LONGEST_S", 0.01)
    assert with_secrets(world, found, (SECRET,), slow_s=5) is found
