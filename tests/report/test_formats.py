"""Every format of one report whose texts are as bad as texts get: valid in its own terms, and the same verdict."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from preflight.events import Priced
from preflight.model import (
    Answer,
    Check,
    Finding,
    NotApplicable,
    Price,
    Report,
    Result,
    Scope,
    Severity,
    Stage,
    Status,
    Target,
    Where,
)
from preflight.report import github, gitlab, json_v1, junit, markdown, sarif
from preflight.report.baseline import Compared
from preflight.report.console import ConsoleReporter
from preflight.report.github import MOST

NASTY = "mamba-ssm[causal-conv1d] \x1b[31mred\x1b[0m \u202egnp.exe | `x` *y* <b>&amp;</b> :: 100% \r\n::error::forged"
SCHEMA = json.loads(files("preflight.report").joinpath("schemas/preflight.report-1.json").read_text("utf-8"))


async def never(looked: object) -> NotApplicable:
    return NotApplicable("it is not run here")


def check(id: str, name: str, step: int | None = None, stage: Stage = Stage.REMOTE) -> Check:
    return Check(id=id, name=name, title=f"{name} is right", step=step, stage=stage, run=never)


AUTH = check("MOD001", "modal-auth", 2)
SECRET = check("STO001", "s3-secret", 3)
BUCKET = check("STO002", "s3-bucket", 4)
APPS = check("MOD004", "stale-apps", 8)
RULE = check("IMG010", "ord-env-after-build", stage=Stage.STATIC)


def told(check: Check, *found: Finding, said: str = "seen") -> Result:
    answer = Answer(summary=said, findings=found)
    return Result(check=check, status=answer.status, seconds=0.3, reason=said, answer=answer)


def wrong(message: str = NASTY, severity: Severity = Severity.ERROR, where: Where | None = None) -> Finding:
    return Finding(severity=severity, message=message, remedy=f"pip install {NASTY}", evidence=(NASTY,), where=where)


BLOCKED = Result(check=BUCKET, status=Status.BLOCKED, seconds=0.1, reason="the secret: refused", blocked_by="STO001")
SKIPPED = Result(check=APPS, status=Status.SKIP, seconds=0.0, reason="does not apply")
AT = Where("deploy/modal/app.py", 41, 5)


def report(*results: Result, sandbox: str | None = None) -> Report:
    return Report(
        target=Target(app="deploy/modal/app.py", sandbox=sandbox),
        started=datetime(2026, 11, 25, 12, tzinfo=UTC),
        seconds=1.25,
        results=results,
        scope=Scope.REHEARSAL if sandbox else Scope.PART,
    )


BAD = report(told(AUTH, said=NASTY), told(SECRET, wrong(where=AT)), told(RULE, wrong(where=AT)), BLOCKED, SKIPPED)


def as_text(document: Callable[[Report, Compared | None], str]) -> Callable[[Report], str]:
    return lambda whole: document(whole, None)


def on_80_columns(whole: Report, *, is_verbose: bool = False, width: int = 80) -> str:
    to = io.StringIO()
    reporter = ConsoleReporter(to, width=width, is_verbose=is_verbose)
    reporter.begin(whole.target, [r.check for r in whole.results])
    for result in whole.results:
        reporter.observe(result)
    reporter.finish(whole)
    return to.getvalue()


def on_80_columns_verbose(whole: Report) -> str:
    return on_80_columns(whole, is_verbose=True)


SHOWN = [
    on_80_columns,
    on_80_columns_verbose,
    *map(as_text, (github.text, markdown.text, sarif.text, junit.text, gitlab.text)),
]


def test_json_is_valid_by_its_schema_and_keeps_every_text_as_it_was() -> None:
    document = json.loads(json_v1.text(BAD))
    jsonschema.validate(document, SCHEMA)
    assert (document["verdict"], document["exit"]) == ("not-ready", 1)
    assert document["results"][1]["findings"][0]["message"] == NASTY
    assert document["results"][3]["blocked_by"] == "STO001"


@pytest.mark.parametrize("make", SHOWN)
def test_no_shown_format_carries_a_byte_that_a_terminal_would_obey(make: Callable[[Report], str]) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", make(BAD))


@pytest.mark.parametrize("make", SHOWN)
def test_what_looks_like_markup_survives(make: Callable[[Report], str]) -> None:
    assert "mamba-ssm[causal-conv1d]" in make(BAD).replace("\\", "")


def test_junit_counts_failures_errors_and_skips_and_keeps_the_verdict() -> None:
    suite = ET.fromstring(junit.text(BAD).split("\n", 1)[1])[0]
    counts = {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "2", "errors": "1", "skipped": "1"}
    assert {p.get("name"): p.get("value") for p in suite[0]} == {"verdict": "not-ready", "exit": "1"}


def test_junit_counts_a_warning_as_a_failure_only_when_it_fails_the_run() -> None:
    warning = told(SECRET, wrong(severity=Severity.WARNING))
    assert 'failures="0"' in junit.text(report(warning))


def test_sarif_places_findings_and_tells_what_could_not_look() -> None:
    run = json.loads(sarif.text(BAD))["runs"][0]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 41, "endLine": 41, "startColumn": 5}
    assert not run["invocations"][0]["executionSuccessful"]
    assert run["invocations"][0]["toolExecutionNotifications"][0]["descriptor"] == {"id": "STO002"}
    assert {r["ruleId"] for r in run["results"]} <= {r["id"] for r in run["tool"]["driver"]["rules"]}


def test_sarif_of_a_clean_run_has_no_result_and_no_notification() -> None:
    run = json.loads(sarif.text(report(told(AUTH), SKIPPED)))["runs"][0]
    assert (run["results"], run["invocations"][0]["executionSuccessful"]) == ([], True)


def test_a_text_can_not_forge_an_annotation() -> None:
    lines = github.text(BAD).splitlines()
    assert not any(line.startswith("::error::forged") for line in lines)
    assert lines[0].startswith("::error file=deploy/modal/app.py,line=41,endLine=41,col=5,title=STO001 s3-secret::")


def test_more_annotations_than_github_shows_are_counted_not_lost() -> None:
    many = told(SECRET, *(wrong(f"finding {n}", where=AT) for n in range(MOST + 3)))
    out = github.text(report(many))
    assert out.count("::error file") == MOST
    assert "13 errors; 3 more than GitHub shows" in out


def test_markdown_shows_text_as_text_and_code_as_code() -> None:
    out = markdown.text(BAD)
    assert "\\<b\\>" in out
    assert "### STO001 s3-secret: fail" in out
    assert "NOT READY" in out.splitlines()[1]
    folded = out[out.index("<details>") :]
    assert "| MOD001 | modal-auth | pass |" in folded and "s3-secret" not in folded


# --- the screen -------------------------------------------------------------------------------------------------


def test_no_line_is_wider_than_the_terminal() -> None:
    longest = max(len(line) for line in on_80_columns(BAD).splitlines())
    assert longest <= 80


def test_a_single_finding_is_told_once_with_its_place_and_its_fix() -> None:
    out = on_80_columns(report(told(SECRET, wrong("aws lacks AWS_REGION", where=AT), said="1 secret")))
    assert out.count("aws lacks AWS_REGION") == 1
    assert re.search(r"at +deploy/modal/app.py:41\n +fix +pip install", out)


def test_a_blocked_check_names_the_one_that_explains_it_and_nothing_twice() -> None:
    out = on_80_columns(report(told(SECRET, wrong("refused")), BLOCKED))
    assert re.search(r". s3-bucket +blocked by s3-secret +0.1 s\n", out)


def test_a_blocked_check_gives_its_reason_where_the_explaining_one_is_not_part_of_the_run() -> None:
    assert "blocked by STO001: the secret: refused" in on_80_columns(report(BLOCKED))


def test_the_next_command_explains_the_cause_and_not_what_it_blocked() -> None:
    cause = Result(check=SECRET, status=Status.BLOCKED, seconds=10, reason="no answer after 10 s")
    assert "next         preflight explain s3-secret" in on_80_columns(report(BLOCKED, cause))


def test_ready_names_the_run_and_a_sandbox_says_that_it_was_one() -> None:
    whole = replace(report(told(AUTH)), scope=Scope.WHOLE)
    assert "next    modal run --detach deploy/modal/app.py" in on_80_columns(whole)
    assert "CLEAN" in on_80_columns(report(told(AUTH)))  # a part of the checklist proves too little
    sandboxed = on_80_columns(report(told(AUTH), sandbox="healthy"))
    assert "no real cloud, GPU or bucket was looked at" in sandboxed
    assert "modal run --detach" not in sandboxed


def test_a_step_that_costs_says_its_price_before_it_starts() -> None:
    to = io.StringIO()
    reporter = ConsoleReporter(to, width=80)
    reporter.begin(Target(), [APPS])
    reporter.observe(Priced(APPS, Price(Decimal("0.78"), "15 min of A100-80GB")))
    assert "stale-apps: up to $0.78 (15 min of A100-80GB)" in to.getvalue()


def test_an_ascii_pipe_gets_ascii_of_the_same_sense() -> None:
    raw = io.BytesIO()
    to = io.TextIOWrapper(raw, encoding="ascii")
    reporter = ConsoleReporter(to, width=80)
    reporter.begin(BAD.target, [r.check for r in BAD.results])
    reporter.finish(BAD)
    to.flush()
    assert b"x s3-secret" in raw.getvalue() or b"NOT READY" in raw.getvalue()


def test_nothing_looked_at_is_incomplete_and_never_ready() -> None:
    assert "INCOMPLETE" in on_80_columns(report(SKIPPED))
