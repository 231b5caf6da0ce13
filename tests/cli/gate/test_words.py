"""What the gate reads in a command, and what it refuses of it, to the word."""

from __future__ import annotations

import importlib
import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from preflight.cli.gate import command
from preflight.cli.gate.command import Named
from preflight.cli.running.audience import Shown
from preflight.cli.running.outputs import Output
from preflight.interpreter import Client, Interpreter
from preflight.settings import Settings

gate = importlib.import_module("preflight.cli.gate.gate")  # the package's own name is shadowed by the command's
NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
WORDS = ("modal", "run", "app.py")
REQUEST = gate.Request(words=WORDS)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("make train", Named()),
        ("modal", Named()),
        ("modal --profile p", Named(profile="p")),
        ("modal --profile p secret list", Named(profile="p")),
        ("modal run pkg.app::train", Named(("pkg/app.py", "pkg/app/__init__.py"), program="modal")),
        ("modal run -m pkg/app", Named(("pkg/app.py", "pkg/app/__init__.py"), program="modal")),
        ("modal run -m a.py", Named(("a/py.py", "a/py/__init__.py"), program="modal")),
        ("modal run pkg/app", Named(("pkg/app",), program="modal")),
        ("modal run a.py::b::c", Named(("a.py",), program="modal")),
        ("modal run --env x -e y a.py", Named(("a.py",), "x", program="modal")),
        ("modal --profile p run --profile q a.py", Named(("a.py",), None, "q", "modal")),
        ("python3.11 -m modal run a.py", Named(("a.py",), program="python3.11")),
        ("uv run python -m modal run a.py", Named(("a.py",), program="python")),
        ("-m modal run a.py", Named(("a.py",), program="modal")),
        ("uv run --frozen /v/bin/modal serve a.py", Named(("a.py",), program="/v/bin/modal")),
        ("modal serve a.py -e dev", Named(("a.py",), "dev", program="modal")),
        ("modal run a.py -e dev", Named(("a.py",), program="modal")),
        ("echo a modal", Named()),
        ("echo modal secret", Named()),
    ],
)
def test_what_a_command_names(line: str, named: Named) -> None:
    assert command.read(line.split()) == named


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("modal run", "it names no file"),
        ("modal run -", "it names no file"),
        ("modal run ::train", "it names no file"),
        ("modal shell a.py", "`modal shell` may run what the checks have not seen"),
        ("sh -c 'modal run app.py'", "it starts modal through another program"),
        ("env X=1 modal run app.py", "it starts modal through another program"),
    ],
)
def test_why_a_command_can_not_be_read(line: str, why: str) -> None:
    with pytest.raises(command.Unreadable) as refused:
        gate._read(replace(REQUEST, words=tuple(shlex.split(line))))
    wanted = "wanted modal [run|deploy|serve] FILE.py"
    assert refused.value.message == f"which app the command runs can't be read: {why}; {wanted}"


def test_a_program_is_found_on_the_path_before_our_own_folder(tmp_path: Path) -> None:
    own = tmp_path / "python3"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert command.find("python3", str(tmp_path)) == str(own)
    ours = Path(sys.executable)
    assert command.find(ours.name, "/nowhere") == str(ours)
    own.chmod(0o644)
    with pytest.raises(command.NotRunnable) as e:
        command.find(str(own), str(tmp_path))
    assert (e.value.code, str(e.value)) == (126, f"{own} can't be executed")
    for absent in (str(tmp_path / "none"), "no-such-program"):
        with pytest.raises(command.NotRunnable) as e:
            command.find(absent, str(tmp_path))
        assert (e.value.code, str(e.value)) == (127, f"{absent}: command not found")


def test_the_environment_and_the_profile_must_be_those_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODAL_PROFILE", raising=False)
    asked = replace(REQUEST, environment="dev")
    assert gate._read(asked).environment == "dev"
    assert gate._read(replace(asked, words=("modal", "run", "-e", "dev", "a.py"))).environment == "dev"
    assert gate._read(replace(REQUEST, words=("modal", "run", "-e", "dev", "a.py"))).environment == "dev"
    with pytest.raises(click.UsageError) as e:
        gate._read(replace(asked, words=("modal", "run", "-e", "prod", "a.py")))
    assert e.value.message == "-e is dev, and the command runs in prod"
    other = replace(REQUEST, words=("modal", "--profile", "p", "run", "a.py"))
    with pytest.raises(click.UsageError) as e:
        gate._read(other)
    assert e.value.message == "the command uses profile p; write MODAL_PROFILE=p before `preflight gate`"
    monkeypatch.setenv("MODAL_PROFILE", "p")
    assert gate._read(other) == Named(("a.py",), None, "p", "modal")


def test_the_app_of_the_checks_is_the_app_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("app.py", "other.py"):
        (tmp_path / name).write_text("import modal\napp = modal.App('x')\n", encoding="utf-8")
    given = Settings(project=tmp_path, outputs=("out",))
    asked = replace(REQUEST, shown=Shown(outputs=(Output("json", "r.json"), Output("json", "/elsewhere/r.json"))))
    found = gate._of_app(given, asked, Named(("app.py",)), tmp_path)
    assert (found.app, found.outputs) == ("app.py", ("out", "r.json"))
    assert gate._of_app(given, replace(REQUEST, app="other.py"), Named(), tmp_path).app == "other.py"
    with pytest.raises(click.UsageError) as e:
        gate._of_app(given, REQUEST, Named(("gone.py", "gone/__init__.py")), tmp_path)
    assert e.value.message == "the command runs gone.py, which is not there"
    with pytest.raises(click.UsageError) as e:
        gate._of_app(given, replace(REQUEST, app="other.py"), Named(("app.py",)), tmp_path)
    assert e.value.message == "the checks are of other.py, and the command runs app.py"
    assert gate._file(Named(("gone.py", "app.py")), tmp_path) == str(tmp_path / "app.py")
    assert gate._file(Named(("gone.py",)), tmp_path) is None


def client(folder: Path, version: str) -> Path:
    """An environment of that client; its `modal`."""
    packages = folder / "lib" / "python3.11" / "site-packages"
    (packages / f"modal-{version}.dist-info").mkdir(parents=True)
    program = folder / "bin" / "modal"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (folder / "bin" / "python").symlink_to("modal")
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\n")
    return program


def test_another_client_than_that_of_the_checks_is_refused_with_both_versions(tmp_path: Path) -> None:
    ours, theirs = client(tmp_path / "a", "1.6.4"), client(tmp_path / "b", "1.5.0")
    path = str(ours.parent)
    found = Interpreter(python=ours.parent / "python", found_by="a test", path=path, client=Client(version="1.6.4"))
    given = Settings(environ={"PATH": path}, interpreter=found)
    for named in (Named(), Named(program="modal"), Named(program=str(ours))):
        gate._of_client(given, named)
    with pytest.raises(click.UsageError) as e:
        gate._of_client(given, Named(program=str(theirs)))
    assert e.value.message == f"{theirs} starts modal 1.5.0, and the checks are of 1.6.4"
    unknown = replace(given, interpreter=replace(found, client=None))
    with pytest.raises(click.UsageError) as e:
        gate._of_client(unknown, Named(program="modal"))
    assert e.value.message == f"{ours} starts modal 1.6.4, and the checks are of an unknown version"
    gate._of_client(replace(given, interpreter=None), Named(program=str(theirs)))


def test_help_says_that_a_time_limit_is_for_the_checks_and_the_sandbox_for_the_command_too() -> None:
    text = " ".join(gate.gate_command.get_help(click.Context(gate.gate_command)).split())
    assert "Seconds for all checks." in text and "whole run" not in text
    assert "With --sandbox, COMMAND meets the local Modal and S3 as the checks do." in text
