"""Scenarios are data: what is shipped loads, and what is wrong in one is refused by file, key and want."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from preflight.sandbox import serve, state
from preflight.sandbox.typed_toml import WrongTable

World = Callable[[str], Path]
NEEDED = {
    "healthy", "no-token", "bad-token", "expiring-token", "legacy-builder", "env-override-builder",
    "missing-secret", "missing-secret-key", "no-bucket", "empty-prefix", "denied-bucket", "wrong-region",
    "budget-too-small", "spend-limit-reached", "stale-apps", "lint-fails", "smoke-fails", "modal-unreachable",
    "modal-hangs", "modal-slow", "rpc-unimplemented", "old-client", "gpu-fallback",
}  # fmt: skip
CHECKS = {
    "image-builder", "modal-auth", "s3-secret", "s3-bucket", "credits", "project-lint", "smoke-test",
    "stale-apps", "gpu-probe", "client-version", "volume", "s3-bucket-inside",
}  # fmt: skip


def test_every_world_that_the_checklist_needs_is_shipped_healthy_first() -> None:
    assert set(state.names()) >= NEEDED
    assert state.names()[0] == "healthy"


@pytest.mark.parametrize("name", state.names())
def test_a_shipped_scenario_loads_and_says_what_to_expect(name: str) -> None:
    scenario = state.load(name)
    assert scenario.title
    assert scenario.wrong
    assert scenario.expect is not None
    assert scenario.expect.checks
    assert set(scenario.expect.checks) <= CHECKS


@pytest.mark.parametrize("name", [n for n in state.names() if n != "healthy"])
def test_a_shipped_scenario_differs_from_the_healthy_one_in_more_than_its_words(name: str) -> None:
    words = {"title": "", "wrong": "", "origin": "", "expect": None}
    assert dataclasses.replace(state.load(name), **words) != dataclasses.replace(state.load("healthy"), **words)


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("[token]\nexpires = 3", r"token\.expires: wanted one of id, secret, name, expires-in-days, given"),
        ("[token]\ngiven = 'maybe'", r"token\.given: wanted one of right, wrong, none, found 'maybe'"),
        ("permissive = 'yes'", "permissive: wanted true or false, found 'yes'"),
        ("volumes = 'one'", "volumes: wanted a list of text, found 'one'"),
        ("volumes = ['a', 1]", r"volumes\[1\]: wanted text, found 1"),
        ("[[apps]]\nage-hours = 3", r"apps\[0\]\.description: wanted text, found nothing"),
        ("[server.delays]\nAppList = true", r"server\.delays\.AppList: wanted a number, found True"),
        ("[environments.dev]\ndefault = false", "environments: wanted exactly one with default = true"),
        ("[expect]\nexit = 0\nchecks = {volume = 'green'}", r"expect\.checks\.volume: wanted one of blocked"),
        ("[expect]\nchecks = {}", r"expect\.exit: wanted a whole number, found nothing"),
        ("[server", "the file: wanted TOML"),
    ],
)
def test_what_is_wrong_in_a_scenario_is_refused_with_the_file_the_key_and_what_was_wanted(
    world: World, toml: str, says: str
) -> None:
    path = world(toml)
    with pytest.raises(WrongTable, match=says) as refused:
        state.load(path)
    assert str(path) in str(refused.value)


def test_a_whole_number_is_taken_where_a_float_is_wanted(world: World) -> None:
    assert state.load(world("[token]\nexpires-in-days = 3")).token.expires_in_days == 3.0


def test_an_unknown_scenario_names_the_shipped_ones() -> None:
    with pytest.raises(state.ScenarioNotFound, match="no scenario 'nope': name one of healthy, bad-token"):
        state.load("nope")


def test_a_scenario_can_not_be_changed_after_it_was_read() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.load("healthy").token.id = "other"  # type: ignore[misc]


def test_lint_fails_breaks_the_copy_and_not_the_example() -> None:
    model = Path("src/seizure/model.py")
    with serve.start("lint-fails") as sandbox, pytest.raises(SyntaxError):
        ast.parse((sandbox.project / model).read_text())
    ast.parse((serve.EXAMPLE / model).read_text())


def test_a_scenario_may_add_a_file_to_its_copy_of_the_example(world: World) -> None:
    with serve.start(world("[project.files]\n'notes/a.txt' = 'hello'")) as sandbox:
        assert (sandbox.project / "notes" / "a.txt").read_text() == "hello"
    assert not (serve.EXAMPLE / "notes").exists()


def test_an_edit_that_finds_nothing_to_change_is_an_error(world: World) -> None:
    edit = "[[project.edits]]\npath = 'pyproject.toml'\nold = 'no such line'\nnew = ''"
    with pytest.raises(serve.SandboxFailed, match="holds no 'no such line'"), serve.start(world(edit)):
        pytest.fail("it started")


def test_the_environment_of_the_host_is_replaced_and_not_mixed_in(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    monkeypatch.setenv("MODAL_PROFILE", "work")
    monkeypatch.setenv("MODAL_SOMETHING_NEW", "1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "host")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    with serve.start(world("[token]\ngiven = 'none'")) as sandbox:
        pass
    applied = sandbox.applied(
        {"MODAL_PROFILE": "work", "MODAL_SOMETHING_NEW": "1", "AWS_SESSION_TOKEN": "host", "PATH": "/bin"}
    )
    assert {"MODAL_PROFILE", "MODAL_SOMETHING_NEW", "AWS_SESSION_TOKEN", "MODAL_TOKEN_ID"} <= sandbox.removed
    assert not applied.keys() & {
        "MODAL_PROFILE",
        "MODAL_SOMETHING_NEW",
        "AWS_SESSION_TOKEN",
        "MODAL_TOKEN_ID",
    }
    assert applied["AWS_REGION"] == "us-east-1"
    assert applied["PATH"] == "/bin"
    assert not sandbox.removed & sandbox.environ.keys()


def test_a_variable_that_the_scenario_sets_is_set_and_not_removed() -> None:
    with serve.start("env-override-builder") as sandbox:
        assert sandbox.environ["MODAL_IMAGE_BUILDER_VERSION"] == "2024.10"
        assert "MODAL_IMAGE_BUILDER_VERSION" not in sandbox.removed
