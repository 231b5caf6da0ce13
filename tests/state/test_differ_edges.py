"""What differs, in its order to the last row, and the facts of this machine."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from preflight.changes import Change, Group
from preflight.model import Status
from preflight.settings import BudgetSettings, Settings
from preflight.state import differ, machine_key, vector
from preflight.state.differ import changes
from preflight.state.sources import Watched
from tests.state.conftest import report, result
from tests.state.test_sources import put

KEY = bytes(range(32))

# --- what differs ----------------------------------------------------------------------------------------------------


def change(group: Group, name: str, before: str | None = "a", after: str | None = "b") -> Change:
    return Change(group=group, name=name, before=before, after=after)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (change(Group.FILES, "src/Train_Model.py", "aaa", "bbb"), {"src", "trainmodel.py"}),
        (change(Group.PINS, "torch (image)", "==2.2", "==2.3"), {"torch"}),
        (change(Group.STEPS, "image, step 3", ".run pip one", ".run pip two"), {"one", "two"}),
        (change(Group.STEPS, "image, step 3", None, ".run pip"), {"pip"}),
        (change(Group.STEPS, "image, step 3", ".run pip", None), {"pip"}),
        (change(Group.FUNCTIONS, "train gpu", "A100-80GB", "B200"), {"train", "a10080gb", "b200"}),
        (change(Group.ACCOUNT, "budget", None, "none 100 1000"), {"budget"}),
        (change(Group.BUILDER, "Image Builder", "2024.10", None), {"builder", "2024.10"}),
        (change(Group.SECRETS, "wandb", "made xxx", "made yyy"), {"wandb"}),
    ],
)
def test_the_words_that_name_a_change(given: Change, words: set[str]) -> None:
    assert differ._names(given) == words


def scored(given: Change, *names: str, status: Status = Status.FAIL) -> float:
    causes = [result("MOD002", "image-builder", " ".join(names), status=status)]
    return differ._score(given, causes, [differ._words(r) for r in causes])


def test_a_change_that_is_named_counts_more_than_one_whose_place_is_looked_at() -> None:
    order = len(Group)
    secret, account = change(Group.SECRETS, "wandb key"), change(Group.ACCOUNT, "budget")
    tie = {g: (order - tuple(Group).index(g)) / order for g in (Group.SECRETS, Group.ACCOUNT)}
    assert scored(secret, "nothing") == tie[Group.SECRETS]
    assert scored(secret, "wandb") == 105 + tie[Group.SECRETS]
    assert scored(secret, "wandb", "key") == 110 + tie[Group.SECRETS]
    assert scored(secret, "wandb", status=Status.WARN) == 52.5 + tie[Group.SECRETS]
    assert scored(secret, "wandb", status=Status.ERROR) == 105 + tie[Group.SECRETS]
    assert scored(account, "nothing") == 40 + tie[Group.ACCOUNT]
    assert scored(change(Group.SETTINGS, "zzz"), "nothing") > 36
    assert scored(change(Group.FUNCTIONS, "zzz"), "nothing") > 32
    assert differ._score(secret, [], []) == tie[Group.SECRETS]


def test_steps_that_are_taken_away_moved_or_written_anew() -> None:
    old, new = "\n".join("abcdef"), "\n".join("abXYf")
    found = changes({"image steps": {"i": old}}, {"image steps": {"i": new}}, report())
    assert found == (change(Group.STEPS, "i, step 3", "c ; d ; e", "X ; Y"),)
    gone = changes({"image steps": {"i": "a\nb\nc"}}, {"image steps": {"i": "b"}}, report())
    assert [(c.name, c.before, c.after) for c in gone] == [("i, step 1", "a", None), ("i, step 2", "c", None)]
    many = "\n".join("x" for _ in range(300))
    assert len(changes({"image steps": {"i": many}}, {"image steps": {"i": many + "\ny"}}, report())) == 1
    assert changes({"image steps": {"i": "a\nb"}}, {"image steps": {}}, report())[0].after is None


@pytest.mark.parametrize(
    ("name", "beside", "is_last"),
    [
        ("uv.lock", ("pins", "torch (uv.lock)"), True),
        ("uv.lock", ("pins", "torch (image)"), False),
        ("pyproject.toml", ("settings", "budget.hours"), True),
        ("pyproject.toml", ("rates", "cpu"), False),
        ("deploy/modal/app.py", ("functions", "train gpu"), True),
        ("deploy/modal/app.py", ("image steps", "image"), True),
        ("deploy/modal/app.py", ("rates", "cpu"), False),
    ],
)
def test_a_file_that_another_fact_tells_better_comes_last(name: str, beside: tuple[str, str], is_last: bool) -> None:
    group, fact = beside
    before = {"files": {name: "a 644"}, group: {fact: "1"}}
    now = {"files": {name: "b 644"}, group: {fact: "2"}}
    failed = report(result("PRJ001", "project-lint", f"{name} is wrong"))
    assert (changes(before, now, failed)[-1].name == name) is is_last


# --- the facts of this machine ---------------------------------------------------------------------------------------


def test_the_facts_of_a_machine_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GPU", "T4")
    monkeypatch.setenv("TERM", "xterm")
    config = put(tmp_path / "modal.toml", '[one]\ntoken_id = "ak-1"\nactive = true\n[two]\ntoken_id = "ak-2"\n')
    monkeypatch.setenv("MODAL_CONFIG_PATH", str(config))
    project = tmp_path / "p"
    put(project / "app.py")
    settings = Settings(project=project, app="app.py", environ={"PATH": "/p"}, budget=BudgetSettings(epochs=3))
    found = vector.of_machine(settings, Watched(), KEY, left_out=("b", "a"), fail_on="warn")
    assert set(found) == {"versions", "client", "variables", "settings", "files"}
    versions = found["versions"]
    assert {k: versions[k] for k in ("left out", "--fail-on", "working folder", "modal command")} == {
        "left out": "a, b",
        "--fail-on": "warn",
        "working folder": str(tmp_path),
        "modal command": "not on the PATH",
    }
    assert len(versions["probe"]) == 16 and set(versions) >= {"preflight", "fact tables", "plugins", "Python"}
    blur = machine_key.blurred
    assert found["client"] == {
        "Modal profile": "one",
        "Modal profile active": blur(KEY, "True"),
        "Modal profile token_id": blur(KEY, "'ak-1'"),
    }
    assert found["variables"] == {"GPU": blur(KEY, "T4"), "MODAL_CONFIG_PATH": blur(KEY, str(config))}
    assert found["settings"]["budget.epochs"] == "3" and "spend_max" not in found["settings"]
    assert list(found["files"]) == ["app.py"]
    nothing = vector.of_machine(settings, Watched(), KEY, left_out=(), fail_on="fail")
    assert nothing["versions"]["left out"] == "nothing"


@pytest.mark.parametrize(
    ("text", "environ", "profile"),
    [
        ("[one]\na = 1\n[two]\nactive = true\n", {}, "two"),
        ("[one]\na = 1\n[two]\nb = 2\n", {}, "default"),
        ("[one]\na = 1\n", {}, "one"),
        ("[one]\na = 1\n[two]\nb = 2\n", {"MODAL_PROFILE": "one"}, "one"),
        ("x = 1\n[one]\na = 1\n", {"MODAL_PROFILE": "gone"}, "gone"),
        (None, {}, "no file"),
        ("[", {}, "unreadable " + machine_key.blurred(KEY, "5b")),
    ],
)
def test_the_profile_in_use(tmp_path: Path, text: str | None, environ: dict[str, str], profile: str) -> None:
    file = tmp_path / "modal.toml"
    if text is not None:
        put(file, text)
    rows = dict(vector._profile({"MODAL_CONFIG_PATH": str(file), **environ}, KEY))
    assert rows.pop("Modal profile") == profile
    assert rows == ({"Modal profile a": machine_key.blurred(KEY, "1")} if profile == "one" else rows)
    assert profile in ("one", "two") or rows == {}


def test_every_fact_has_one_name_and_every_setting_one_row(tmp_path: Path) -> None:
    groups = {
        "files": "file ",
        "variables": "variable ",
        "settings": "setting ",
        "secrets": "secret ",
        "rates": "rate ",
    }
    rows = {group: {"x": noun} for group, noun in groups.items()} | {"gpu": {"y": ""}}
    assert vector.flat(rows) == {**{f"{noun}x": noun for noun in groups.values()}, "y": ""}
    settings = Settings(project=tmp_path, budget=BudgetSettings(epochs=3), watch=("w",), outputs=("o",))
    every, fewer = vector.settings_rows(settings), vector.settings_rows(settings, besides=vector.NO_MATTER)
    assert every["budget.epochs"] == "3" and every["watch"] == "('w',)"
    assert set(every) - set(fewer) == {"watch", "outputs", "spend_max", "record"}
    assert "project" not in every and "budget.hours" not in every and "environ" not in every


def test_the_fingerprint_tells_every_part_apart(tmp_path: Path) -> None:
    def print_of(facts: dict[str, str | None], **given: object) -> str:
        settings = replace(Settings(project=tmp_path, environ={"A": "1"}), **given)  # type: ignore[arg-type]
        return vector.fingerprint(settings, facts=facts, watched=Watched())

    put(tmp_path / "a.py")
    whole = print_of({"a": "bc"})
    assert whole == print_of({"a": "bc"}) and len(whole) == 64
    others = [{"ab": "c"}, {"a": "bd"}, {"a": None}, {}, {"a": "bc", "d": "e"}]
    assert len({whole, *map(print_of, others)}) == 6
    assert print_of({"a": "bc"}, environ={"A": "2"}) != whole != print_of({"a": "bc"}, budget=BudgetSettings(epochs=1))
    assert print_of({"x": "1", "y": "2"}) == print_of({"y": "2", "x": "1"})
    assert print_of({"a": "bc"}, record=True) == whole
