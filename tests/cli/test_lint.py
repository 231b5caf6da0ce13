"""`preflight lint` as it is typed: files, folders, what is not there, what is no Python, formats, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from tests.cli.conftest import InProcess
from tests.conftest import Ran

GOOD = 'import modal\n\napp = modal.App("good", image=modal.Image.debian_slim(python_version="3.11"))\n'
WARNED = GOOD + 'base = modal.Image.from_registry("vllm/vllm-openai:latest")\n'
BAD = 'import modal\n\nstub = modal.Stub("bad")\n\n\n@stub.function(timeout=30 * 3600)\ndef train(): ...\n'


Lint = Callable[..., Ran]


@pytest.fixture
def lint(quick: InProcess) -> Lint:
    return lambda folder, *words, **more: quick("lint", *words, cwd=folder, **more)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "bad.py").write_text(BAD, "utf-8")
    (tmp_path / "good.py").write_text(GOOD, "utf-8")
    (tmp_path / "warned.py").write_text(WARNED, "utf-8")
    (tmp_path / "other.py").write_text("print(1)\n", "utf-8")
    (tmp_path / "train.ipynb").write_text('{"cells": [{"source": ["import modal\\n"]}]}\n', "utf-8")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n', "utf-8")
    return tmp_path


def places(report: dict) -> set[tuple[str, str, int]]:
    return {
        (r["name"], f["where"]["path"], f["where"]["line"])
        for r in report["results"]
        for f in r["findings"]
        if f["severity"] == "error"
    }


def test_a_folder_is_taken_with_all_its_files_that_import_modal(lint: Lint, project: Path) -> None:
    done = lint(project, ".", "--json")
    assert done.code == 1
    report = json.loads(done.out)
    schema = json.loads(
        (resources.files("preflight.report") / "schemas" / "preflight.report-1.json").read_text("utf-8")
    )
    jsonschema.validate(report, schema)
    assert report["target"]["app"] == "3 files"
    assert places(report) == {
        ("dep-stub-removed", "deploy/bad.py", 3),
        ("res-timeout-over-max", "deploy/bad.py", 6),
    }
    assert not [r for r in report["results"] if r["status"] in ("error", "blocked")]


def test_paths_are_as_somebody_in_that_folder_would_type_them(lint: Lint, project: Path) -> None:
    report = json.loads(lint(project / "deploy", "bad.py", "../warned.py", "--json").out)
    paths = {f["where"]["path"] for r in report["results"] for f in r["findings"]}
    assert "bad.py" in paths
    assert all(Path(project / "deploy", p).resolve().exists() for p in paths)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["good.py"], 0),
        (["warned.py"], 0),
        (["warned.py", "--fail-on", "warn"], 1),
        (["deploy/bad.py"], 1),
        (["good.py", "deploy/bad.py"], 1),
        (["good.py", "missing.py"], 2),
        (["good.py", "--fix", "--diff"], 0),
        (["good.py", "--only", "nonsense"], 2),
        (["deploy/bad.py", "--exit-zero"], 0),
        (["deploy/bad.py", "--only", "app-syntax"], 0),
        (["deploy/bad.py", "--skip", "dep-stub-removed,RES540"], 0),
        (["other.py"], 2),
        (["other.py", "deploy/bad.py"], 1),
        (["other.py", "--pass-others"], 0),
        (["good.py", "train.ipynb"], 2),
        (["deploy/bad.py", "--pass-others"], 1),
        (["--all"], 1),
        (["-"], 2),
        (["good.py", "--unsafe-fixes"], 2),
        (["good.py", "--builder", "newest"], 2),
        (["good.py", "--diff", "--json"], 2),
    ],
)
def test_the_exit_code_says_what_was_found(lint: Lint, project: Path, arguments: list[str], code: int) -> None:
    done = lint(project, *arguments)
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    if code == 2:
        assert done.out == "" and done.err


def test_the_format_never_changes_the_verdict(lint: Lint, project: Path) -> None:
    for form in ("console", "json", "junit", "sarif", "github", "markdown"):
        assert lint(project, "deploy/bad.py", "-o", f"{form}={form}.out").code == 1
        assert "bad.py" in (project / f"{form}.out").read_text("utf-8")


def test_sarif_and_github_point_at_the_line(lint: Lint, project: Path) -> None:
    done = lint(project, "deploy/bad.py", "-o", "sarif=a.sarif", "-o", "github=-")
    assert "file=deploy/bad.py" in done.out and "line=3" in done.out
    (run,) = json.loads((project / "a.sarif").read_text("utf-8"))["runs"]
    found = {
        (r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], region["startLine"])
        for r in run["results"]
        if (region := r["locations"][0]["physicalLocation"].get("region"))
    }
    assert ("deploy/bad.py", 6) in found


def test_what_is_no_python_is_an_error_of_that_file_and_the_others_are_looked_at(lint: Lint, project: Path) -> None:
    (project / "notes.py").write_text("dear modal,\n", "utf-8")
    (project / "picture.py").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe" * 50)
    (project / "empty.py").write_bytes(b"")
    done = lint(project, "notes.py", "picture.py", "empty.py", "deploy/bad.py", "--json")
    assert done.code == 1
    found = places(json.loads(done.out))
    assert {p for name, p, _ in found if name == "app-syntax"} == {"notes.py", "picture.py"}
    assert ("dep-stub-removed", "deploy/bad.py", 3) in found


def test_what_is_passed_over_is_counted_in_the_verdict_and_named_with_its_reason(lint: Lint, project: Path) -> None:
    (project / "deploy" / "bad.py").unlink()
    done = lint(project, ".", "-o", "json=r.json", "-o", "markdown=r.md", "-o", "console")
    assert done.code == 0
    assert "(static) · 1 not looked at · " in done.out
    assert "not looked at: train.ipynb is a notebook; write it out first" in " ".join(done.out.split())
    [text] = json.loads((project / "r.json").read_text())["target"]["passed_over"]
    assert text.startswith("train.ipynb is a notebook")
    assert "not looked at: train.ipynb" in (project / "r.md").read_text()
    done = lint(project, "good.py", "other.py", "--json")
    assert json.loads(done.out)["target"]["passed_over"] == [
        "other.py makes nothing of Modal: no App, function, image, secret or volume"
    ]
    assert "passed_over" not in json.loads(lint(project, "good.py", "--json").out)["target"]


def test_a_folder_without_an_app_is_a_usage_error_that_says_so(lint: Lint, project: Path) -> None:
    (project / "empty").mkdir()
    done = lint(project, "empty")
    assert done.code == 2
    assert "imports modal" in done.err


def test_an_unreadable_file_is_not_green(lint: Lint, project: Path) -> None:
    (project / "loop.py").symlink_to(project / "loop.py")
    done = lint(project, "loop.py")
    assert done.code in (2, 3) and "Traceback" not in done.err


def test_nothing_but_the_document_is_on_stdout_of_a_pipe(lint: Lint, project: Path) -> None:
    done = lint(project, "deploy/bad.py")
    assert "\x1b[" not in done.out
    assert "dep-stub-removed" in done.out


def test_a_reader_that_goes_away_gets_no_traceback(lint: Lint, project: Path) -> None:
    command = f"{sys.executable} -m preflight lint . | head -c 1"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=project, capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in done.stderr


def test_the_projects_skip_is_kept(lint: Lint, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.preflight]\nskip = ["dep-stub-removed"]\n', "utf-8")
    report = json.loads(lint(project, "deploy/bad.py", "--json").out)
    assert {name for name, _, _ in places(report)} == {"res-timeout-over-max"}


def test_a_misspelt_skip_is_a_usage_error_that_names_the_file(lint: Lint, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.preflight]\nskip = ["dep-stub-remove"]\n', "utf-8")
    done = lint(project, "deploy/bad.py")
    assert done.code == 2 and "pyproject.toml" in done.err


def test_an_ignore_that_names_no_rule_is_told_of_with_the_nearest_name(lint: Lint, project: Path) -> None:
    text = BAD.replace('("bad")', '("bad")  # preflight: ignore[dep-stub-removd, RES540, *]')
    (project / "deploy" / "bad.py").write_text(text, "utf-8")
    done = lint(project, "deploy/bad.py", "-q")
    [line] = [each for each in done.err.splitlines() if "no rule is called" in each]
    assert "bad.py:3: no rule is called dep-stub-removd" in line
    assert "did you mean dep-stub-removed?" in line


def test_an_ignored_finding_is_counted_and_does_not_fail(lint: Lint, project: Path) -> None:
    text = BAD.replace('modal.Stub("bad")', 'modal.Stub("bad")  # preflight: ignore[dep-stub-removed] the old client')
    text = text.replace("def train(): ...", "def train(): ...").replace(
        "30 * 3600)", "30 * 3600)  # preflight: ignore[RES540] it is stopped by hand"
    )
    (project / "deploy" / "bad.py").write_text(text, "utf-8")
    done = lint(project, "deploy/bad.py", "--json")
    assert done.code == 0
    seen = {r["name"]: r["seen"] for r in json.loads(done.out)["results"]}
    assert seen["dep-stub-removed"]["ignored"] == 1
    assert seen["res-timeout-over-max"]["ignored"] == 1


def test_diff_prints_what_fix_would_do_and_writes_nothing(lint: Lint, project: Path) -> None:
    before = (project / "deploy" / "bad.py").read_text("utf-8")
    done = lint(project, "deploy/bad.py", "--diff")
    assert '+stub = modal.App("bad")' in done.out and done.out.startswith("--- a/deploy/bad.py")
    assert (project / "deploy" / "bad.py").read_text("utf-8") == before
    patched = subprocess.run(
        ["patch", "-p1"], cwd=project, input=done.out, capture_output=True, text=True, timeout=20, check=False
    )
    assert patched.returncode == 0, patched.stdout
    after = (project / "deploy" / "bad.py").read_text("utf-8")
    (project / "deploy" / "bad.py").write_text(before, "utf-8")
    lint(project, "deploy/bad.py", "--fix")
    assert (project / "deploy" / "bad.py").read_text("utf-8") == after != before


def test_fix_mends_and_the_report_is_of_the_mended_file(lint: Lint, project: Path) -> None:
    done = lint(project, "deploy/bad.py", "--fix", "--unsafe-fixes", "--json")
    assert done.code == 0, done.out
    assert "fixed dep-stub-removed" in done.err
    assert places(json.loads(done.out)) == set()
