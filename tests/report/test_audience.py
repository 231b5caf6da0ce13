"""Who is told of a run: screens first, documents when it is over, each whole or with its own error, and no secret."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import pytest

from preflight.cli.running.audience import Audience, Shown, all_checks, audience, reporters, tell
from preflight.cli.running.outputs import Output
from preflight.events import Event, Progress, Reporter
from preflight.model import Check, Exit, Report, Stage, Status, Target
from preflight.report import json_v1
from preflight.report.baseline import Baseline, Compared
from preflight.report.console import ConsoleReporter
from preflight.report.text import in_encoding
from tests.report.reports import APP, AUTH, BUCKET, EVERY, NO_TOKEN, REGION, SECRET, TIMEOUT, of, timeout_at, told

TOKEN = "hunter22-and-more"


class Heard(Reporter):
    title = "the test's report"

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.begun: list[tuple[Target, Sequence[Check]]] = []
        self.events: list[Event] = []
        self.reports: list[Report] = []

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        self.begun.append((target, checks))

    def observe(self, event: Event) -> None:
        if self.error is not None:
            raise self.error
        self.events.append(event)

    def finish(self, report: Report) -> None:
        self.reports.append(report)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return tmp_path


def test_a_secret_of_the_environment_reaches_no_reader_and_no_keeper() -> None:
    reader, keeper = Heard(), Heard()
    heard = Audience([reader], keeper=keeper)
    heard.begin(Target(app=f"{TOKEN}.py"), [AUTH])
    heard.observe(Progress("lookup", TOKEN))
    whole = of(told(AUTH, replace(NO_TOKEN, message=f"{TOKEN} is refused")))
    shown = heard.finish(whole)
    assert reader.begun == [(Target(app="[redacted].py"), [AUTH])] and keeper.begun == []
    assert reader.events == [Progress("lookup", "[redacted]")] and keeper.events == []
    assert reader.reports == keeper.reports == [shown]
    assert shown.results[0].findings[0].message == "[redacted] is refused"


def test_a_reader_that_breaks_costs_its_own_output_only(capsys: pytest.CaptureFixture[str]) -> None:
    broken = [Heard(e) for e in (ValueError("bug"), OSError(28, "No space left"), OSError("odd"), BrokenPipeError())]
    fine = Heard()
    readers: list[Reporter] = [*broken, fine]
    for _ in range(2):
        tell(readers, lambda reader: reader.observe(Progress("a", "b")))
    assert readers == [fine] and len(fine.events) == 2
    assert capsys.readouterr().err.splitlines() == [
        "the test's report could not be written: ValueError: bug",
        "the test's report could not be written: No space left",
        "the test's report could not be written: odd",
    ]
    with pytest.raises(KeyboardInterrupt):
        tell([Heard(KeyboardInterrupt())], lambda reader: reader.observe(Progress("a", "b")))


def test_readers_see_what_is_new_and_the_keeper_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text(json_v1.text(of(told(TIMEOUT, timeout_at(3)))))
    heard = audience(Shown(outputs=(), baseline="base.json", write_baseline="kept.json"))
    reader = Heard()
    heard._readers.append(reader)
    result, whole = told(TIMEOUT, timeout_at(9)), of(told(TIMEOUT, timeout_at(9)))
    heard.observe(result)
    compared = heard.finish(whole)
    assert [getattr(e, "status", None) for e in reader.events] == [Status.PASS]
    assert (reader.reports, compared.exit, whole.exit) == ([compared], Exit.READY, Exit.FINDINGS)
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert (kept["verdict"], len(kept["results"][0]["findings"]), "baseline" in kept) == ("not-ready", 1, False)


def test_screens_come_first_and_each_document_goes_where_it_was_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    formats = ("json", "sarif", "junit", "gitlab", "github", "markdown")
    outputs = tuple(Output(f, f"out.{f}") for f in formats)
    shown = Shown(outputs=(*outputs, Output("console", "out.txt"), Output("console")), is_verbose=True)
    heard = audience(shown)
    first = heard._readers[1]
    assert isinstance(first, ConsoleReporter) and first.is_verbose and not first.is_quiet
    heard.begin(EVERY.target, [r.check for r in EVERY.results])
    for result in EVERY.results:
        heard.observe(result)
    assert not (tmp_path / "out.txt").exists()
    heard.finish(EVERY)
    assert sorted(f.name for f in tmp_path.iterdir()) == sorted([*(f"out.{f}" for f in formats), "out.txt"])
    assert json.loads((tmp_path / "out.json").read_text())["schema"] == "preflight.report/1"
    assert (tmp_path / "out.markdown").read_text().startswith("<!-- preflight -->")
    assert (tmp_path / "out.txt").read_text() == in_encoding(capsys.readouterr().out, "ascii")
    assert "modal-auth" in (tmp_path / "out.txt").read_text()


def test_a_document_starts_its_paths_at_the_repository_and_a_screen_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "here" / "project"
    (tmp_path / ".git").mkdir()
    project.mkdir(parents=True)
    shown = Shown(outputs=(Output("console"), Output("json", "out.json")), is_quiet=True)
    heard = audience(shown, base=project, project=project)
    heard.begin(Target(app=APP), [TIMEOUT])
    heard.finish(of(told(TIMEOUT, timeout_at(3))))
    place = json.loads((tmp_path / "out.json").read_text())["results"][0]["findings"][0]["where"]["path"]
    assert place == f"here/project/{APP}" and f"here/project/{APP}:3" in capsys.readouterr().out
    assert "preflight 0" not in capsys.readouterr().out
    moved = reporters(Shown(), project)[0]
    assert isinstance(moved, ConsoleReporter) and moved.places.goes_up and moved.places.wanted == tmp_path


def test_every_document_tells_how_it_compares(tmp_path: Path) -> None:
    baseline = Baseline(last=Compared(("a",), ("b", "c")))
    shown = Shown(outputs=(Output("json", "out.json"), Output("console", "out.txt")))
    for reader in reporters(shown, None, baseline):
        reader.begin(Target(), [AUTH])
        reader.finish(of(told(AUTH)))
    assert json.loads((tmp_path / "out.json").read_text())["baseline"] == {
        "new": ["a"],
        "fixed": ["b", "c"],
        "still": [],
    }
    assert "against the baseline: 1 new, 2 fixed, 0 still there" in (tmp_path / "out.txt").read_text()


def test_what_can_not_be_written_or_read_is_told_before_anything_runs(tmp_path: Path) -> None:
    source = tmp_path / "report.json"
    source.write_text("{}")
    with pytest.raises(click.UsageError, match="is what is looked at"):
        audience(Shown(outputs=(Output("json", "report.json"),)), sources=[source])
    with pytest.raises(click.UsageError, match="named twice"):
        audience(Shown(outputs=(Output("json", "new.json"),), write_baseline="new.json"))
    with pytest.raises(click.UsageError, match=r"^--baseline: report\.json is not a preflight\.report/1"):
        audience(Shown(baseline="report.json"))


@pytest.mark.parametrize("is_exit_zero", [False, True])
def test_exit_zero_is_for_findings_alone(is_exit_zero: bool) -> None:
    shown = Shown(is_exit_zero=is_exit_zero)
    assert shown.exit_of(of(told(AUTH, NO_TOKEN))) is (Exit.READY if is_exit_zero else Exit.FINDINGS)
    assert shown.exit_of(of()) is Exit.INCOMPLETE
    assert shown.exit_of(replace(of(told(BUCKET, REGION)), is_interrupted=True)) is Exit.INTERRUPTED
    assert shown.exit_of(of(told(SECRET))) is Exit.READY


def test_checks_are_listed_by_stage_and_name_in_checklist_order() -> None:
    everything = all_checks()
    assert {c.stage for c in everything} == set(Stage) and len({c.id for c in everything}) == len(everything)
    steps = [c.step for c in everything if c.step is not None]
    assert steps == sorted(steps)
    assert {c.stage for c in all_checks([Stage.PAID])} == {Stage.PAID}


def test_the_screen_of_a_file_is_written_at_the_end(tmp_path: Path) -> None:
    [reader] = reporters(Shown(outputs=(Output("console", "out.txt"),), is_quiet=True), None)
    assert reader.title == "the console report to out.txt"
    reader.begin(EVERY.target, [r.check for r in EVERY.results])
    for result in EVERY.results:
        reader.observe(result)
    assert list(tmp_path.iterdir()) == []
    reader.finish(EVERY)
    to = io.StringIO()
    screen = ConsoleReporter(to, is_quiet=True)
    screen.begin(EVERY.target, [r.check for r in EVERY.results])
    screen.finish(EVERY)
    assert (tmp_path / "out.txt").read_text() == to.getvalue()
