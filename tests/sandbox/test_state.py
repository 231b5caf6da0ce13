"""Scenarios are data: what is shipped loads, and what is wrong in one is refused by file, key and want."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from preflight.sandbox import serve, worlds
from preflight.toml_rows import WrongRow
from tests.sandbox.conftest import without_s3

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
    assert set(worlds.names()) >= NEEDED
    assert worlds.names()[0] == "healthy"


@pytest.mark.parametrize("name", worlds.names())
def test_a_shipped_scenario_loads_and_says_what_to_expect(name: str) -> None:
    scenario = worlds.load(name)
    assert scenario.title
    assert scenario.wrong
    assert scenario.expect is not None
    assert scenario.expect.checks
    assert set(scenario.expect.checks) <= CHECKS


@pytest.mark.parametrize("name", [n for n in worlds.names() if n != "healthy"])
def test_a_shipped_scenario_differs_from_the_healthy_one_in_more_than_its_words(name: str) -> None:
    words = {"title": "", "wrong": "", "origin": "", "expect": None}
    assert replace(worlds.load(name), **words) != replace(worlds.load("healthy"), **words)


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        (
            "[token]\nexpires = 3",
            r"token: .*unknown field `expires`; wanted one of id, secret, name, expires-in-days, given",
        ),
        ("[token]\ngiven = 'maybe'", r"token\.given: .*'maybe'; wanted one of right, wrong, none"),
        ("unknown = 1", r"the top level: .*unknown field `unknown`; wanted one of title, wrong"),
        ("permissive = 'yes'", "permissive: Expected `bool`, got `str`"),
        ("volumes = 'one'", "volumes: Expected `array`, got `str`"),
        ("volumes = ['a', 1]", r"volumes\[1\]: Expected `str`, got `int`"),
        ("[[apps]]\nage-hours = 3", r"apps\[0\]: .*missing required field `description`"),
        ("[server.delays]\nAppList = true", r"server\.delays.*: Expected `float`, got `bool`"),
        ("[environments.dev]\ndefault = false", "environments: wanted exactly one with default = true"),
        ("[expect]\nexit = 0\nchecks = {volume = 'green'}", r"expect\.checks.*'green'; wanted one of pass, warn, fail"),
        ("[expect]\nchecks = {}", r"expect: .*missing required field `exit`"),
        ("[server", "not TOML"),
    ],
)
def test_what_is_wrong_in_a_scenario_is_refused_with_the_file_the_key_and_what_was_wanted(
    world: World, toml: str, says: str
) -> None:
    path = world(toml)
    with pytest.raises(WrongRow, match=says) as refused:
        worlds.load(path)
    assert str(path) in str(refused.value)


def test_a_whole_number_is_taken_where_a_float_is_wanted(world: World) -> None:
    assert worlds.load(world("[token]\nexpires-in-days = 3")).token.expires_in_days == 3.0


def test_an_unknown_scenario_names_the_shipped_ones() -> None:
    with pytest.raises(worlds.ScenarioNotFound, match="no scenario 'nope': name one of healthy, bad-token"):
        worlds.load("nope")


def test_a_scenario_can_not_be_changed_after_it_was_read() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        worlds.load("healthy").token.id = "other"  # type: ignore[misc]


def test_lint_fails_breaks_the_copy_and_not_the_example() -> None:
    model = Path("src/seizure/model.py")
    with serve.start(without_s3("lint-fails")) as sandbox, pytest.raises(SyntaxError):
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
    with serve.start(without_s3("env-override-builder")) as sandbox:
        assert sandbox.environ["MODAL_IMAGE_BUILDER_VERSION"] == "2024.10"
        assert "MODAL_IMAGE_BUILDER_VERSION" not in sandbox.removed
