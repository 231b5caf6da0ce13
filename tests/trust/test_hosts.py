"""Strange hosts: what stands in the working folder, or was imported before us, runs in nobody's place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import HIDDEN, REPOSITORY

APP = 'import modal\n\napp = modal.App("x")\n\n\n@app.function(gpu="A100", timeout=3600)\ndef train() -> None: ...\n'
LONGEST_S = 90


def run(folder: Path, *words: str, path: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(HIDDEN)}
    state = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / ".state")}
    search = os.pathsep.join(filter(None, [str(REPOSITORY), path]))
    return subprocess.run(
        [sys.executable, "-m", "preflight", *words],
        cwd=folder,
        env={**clean, **state, "PYTHONPATH": search, **environ},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def plugin(folder: Path, text: str) -> None:
    """A distribution with one entry point, as an installation or a hostile folder holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "acme_checks.py").write_text(text, encoding="utf-8")
    info = folder / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[preflight.checks]\nacme = acme_checks:CHECK\n", encoding="utf-8")


GREEN = """
from preflight.model import Answer, Check, Stage
async def run(looked):
    return Answer(said="all is well")
CHECK = Check(id="ACM001", name="acme", title="acme is well", stage=Stage.STATIC, run=run)
"""


def results(ran: subprocess.CompletedProcess[str]) -> dict[str, dict[str, object]]:
    document = json.loads(ran.stdout)
    return {r["name"]: r for r in document["results"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    return tmp_path


def test_nothing_of_the_working_folder_runs_in_our_place_or_adds_a_row(project: Path) -> None:
    ran_marker = project / "ran"
    shout = f"open({str(ran_marker)!r}, 'a').write(__name__)\n"
    (project / "checks").mkdir()
    for name in ("checks/__init__.py", "checks/health.py", "preflight.py", "modal.py", "rich.py", "click.py"):
        (project / name).write_text(shout, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", "from preflight.__main__ import main; main()", "lint", "app.py", "--json"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stderr
    assert not ran_marker.exists()


def test_a_package_called_checks_that_was_imported_before_is_set_aside(project: Path) -> None:
    site = project / "site"
    (site / "checks").mkdir(parents=True)
    (site / "checks/__init__.py").write_text("THEIRS = 1\n", encoding="utf-8")
    (site / "sitecustomize.py").write_text("import checks\n", encoding="utf-8")
    ran = run(project, "run", "app.py", "--stage", "static", "--json", path=str(site))
    assert ran.returncode in (0, 1, 3), ran.stderr
    assert "app-syntax" in results(ran)


def test_a_plugin_of_the_working_folder_is_an_error_and_no_green_row(project: Path) -> None:
    plugin(project, GREEN)
    ran = run(project, "run", "app.py", "--stage", "static", "--json", path=str(project))
    rows = results(ran)
    assert "acme" not in rows
    assert rows["plugin-1"]["status"] == "error" and ran.returncode != 0


def test_an_installed_plugin_is_named_in_the_report(project: Path) -> None:
    plugin(project / "site", GREEN)
    rows = results(run(project, "run", "app.py", "--stage", "static", "--json", path=str(project / "site")))
    assert (rows["acme"]["status"], rows["acme"]["plugin"]) == ("pass", "acme")


@pytest.mark.parametrize(
    "text", ["import sys; sys.exit(0)", "raise BaseException('x')", "import no_such_module", "CHECK = 1"]
)
@pytest.mark.parametrize("command", [("run", "app.py", "--stage", "static"), ("lint", "app.py")])
def test_a_plugin_that_does_not_load_is_a_row_and_never_green(
    project: Path, text: str, command: tuple[str, ...]
) -> None:
    plugin(project / "site", text)
    ran = run(project, *command, "--json", path=str(project / "site"))
    assert ran.returncode in (1, 3), ran.stderr
    assert results(ran)["plugin-1"]["status"] == "error"
