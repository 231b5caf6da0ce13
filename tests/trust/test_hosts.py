"""Strange hosts: what stands in the working folder, or was imported before us, runs in nobody's place."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from preflight.lookups import Looked
from preflight.model import Answer, Check, Exit, Finding, NotApplicable, Report, Stage, Status
from preflight.report import github, gitlab, json_v1, junit, markdown, sarif
from preflight.report.console import ConsoleReporter
from preflight.testing import run_checks
from tests.conftest import HIDDEN, REPOSITORY
from tests.trust.table import Tally

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


def plugin(folder: Path, text: str, name: str = "acme") -> None:
    """A distribution with one entry point, as an installation or a hostile folder holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_checks.py").write_text(text, encoding="utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[preflight.checks]\n{name} = {name}_checks:CHECK\n", encoding="utf-8")


GREEN = """
from preflight.model import Answer, Check, Stage
async def run(looked):
    return Answer(summary="all is well")
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


THEIRS = "click rich modal msgspec packaging platformdirs stamina httpx boto3 tree_sitter typing_extensions".split()
STDLIB = "json enum re typing asyncio dataclasses importlib tomllib inspect logging ast tempfile".split()


@pytest.mark.parametrize("names", [THEIRS, STDLIB])
def test_no_module_that_pythonpath_brings_along_runs_in_our_place(project: Path, names: list[str]) -> None:
    """As the installed command starts: nothing but sys is imported before us."""
    marker = project / "ran"
    for name in (*names, "checks/__init__", "preflight_plugin"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / f"{name}.py").write_text(f"open({str(marker)!r}, 'a').write(__name__ + ' ')\n", encoding="utf-8")
    (project / "bin").mkdir()
    script = project / "bin" / "preflight"
    script.write_text(
        f"import sys\nsys.path.append({str(REPOSITORY)!r})\nfrom preflight.__main__ import main\nmain()\n", "utf-8"
    )
    ran = subprocess.run(
        [sys.executable, str(script), "run", "app.py", "--stage", "static", "--json"],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(project), "PYTHONPATH": f".:{project}"},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert not marker.exists(), marker.read_text("utf-8")
    assert results(ran)["app-syntax"]["status"] == "pass"


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


DO_NOT_LOAD = ("import sys; sys.exit(0)", "raise BaseException('x')", "import no_such_module", "CHECK = 1")


@pytest.mark.parametrize("command", [("run", "app.py", "--stage", "static"), ("lint", "app.py")])
def test_plugins_that_do_not_load_are_a_row_each_and_never_green(
    project: Path, tally: Tally, command: tuple[str, ...]
) -> None:
    for number, text in enumerate(DO_NOT_LOAD):
        plugin(project / "site", text, f"acme{number}")
    ran = run(project, *command, "--json", path=str(project / "site"))
    assert ran.returncode in (1, 3), ran.stderr
    rows = results(ran)
    for number in range(1, len(DO_NOT_LOAD) + 1):
        tally.add(rows[f"plugin-{number}"]["status"] != "error")
        assert rows[f"plugin-{number}"]["status"] == "error"


# --- plugins that load, and then misbehave ---------------------------------------------------------------------------


class Odd:
    """Nothing that JSON, or a person, could read."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def raising(error: BaseException) -> Callable[[Looked], Awaitable[Any]]:
    async def run(looked: Looked) -> Any:
        raise error

    return run


def giving(answer: Callable[[], Any]) -> Callable[[Looked], Awaitable[Any]]:
    async def run(looked: Looked) -> Any:
        return answer()

    return run


def blocking(looked: Looked) -> Any:
    time.sleep(3600)


async def shielded(looked: Looked) -> Any:
    while True:
        with contextlib.suppress(BaseException):
            await asyncio.sleep(3600)


async def cancelled(looked: Looked) -> Any:
    task = asyncio.create_task(asyncio.sleep(3600))
    task.cancel()
    await task


class Group(BaseException):
    """Of nobody's hierarchy."""


MISBEHAVING: dict[str, Callable[[Looked], Awaitable[Any]]] = {
    **{
        f"raises {type(e).__name__}": raising(e)
        for e in (
            SystemExit(0),
            SystemExit("bye"),
            KeyboardInterrupt(),
            GeneratorExit(),
            BaseException("x"),
            Group(),
            ExceptionGroup("x", [ValueError()]),
            BaseExceptionGroup("x", [SystemExit(0)]),
            asyncio.CancelledError(),
            TimeoutError(),
            RecursionError(),
            MemoryError(),
            StopIteration(),
            StopAsyncIteration(),
            ImportError("modal"),
            UnicodeEncodeError("ascii", "\udcff", 0, 1, "\n READY"),
            OSError(28, "No space left"),
            BrokenPipeError(),
        )
    },
    "gives None": giving(lambda: None),
    "gives True": giving(lambda: True),
    "gives a text": giving(lambda: "READY"),
    "gives a class": giving(lambda: Answer),
    "findings of None": giving(lambda: Answer(summary="x", findings=None)),  # type: ignore[arg-type]
    "findings that are texts": giving(lambda: Answer(summary="x", findings=("bad",))),  # type: ignore[arg-type]
    "a severity of its own": giving(
        lambda: Answer(summary="x", findings=(Finding(severity="fatal", message="x", remedy="y"),))  # type: ignore[arg-type]
    ),
    "says a number": giving(lambda: Answer(summary=5)),  # type: ignore[arg-type]
    "says nothing": giving(lambda: Answer(summary="")),
    "has seen an object": giving(lambda: Answer(summary="x", seen={"x": Odd()})),
    "has seen NaN": giving(lambda: Answer(summary="x", seen={"x": math.nan})),
    "has seen infinity": giving(lambda: Answer(summary="x", seen={"x": [math.inf]})),
    "has seen a set": giving(lambda: Answer(summary="x", seen={"x": {1}})),
    "has seen bytes": giving(lambda: Answer(summary="x", seen={"x": b"1"})),
    "has seen a date": giving(lambda: Answer(summary="x", seen={"x": datetime.now(UTC)})),
    "has seen keys of tuples": giving(lambda: Answer(summary="x", seen={(1, 2): 1})),  # type: ignore[dict-item]
    "has seen a path": giving(lambda: Answer(summary="x", seen={"x": Path("x")})),
    "has seen no mapping": giving(lambda: Answer(summary="x", seen=[1])),  # type: ignore[arg-type]
    "a reason of None": giving(lambda: NotApplicable(None)),  # type: ignore[arg-type]
    "blocks": blocking,
    "swallows its end": shielded,
    "cancels itself": cancelled,
    "is no coroutine": lambda looked: 5,  # type: ignore[dict-item, return-value]
}


async def passes(looked: Looked) -> Answer:
    return Answer(summary="it holds")


@pytest.mark.parametrize("how", MISBEHAVING)
def test_a_plugin_that_misbehaves_is_a_row_of_its_own_and_never_green(how: str) -> None:
    theirs = Check(
        id="ACM001", name="acme", title="x", stage=Stage.STATIC, run=MISBEHAVING[how], origin="acme", timeout_s=0.3
    )
    ours = Check(id="TST001", name="ours", title="x", stage=Stage.STATIC, run=passes)
    report = run_checks(theirs, ours)
    by_name = {r.check.name: r for r in report.results}
    assert by_name["ours"].status is Status.PASS
    assert by_name["acme"].status is Status.ERROR, by_name["acme"]
    assert report.exit is Exit.INCOMPLETE and not report.is_interrupted
    assert json.loads(json_v1.text(report))["exit"] == 3
    for form in (console_text, junit.text, sarif.text, markdown.text, github.text, gitlab.text):
        assert form(report)


def console_text(report: Report) -> str:
    to = io.StringIO()
    console = ConsoleReporter(to, is_verbose=True)
    console.begin(report.target, [r.check for r in report.results])
    for result in report.results:
        console.observe(result)
    console.finish(report)
    return to.getvalue()
