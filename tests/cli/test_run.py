"""`preflight run` as it is typed: bad input, exit codes, pipes, signals, and what must never be shown."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import InProcess
from tests.conftest import Preflight

APP = """
import modal

app = modal.App("x")
image = modal.Image.debian_slim(python_version="3.12")


@app.function(image=image, timeout=600)
def train():
    pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    return folder


def test_help_list_and_explain_import_no_sdk(preflight: Preflight) -> None:
    code = (
        "import sys, click\n"
        "from preflight.cli.main import main\n"
        "sys.argv = ['preflight', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'modal', 'boto3', 'botocore', 'httpx', 'torch', 'moto', 'grpclib'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))\n"
    )
    for words in (["--help"], ["list"], ["explain", "modal-auth"], ["run", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], env=preflight.environ(), capture_output=True, text=True, timeout=60
        )
        assert done.stdout.endswith("heavy: []\n"), (words, done.stdout[-200:], done.stderr[-500:])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run"], "2 Modal apps"),
        (["run", "nope.py"], "nope.py is not there"),
        (["run", "."], ". is a folder; name the app's Python file"),
        (["run", "plain.py"], "makes no Modal app"),
        (["run", "app.py", "--only", "modal-aut"], "did you mean modal-auth"),
        (["run", "app.py", "--spend-max", "lots"], "spend-max"),
        (["run", "app.py", "--timeout", "0"], "timeout"),
        (["run", "app.py", "-o", "yaml"], "'yaml' is not a format; there are console, json"),
        (["run", "app.py", "-o", "json="], "names no file"),
        (["run", "app.py", "--scenario", "healthy"], "--scenario belongs to --sandbox"),
        (["run", "--sandbox", "--scenario", "no-such-world"], "no-such-world"),
        (["check", "NOPE999", "app.py"], "no check is called 'NOPE999'"),
        (["explain", "nope"], "no check is called 'nope'"),
        (["frobnicate"], "No such command"),
    ],
)
def test_bad_input_is_exit_2_with_what_was_wrong_on_stderr_and_nothing_on_stdout(
    quick: InProcess, project: Path, words: list[str], says: str
) -> None:
    (project / "plain.py").write_text("x = 1\n")
    (project / "other.py").write_text(APP)
    ran = quick(*words, cwd=project)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.preflight", "not TOML"),
        ("[tool]\npreflight = 3", "wanted a table"),
        ("[tool.preflight]\nspendmax = 2", "no key 'spendmax'"),
        ("[tool.preflight]\nspend-max = 'lots'", "spend-max: wanted a number"),
        ("[tool.preflight]\nspend-max = -1", "spend-max is -1; wanted dollars, 0 or more"),
        ("[tool.preflight]\nskip = 'all'", "skip: wanted a list of strings, found 'all'"),
        ("[tool.preflight]\nskip = ['nope']", "no check is called 'nope'"),
        ("[tool.preflight]\napp = 'gone.py'", "names gone.py, which is not there"),
        ("[tool.preflight.image-builder]\nminimum = 'new'", "wanted like '2025.06'"),
        ("[tool.preflight.stale-apps]\nolder-than = 'a day'", "wanted like 90m, 24h or 2d"),
        ("[tool.preflight.smoke]\nminutes = true", "tool.preflight.smoke.minutes: wanted a number, found true"),
    ],
)
def test_a_wrong_setting_is_exit_2_and_names_file_key_and_what_was_wanted(
    quick: InProcess, project: Path, text: str, says: str
) -> None:
    (project / "pyproject.toml").write_text(text)
    ran = quick("run", "--stage", "static", cwd=project)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert "pyproject.toml" in ran.err


def test_the_one_app_of_a_project_needs_no_name(quick: InProcess, project: Path) -> None:
    ran = quick("run", "--stage", "static", "--json", cwd=project)
    assert ran.code == 0
    assert json.loads(ran.out)["target"]["app"] == "app.py"


@pytest.mark.parametrize("content", [b"\x00\x01\x02modal", b"import modal\nx = (", b"\xff\xfeimport modal", b""])
def test_a_file_that_is_not_python_or_not_modals_is_never_ready(
    quick: InProcess, project: Path, content: bytes
) -> None:
    (project / "bad.py").write_bytes(content)
    ran = quick("run", "bad.py", "--stage", "static", cwd=project)
    assert ran.code in (1, 2)
    assert "Traceback" not in ran.err


def test_without_a_token_the_token_fails_and_what_needs_it_is_blocked(preflight: Preflight, project: Path) -> None:
    ran = preflight("run", "app.py", "--stage", "remote", "--json", cwd=project)
    document = json.loads(ran.out)
    status = {r["name"]: (r["status"], r["blocked_by"]) for r in document["results"]}
    assert ran.code == 1
    assert status["modal-auth"] == ("fail", None)
    assert status["image-builder"] == ("blocked", "MOD001")
    assert document["spent_usd"] == 0


def test_every_format_gives_the_same_exit_code_and_the_files_it_names(quick: InProcess, project: Path) -> None:
    (project / "app.py").write_text(APP.replace("timeout=600", "timeout=108000"))
    words = ["run", "app.py", "--stage", "static"]
    names = ["json", "junit", "sarif", "github", "markdown"]
    all_at_once = [w for n in names for w in ("-o", f"{n}=out/report.{n}")]
    (project / "out").mkdir()
    assert quick(*words, *all_at_once, "-o", "console", cwd=project).code == 1
    assert sorted(p.name for p in (project / "out").iterdir()) == sorted(f"report.{n}" for n in names)
    assert json.loads((project / "out" / "report.json").read_text())["exit"] == 1


def test_a_report_that_can_not_be_written_is_said_before_anything_is_run(quick: InProcess, project: Path) -> None:
    ran = quick("run", "app.py", "--stage", "static", "-o", "json=no/such/folder/x.json", cwd=project)
    assert ran.code == 2
    assert "no/such/folder/x.json" in ran.err


def test_fail_on_warn_turns_a_warning_into_a_finding(quick: InProcess, project: Path) -> None:
    (project / "app.py").write_text(APP.replace(".debian_slim(", ".debian_slim(force_build=True, "))
    words = ["run", "app.py", "--stage", "static"]
    assert quick(*words, cwd=project).code == 0
    assert quick(*words, "--fail-on", "warn", cwd=project).code == 1


def test_secrets_of_the_environment_are_in_no_line_and_no_document(quick: InProcess, project: Path) -> None:
    canary = "canary-7f3a9b2c5d"
    (project / "pyproject.toml").write_text(f"[tool.preflight.lint]\ncommand = 'echo key {canary}; exit 1'\n")
    env = {"AWS_SECRET_ACCESS_KEY": canary, "MODAL_TOKEN_SECRET": canary}
    outputs = [w for n in ("json", "junit", "sarif", "markdown") for w in ("-o", f"{n}=report.{n}")]
    ran = quick("run", "app.py", "--stage", "static", "-v", "-o", "console", *outputs, cwd=project, env=env)
    assert ran.code == 1
    written = "".join(p.read_text() for p in project.glob("report.*"))
    assert canary not in ran.out + ran.err + written
    assert "[redacted]" in ran.out
    assert "[redacted]" in written


def test_a_reader_that_goes_away_costs_no_verdict_and_no_traceback(preflight: Preflight, project: Path) -> None:
    (project / "app.py").write_text(APP.replace("timeout=600", "timeout=108000"))
    command = f"{sys.executable} -m preflight run app.py --stage static -v; echo code $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({command}) | head -c 1 >/dev/null"],
        cwd=project, env=preflight.environ(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "code 1" in done.stderr


def test_ctrl_c_keeps_what_was_answered_and_leaves_no_process(preflight: Preflight, project: Path) -> None:
    mark = f"31{os.getpid()}"
    (project / "pyproject.toml").write_text(f"[tool.preflight.lint]\ncommand = 'sleep {mark}'\n")
    child = subprocess.Popen(
        [sys.executable, "-m", "preflight", "run", "app.py", "--stage", "static", "--json"],
        cwd=project, env=preflight.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not _running(f"sleep {mark}"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "Traceback" not in err
    document = json.loads(out)
    assert document["verdict"] == "interrupted"
    assert {r["name"]: r["status"] for r in document["results"]}["project-lint"] == "error"
    assert not _running(f"sleep {mark}")


def _running(words: str) -> bool:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().replace(b"\0", b" ").startswith(words.encode()):
                return True
        except OSError:
            continue
    return False


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["run", "app.py", "--stage", "static"], 0, "what this pass stood on can't be kept: /proc/"),
        (["gate", "app.py", "--stage", "static", "--", "true"], 0, "no pass is kept: /proc/"),
        (["lint", "app.py"], 0, ""),
        (["list"], 0, ""),
        (["explain", "5"], 0, ""),
        (["bug-report", "--offline"], 0, ""),
    ],
)
def test_a_home_that_can_not_be_written_costs_what_would_be_kept_and_says_so(
    preflight: Preflight, project: Path, words: list[str], code: int, says: str
) -> None:
    env = {"HOME": "/proc/no-home", "XDG_STATE_HOME": "/proc/no-home/state", "XDG_CACHE_HOME": "/proc/no-home/cache"}
    ran = preflight(*words, cwd=project, env=env)
    assert ran.code == code, ran.err
    assert says in ran.err and "Traceback" not in ran.err


def test_modules_of_the_project_are_not_imported_in_place_of_ours(preflight: Preflight, project: Path) -> None:
    for name in ("click", "modal", "rich", "msgspec", "typing", "dataclasses"):
        (project / f"{name}.py").write_text("raise RuntimeError('hostile')\n")
    (project / "checks").mkdir()
    (project / "checks" / "__init__.py").write_text("raise RuntimeError('hostile')\n")
    path = preflight.environ()["PYTHONPATH"]
    ran = preflight("run", "app.py", "--stage", "static", cwd=project, env={"PYTHONPATH": f"{path}:."}, is_fresh=True)
    assert ran.code == 0, ran.err
    assert "hostile" not in ran.out + ran.err


def test_the_runs_own_limit_ends_it_as_incomplete(quick: InProcess, project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.preflight.lint]\ncommand = 'sleep 30'\n")
    ran = quick("run", "app.py", "--stage", "static", "--timeout", "1.5", "--json", cwd=project)
    document = json.loads(ran.out)
    assert (ran.code, document["verdict"]) == (3, "incomplete")
    assert document["seconds"] < 10


def test_no_color_and_a_pipe_give_plain_lines(quick: InProcess, project: Path) -> None:
    ran = quick("run", "app.py", "--stage", "static", cwd=project)
    assert "\x1b" not in ran.out
    assert ran.out.endswith("next    preflight run app.py\n")
