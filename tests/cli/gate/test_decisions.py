"""What the gate decides and says, function by function: words, exit codes, and what it asks for next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from preflight.cli.gate import checks
from preflight.cli.running.audience import Audience, Shown
from preflight.model import Answer, Check, Exit, Report, Result, Stage, Status, Target
from preflight.settings import Settings
from preflight.state import cloud
from preflight.state.drift import Drift
from preflight.state.receipt import Entry, Receipt, Receipts
from preflight.state.sources import Watched
from tests.cli.gate.test_words import NOW, REQUEST, gate

# --- what it says ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "preflight gate --renew -- modal run app.py"),
        ({"app": "a b.py"}, "preflight gate --renew 'a b.py' -- modal run app.py"),
        (
            {"environment": "dev", "fail_on": Status.WARN, "stage": Stage.REMOTE, "skip": ("x", "y")},
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
    assert gate._holding(HELD, replace(offline, shown=Shown(is_verbose=True))).split("\n")[1:] == [
        "  one                      pass, 2026-11-19 12:30 UTC",
        "  two                      pass, 2026-11-20 12:30 UTC",
    ]


def test_what_is_left_out_is_a_fact_of_the_pass() -> None:
    assert REQUEST.left_out == ()
    assert replace(REQUEST, skip=("a",), stage=Stage.REMOTE).left_out == ("a", "stages after remote")


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
    assert checks.why_not_kept(Settings(), open_path) == said
    assert checks.why_not_kept(Settings(watch=("data",)), open_path) == "" == checks.why_not_kept(Settings(), Watched())


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
    skipping = gate._drifts(held, replace(REQUEST, skip=("a",), fail_on=Status.WARN), settings, NOW)
    assert skipping == [
        Drift("--fail-on", "fail → warn"),
        Drift("app.py", "changed"),
        Drift("left out", "nothing → a"),
    ]
    (configured,) = gate._drifts(held, REQUEST, replace(settings, fail_on="warn"), NOW)[:1]
    assert configured == Drift("--fail-on", "fail → warn")
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
    static = checks._selection(replace(REQUEST, stage=Stage.STATIC), Settings())
    assert cloud.CHECK not in static.chosen and {c.stage for c in static.chosen} == {Stage.STATIC}
    remote = checks._selection(replace(REQUEST, stage=Stage.REMOTE), Settings())
    assert remote.chosen[-1] is cloud.CHECK and Stage.PAID not in {c.stage for c in remote.chosen}
    fewer = checks._selection(replace(REQUEST, stage=Stage.REMOTE, skip=("modal-auth",)), Settings(skip=("credits",)))
    assert {c.name for c in remote.chosen} - {c.name for c in fewer.chosen} == {"modal-auth", "credits"}
    with pytest.raises(click.UsageError, match="no-such"):
        checks._selection(replace(REQUEST, skip=("no-such",)), Settings())


def asked_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: Report, **more: Any) -> Exit | list[Drift]:
    taken: list[Any] = []

    def run_selection(selection: Any, settings: object, options: object, heard: Audience) -> Report:
        taken.append(selection)
        return heard.told(found)

    monkeypatch.setattr(checks, "run_selection", run_selection)
    settings = Settings(project=tmp_path, app="app.py")
    wanted = checks._selection(REQUEST, settings)
    entries = tuple(replace(ENTRY, id=c.id, name=c.name, stage=c.stage) for c in wanted.chosen)
    held = replace(HELD, entries=entries[more.get("without", 0) :])
    documents = gate.Documents(REQUEST, settings)
    answered = checks.ask_again(replace(REQUEST, stage=more.get("stage")), settings, held, documents)
    assert all(c.stage is Stage.REMOTE for each in taken for c in each.chosen)
    return answered


def test_modal_is_asked_again_and_what_it_says_now_is_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = report(result("gate-facts", {"facts": {"workspace": "clarity"}}, cloud.CHECK))
    other = report(result("gate-facts", {"facts": {"workspace": "other"}}, cloud.CHECK))
    assert asked_again(monkeypatch, tmp_path, same) == []
    assert asked_again(monkeypatch, tmp_path, other) == [Drift("workspace", "clarity → other")]
    assert asked_again(monkeypatch, tmp_path, other, stage=Stage.STATIC) == []
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
    monkeypatch.setattr(gate, "local_facts", lambda *_: (_ for _ in ()).throw(OSError("gone")))
    assert gate.changes(before, settings, Watched(), REQUEST, key) == (Drift("the project", "gone"),)


def test_a_secret_of_the_environment_is_not_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODAL_TOKEN_SECRET", "as-canary-0123456789")
    gate.say("gate: as-canary-0123456789 is said")
    said = capsys.readouterr().err
    assert said.startswith("gate: ") and said.endswith(" is said\n") and "canary" not in said
