"""What changed since it worked, as `preflight run` tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from preflight.sandbox import serve
from tests.conftest import Preflight, Ran

SCHEMA = json.loads(files("preflight.report").joinpath("schemas/preflight.report-1.json").read_text("utf-8"))
FREE = ("--skip", "smoke-test,gpu-probe")
Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def world() -> Iterator[serve.Sandbox]:
    with serve.start("healthy") as sandbox:
        yield sandbox


@pytest.fixture
def run(preflight: Preflight, world: serve.Sandbox) -> Iterator[Run]:
    """`preflight run` in the example, with a state folder of the test's own; the example is put back."""
    app = world.project / "deploy/modal/app.py"
    text = app.read_text("utf-8")

    def go(*words: str, **more: str) -> Ran:
        ran = preflight("run", *FREE, *words, cwd=world.project, env={**world.environ, **more})
        assert "Traceback" not in ran.err, ran.err
        return ran

    yield go
    app.write_text(text, encoding="utf-8")


def document(ran: Ran) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran.out)
    jsonschema.validate(found, SCHEMA)
    return found


def kept(preflight: Preflight) -> list[Path]:
    return sorted((preflight.home / "state").rglob("worked-*.json"))


def test_a_failing_run_names_what_differs_from_the_last_pass(run: Run, preflight: Preflight) -> None:
    first = document(run("--json"))
    assert (first["exit"], "changed" in first) == (0, False)
    assert len(kept(preflight)) == 1
    before = kept(preflight)[0].read_bytes()
    failed = document(run("--json", MODAL_IMAGE_BUILDER_VERSION="2024.10"))
    assert failed["exit"] == 1
    changed = failed["changed"]
    assert changed["differs"][0] == {
        "group": "builder",
        "name": "Image Builder",
        "before": "2025.06",
        "after": "2024.10",
    }
    assert changed["since"] == first["started"][:19] + "+00:00"
    assert kept(preflight)[0].read_bytes() == before  # a failure is no pass


def test_the_screen_says_it_in_a_few_lines_and_all_with_v(run: Run, world: serve.Sandbox) -> None:
    run()
    app = world.project / "deploy/modal/app.py"
    text = app.read_text("utf-8")
    for old, new in (("torch==2.2.2", "torch==2.3.0"), ("numpy<2", "numpy<3"), ("transformers<5", "transformers<6")):
        text = text.replace(old, new)
    app.write_text(text.replace('"ninja-build"', '"ninja-build", "git"'), encoding="utf-8")
    short = run("--stage", "static", "--fail-on", "warn")
    assert short.code == 1
    assert "since the last pass" in short.out and "5 things differ" in short.out
    assert "pins: torch (image): ==2.2.2 → ==2.3.0" in short.out
    assert "… 2 more (-v)" in short.out
    whole = run("--stage", "static", "--fail-on", "warn", "-v")
    assert (
        "file deploy/modal/app.py is changed" in whole.out and "more (-v)" not in whole.out.split("since the last")[1]
    )


def test_a_first_run_that_fails_has_nothing_to_compare_with(run: Run) -> None:
    assert "changed" not in document(run("--json", MODAL_IMAGE_BUILDER_VERSION="2024.10"))


def test_a_file_that_can_not_be_used_is_ignored_with_a_word(
    run: Run, preflight: Preflight, world: serve.Sandbox
) -> None:
    static = ("--stage", "static", "--skip", "project-lint", "--fail-on", "warn")
    run(*static)
    (file,) = kept(preflight)
    file.write_text("{", encoding="utf-8")
    app = world.project / "deploy/modal/app.py"
    text = app.read_text("utf-8")
    app.write_text(text.replace("torch==2.2.2", "torch==2.3.0"), encoding="utf-8")
    failed = document(run(*static, "--json"))
    assert failed["changed"] == {
        "since": None,
        "differs": [],
        "note": f"{file.parent.name}/{file.name} is ignored: it is no preflight.worked/1: Input data was truncated",
    }
    assert "is ignored: it is no preflight.worked/1" in " ".join(run(*static).out.split())
    app.write_text(text, encoding="utf-8")
    assert run(*static).code == 0  # and the next pass replaces it
    assert json.loads(file.read_text("utf-8"))["schema"] == "preflight.worked/1"


def test_no_secret_of_this_machine_is_kept(run: Run, preflight: Preflight, world: serve.Sandbox) -> None:
    run()
    (file,) = kept(preflight)
    text = file.read_text("utf-8")
    assert world.environ["AWS_SECRET_ACCESS_KEY"] not in text
    assert world.environ["MODAL_TOKEN_SECRET"] not in text
    assert "aws-s3-secret" in json.loads(text)["facts"]["secrets"]


def test_a_state_folder_that_can_not_be_written_costs_a_word_and_not_the_verdict(
    run: Run, preflight: Preflight
) -> None:
    (preflight.home / "state").mkdir()
    (preflight.home / "state" / "preflight").write_text("a file in its place", encoding="utf-8")
    ran = run("--stage", "static", "--skip", "project-lint")
    assert ran.code == 0
    assert "what this pass stood on can't be kept" in ran.err


def test_a_single_check_neither_keeps_nor_compares(preflight: Preflight, world: serve.Sandbox) -> None:
    ran = preflight("check", "client-version", "--json", cwd=world.project, env=dict(world.environ))
    assert ran.code == 0
    assert kept(preflight) == []


def test_the_sandbox_keeps_nothing(preflight: Preflight) -> None:
    assert preflight("run", "--sandbox", "--stage", "static").code == 0
    assert kept(preflight) == []
