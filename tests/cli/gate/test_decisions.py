"""What the gate decides and says, function by function: words, exit codes, and what it asks for next."""

from __future__ import annotations

import importlib
import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from preflight.cli.gate import checks, command
from preflight.cli.gate.command import Named
from preflight.interpreter import Client, Interpreter
from preflight.model import Answer, Check, Exit, Report, Result, Stage, Status, Target
from preflight.settings import Settings
from preflight.state import cloud
from preflight.state.drift import Drift
from preflight.state.receipt import Entry, Receipt, Receipts
from preflight.state.sources import Watched

gate = importlib.import_module("preflight.cli.gate.gate")  # the package's own name is shadowed by the command's
NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
WORDS = ("modal", "run", "app.py")
REQUEST = gate.Request(
    app=None,
    words=WORDS,
    environment=None,
    skip=(),
    stage="paid",
    fail_on="fail",
    spend_max=None,
    wait_s=0.0,
    timeout_s=None,
    reports=(),
    is_renewed=False,
    is_offline=False,
    is_verbose=False,
    is_sandbox=False,
    scenario=None,
)


# --- the command's words ---------------------------------------------------------------------------------------------


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
    with pytest.raises(command.Unreadable) as e:
        command.read(shlex.split(line))
    assert str(e.value) == why
    with pytest.raises(click.UsageError) as refused:
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
    asked = replace(REQUEST, reports=(("json", "r.json"), ("json", "/elsewhere/r.json")))
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


# --- what it says ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "preflight gate --renew -- modal run app.py"),
        ({"app": "a b.py"}, "preflight gate --renew 'a b.py' -- modal run app.py"),
        (
            {"environment": "dev", "fail_on": "warn", "stage": "remote", "skip": ("x", "y")},
            "preflight gate --renew -e dev --fail-on warn --stage remote --skip x,y -- modal run app.py",
        ),
        ({"words": ("sh", "-c", "a\nb")}, "preflight gate --renew -- sh -c 'a\\nb'"),
    ],
)
def test_what_is_refused_says_how_to_renew_it(
    capsys: pytest.CaptureFixture[str], more: dict[str, Any], said: str
) -> None:
    code = gate._refused([Drift("a.py", "changed"), Drift("Python", "3.11 → 3.12")], replace(REQUEST, **more), HELD)
    assert code is Exit.REFUSED
    assert capsys.readouterr().err.splitlines() == [
        "REFUSED: since the pass of 2026-11-20 12:30 UTC",
        "  a.py    changed",
        "  Python  3.11 → 3.12",
        f"next  {said}",
    ]


def test_without_a_pass_no_day_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    gate._refused([Drift("a pass", "is not there")], REQUEST, None)
    assert capsys.readouterr().err.startswith("REFUSED\n  a pass  is not there\n")


@pytest.mark.parametrize(("count", "last"), [(20, "  19  changed"), (21, "  … and 1 more"), (23, "  … and 3 more")])
def test_twenty_drifts_are_shown(capsys: pytest.CaptureFixture[str], count: int, last: str) -> None:
    gate.say_drifts([Drift(f"{n:02}", "changed") for n in range(count)])
    lines = capsys.readouterr().err.splitlines()
    assert (lines[0], lines[19], lines[-1]) == ("  00  changed", "  19  changed", last)


def test_a_long_name_pushes_no_column_out(capsys: pytest.CaptureFixture[str]) -> None:
    gate.say_drifts([Drift("n" * 90, "changed"), Drift("a", "is\nnew")])
    first, second = capsys.readouterr().err.splitlines()
    assert first == "  " + "n" * 90 + "  changed"
    assert second.startswith("  a" + " " * 61) and second[63:].strip().startswith("is")


@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [
        (Exit.INTERRUPTED, Exit.INTERRUPTED, ""),
        (Exit.REFUSED, Exit.REFUSED, "REFUSED: `modal run app.py` was not run\n"),
        (
            Exit.FINDINGS,
            Exit.REFUSED,
            "REFUSED: the checklist did not pass, so `modal run app.py` was not run\n",
        ),
    ],
)
def test_a_checklist_that_did_not_pass_runs_nothing(
    capsys: pytest.CaptureFixture[str], outcome: Exit, code: Exit, said: str
) -> None:
    assert gate._stopped(outcome, REQUEST) is code
    assert capsys.readouterr().err == said


ENTRY = Entry(id="AA001", name="one", stage=Stage.STATIC, status="pass", at=NOW - timedelta(days=1))
HELD = Receipt(
    run="r",
    at=NOW,
    entries=(ENTRY, replace(ENTRY, id="AA002", name="two", stage=Stage.REMOTE, at=NOW)),
    local={"file a": "x 644", "file b": "y 644", "Python": "3.11"},
    cloud={"workspace": "clarity"},
    watched=Watched(),
)


def test_a_pass_that_holds_says_what_it_holds() -> None:
    text = "gate: the pass of 2026-11-20 12:30 UTC holds: 2 checks, 2 files"
    assert gate._holding(HELD, REQUEST) == f"{text}; Modal and S3 asked again"
    offline = replace(REQUEST, is_offline=True)
    assert gate._holding(HELD, offline) == f"{text}; Modal not asked again (--offline)"
    assert gate._holding(HELD, replace(offline, is_verbose=True)).split("\n")[1:] == [
        "  one                      pass, 2026-11-19 12:30 UTC",
        "  two                      pass, 2026-11-20 12:30 UTC",
    ]


def test_what_is_left_out_is_a_fact_of_the_pass() -> None:
    assert REQUEST.left_out == ()
    assert replace(REQUEST, skip=("a",), stage="remote").left_out == ("a", "stages after remote")


def test_the_command_runs_where_the_checks_looked() -> None:
    given = Settings(environ={"PATH": "/p"}, environment="dev")
    assert gate._named({"A": "1", "PATH": "/q", "MODAL_ENVIRONMENT": "x"}, given) == {
        "A": "1",
        "PATH": "/p",
        "MODAL_ENVIRONMENT": "dev",
    }
    assert gate._named({"A": "1"}, replace(given, environment=None)) == {"A": "1", "PATH": "/p"}


def test_why_no_pass_is_kept_names_the_word_and_the_setting() -> None:
    open_path = Watched(unseen=("app.py:3 add_local_dir: its path is not in the text", "another"))
    said = "app.py:3 add_local_dir: its path is not in the text; name it in [tool.preflight] watch"
    assert gate.why_not_kept(Settings(), open_path) == said
    assert gate.why_not_kept(Settings(watch=("data",)), open_path) == "" == gate.why_not_kept(Settings(), Watched())


def test_what_has_drifted_is_read_with_the_reports_of_the_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("x\n", encoding="utf-8")
    settings = Settings(project=project, app="app.py", state=tmp_path / "state", environ={"PATH": "/nowhere"})
    receipts = Receipts(tmp_path / "state", project, "app.py")
    run = receipts.begin(NOW)
    local = gate.local_facts(replace(settings, outputs=("r.json",)), Watched(), REQUEST)
    held = replace(HELD, run=run, local=local, outputs=("r.json",))
    settled = gate._drifts(held, REQUEST, replace(settings, outputs=()), NOW)
    assert settled == []
    (project / "app.py").write_text("y\n", encoding="utf-8")
    (project / "r.json").write_text("{}", encoding="utf-8")
    assert gate._drifts(held, REQUEST, settings, NOW) == [Drift("app.py", "changed")]
    skipping = gate._drifts(held, replace(REQUEST, skip=("a",), fail_on="warn"), settings, NOW)
    assert skipping == [
        Drift("--fail-on", "fail → warn"),
        Drift("app.py", "changed"),
        Drift("left out", "nothing → a"),
    ]
    later = gate._drifts(held, REQUEST, settings, NOW + timedelta(days=8))
    assert [d.what for d in later] == ["app.py", "one"]
    (tmp_path / "state" / "key" / "machine.key").unlink()
    (gone,) = gate._drifts(held, REQUEST, settings, NOW)
    assert gone.what == "the project" and gone.how.endswith("can't be read: No such file or directory")


# --- of a report ----------------------------------------------------------------------------------------------------


async def _never(looked: object) -> Any:
    raise AssertionError("stood in for")


def id_of(name: str) -> str:
    return f"{name.upper()[:3]}001"


def result(
    name: str, seen: dict[str, Any] | None = None, check: Check | None = None, status: Status = Status.PASS
) -> Result:
    made = check or Check(id=id_of(name), name=name, title="t", stage=Stage.STATIC, run=_never)
    answer = Answer(summary="ok", seen=seen) if seen is not None else None
    return Result(check=made, status=status, seconds=1.0, reason="ok", answer=answer)


def report(*results: Result) -> Report:
    return Report(target=Target(app="app.py"), started=NOW, seconds=1.0, results=results)


def test_what_must_be_accepted_is_named_until_it_is() -> None:
    found = report(
        result("one", {"accept": {"key": "no own model was run"}}),
        result("two", {}),
        result("three", None, None, Status.ERROR),
    )
    assert [*checks._to_accept(found, Settings())] == [("one", "key", "no own model was run")]
    for accepted in ("key", "one"):
        assert [*checks._to_accept(found, Settings(accept_unknown=(accepted,)))] == []
    assert len([*checks._to_accept(found, Settings(accept_unknown=("two",)))]) == 1


def test_a_receipt_holds_each_answer_with_its_own_time() -> None:
    old = NOW - timedelta(days=2)
    facts = result("gate-facts", {"facts": {"workspace": "clarity"}}, cloud.CHECK)
    remembered = result("smoke", {"remembered": True, "at": old.isoformat()})
    none = result("none", None, None, Status.ERROR)
    asked_now = result("other", {"remembered": False, "at": old.isoformat()})
    found = report(result("one", {}), remembered, asked_now, none, facts)
    kept = checks._receipt("r", NOW, found, {"file a": "x"}, Watched(variables=("GPU",)), ("r.json",))
    made = [Entry(id=id_of(n), name=n, stage=Stage.STATIC, status="pass", at=NOW) for n in ("one", "other", "none")]
    made[2] = replace(made[2], status="error")
    assert kept == Receipt(
        run="r",
        at=NOW,
        entries=(
            made[0],
            Entry(id="SMO001", name="smoke", stage=Stage.STATIC, status="pass", at=old),
            *made[1:],
            Entry(id="GATE001", name="gate-facts", stage=Stage.REMOTE, status="pass", at=NOW),
        ),
        local={"file a": "x"},
        cloud={"workspace": "clarity"},
        watched=Watched(variables=("GPU",)),
        outputs=("r.json",),
    )
    assert checks._cloud(report(result("one", {}))) == {}


def test_what_is_next_is_the_command_or_what_mends_it() -> None:
    assert checks._next(report(result("one", {})), REQUEST) == "modal run app.py"
    blocked = result("x", None, cloud.CHECK, Status.BLOCKED)
    assert checks._next(report(result("one", {}), blocked), REQUEST) == "preflight check modal-auth"
    failed = result("one", None, None, Status.ERROR)
    assert checks._next(report(failed, blocked), REQUEST).startswith("preflight ")


def test_the_facts_of_modal_are_asked_only_where_modal_is() -> None:
    static = checks._selection(replace(REQUEST, stage="static"), Settings())
    assert cloud.CHECK not in static.chosen and {c.stage for c in static.chosen} == {Stage.STATIC}
    remote = checks._selection(replace(REQUEST, stage="remote"), Settings())
    assert remote.chosen[-1] is cloud.CHECK and Stage.PAID not in {c.stage for c in remote.chosen}
    fewer = checks._selection(replace(REQUEST, stage="remote", skip=("modal-auth",)), Settings(skip=("credits",)))
    assert {c.name for c in remote.chosen} - {c.name for c in fewer.chosen} == {"modal-auth", "credits"}
    with pytest.raises(click.UsageError, match="no-such"):
        checks._selection(replace(REQUEST, skip=("no-such",)), Settings())


def test_the_options_of_a_run_are_those_of_the_gate() -> None:
    options = checks._options(replace(REQUEST, wait_s=3.0, timeout_s=9.0, fail_on="warn"))
    assert (options.wait_s, options.timeout_s, options.fail_on) == (3.0, 9.0, Status.WARN)


def asked_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: Report, **more: Any) -> Exit | list[Drift]:
    taken: list[Any] = []

    def run_selection(selection: Any, settings: object, options: object, reporters: list[Any]) -> Report:
        taken.append(selection)
        for reporter in reporters:
            reporter.begin(found.target, [r.check for r in found.results])
            reporter.finish(found)
        return found

    monkeypatch.setattr(checks, "run_selection", run_selection)
    settings = Settings(project=tmp_path, app="app.py")
    wanted = checks._selection(REQUEST, settings)
    entries = tuple(replace(ENTRY, id=c.id, name=c.name, stage=c.stage) for c in wanted.chosen)
    held = replace(HELD, entries=entries[more.get("without", 0) :])
    answered = checks.ask_again(replace(REQUEST, stage=more.get("stage", "paid")), settings, held, gate.Documents())
    assert all(c.stage is Stage.REMOTE for each in taken for c in each.chosen)
    return answered


def test_modal_is_asked_again_and_what_it_says_now_is_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = report(result("gate-facts", {"facts": {"workspace": "clarity"}}, cloud.CHECK))
    other = report(result("gate-facts", {"facts": {"workspace": "other"}}, cloud.CHECK))
    assert asked_again(monkeypatch, tmp_path, same) == []
    assert asked_again(monkeypatch, tmp_path, other) == [Drift("workspace", "clarity → other")]
    assert asked_again(monkeypatch, tmp_path, other, stage="static") == []
    missing = asked_again(monkeypatch, tmp_path, same, without=1)
    assert isinstance(missing, list) and missing[0].how == "is a check that the pass has no answer of"
    assert capsys.readouterr().err == ""
    failed = report(replace(result("one", {}), status=Status.FAIL))
    assert asked_again(monkeypatch, tmp_path, failed) is failed.exit is not Exit.READY
    assert "one" in capsys.readouterr().err


def test_what_changed_while_the_checks_ran_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("x\n", encoding="utf-8")
    settings, key = Settings(project=tmp_path, app="app.py", state=tmp_path / "s", environ={"PATH": "/p"}), b"k" * 32
    before = gate.local_facts(settings, Watched(), REQUEST, key)
    assert checks._says_changes(before, settings, Watched(), REQUEST, key) is False
    assert capsys.readouterr().err == ""
    (tmp_path / "app.py").write_text("y\n", encoding="utf-8")
    assert checks._says_changes(before, settings, Watched(), REQUEST, key) is True
    assert capsys.readouterr().err.splitlines() == [
        "gate: changed while the checks ran ([tool.preflight] outputs names what is no source):",
        "  app.py  changed",
    ]
    monkeypatch.setattr(checks, "local_facts", lambda *_: (_ for _ in ()).throw(OSError("gone")))
    assert checks._changed(before, settings, Watched(), REQUEST, key) == (Drift("the project", "gone"),)


def test_a_secret_of_the_environment_is_not_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODAL_TOKEN_SECRET", "as-canary-0123456789")
    gate.say("gate: as-canary-0123456789 is said")
    said = capsys.readouterr().err
    assert said.startswith("gate: ") and said.endswith(" is said\n") and "canary" not in said
