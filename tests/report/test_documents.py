"""Each document as its reader needs it: places, addresses, folding, baselines, and the command that repairs."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from preflight.model import Answer, Result, Scope, Severity, Status, Where
from preflight.report import baseline, github, gitlab, json_v1, junit, markdown, sarif
from preflight.report.baseline import BaselineRefused
from preflight.report.console import ConsoleReporter
from preflight.report.next import command_in, next_command
from preflight.report.places import Places, from_repository
from preflight.report.text import plain
from tests.report.reports import (
    APP,
    APPS,
    AUTH,
    BUCKET,
    EVERY,
    LONG,
    NO_TOKEN,
    REGION,
    SECRET,
    SMOKE,
    TIMEOUT,
    WHEEL,
    of,
    timeout_at,
    told,
)

KEPT = Path(__file__).with_name("snapshots")
DOCUMENTS: dict[str, Callable[..., str]] = {
    "report.json": json_v1.text,
    "report.sarif": sarif.text,
    "report.junit.xml": junit.text,
    "report.gitlab.json": gitlab.text,
    "report.github.txt": github.text,
    "report.md": markdown.text,
    "report.60.txt": lambda whole: screen(whole, 60),
    "report.80.txt": lambda whole: screen(whole, 80),
    "report.120.verbose.txt": lambda whole: screen(whole, 120, is_verbose=True),
    "report.quiet.txt": lambda whole: screen(whole, 80, is_quiet=True),
}


def screen(whole: object, width: int, **options: bool) -> str:
    raw = io.BytesIO()
    to = io.TextIOWrapper(raw, encoding="utf-8", newline="")
    reporter = ConsoleReporter(to, width=width, **options)
    assert isinstance(whole, type(EVERY))
    reporter.begin(whole.target, [r.check for r in whole.results])
    for result in whole.results:
        reporter.observe(result)
    reporter.finish(whole)
    to.flush()
    return raw.getvalue().decode()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_is_as_it_was(name: str, request: pytest.FixtureRequest) -> None:
    """PREFLIGHT_KEEP_SNAPSHOTS=1 writes them anew: read the difference."""
    given = DOCUMENTS[name](EVERY)
    given = re.sub(r'("facts_digest": )"[0-9a-f]+"', r'\1"0000000000000000"', given)
    file = KEPT / name
    if os.environ.get("PREFLIGHT_KEEP_SNAPSHOTS"):
        KEPT.mkdir(exist_ok=True)
        file.write_text(given, "utf-8")
    assert given == file.read_text("utf-8")


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("is_verbose", [False, True])
def test_no_line_but_a_command_to_copy_is_wider_than_the_terminal(width: int, is_verbose: bool) -> None:
    lines = screen(EVERY, width, is_verbose=is_verbose).splitlines()
    assert [line for line in lines if len(line) > width and not line.startswith("next")] == []


# --- SARIF ------------------------------------------------------------------------------------------------------------


def results_of(whole: object) -> list[dict]:
    return json.loads(sarif.text(whole))["runs"][0]["results"]  # type: ignore[arg-type,no-any-return]


def test_every_sarif_result_has_a_place_also_where_the_finding_names_none() -> None:
    for one in results_of(EVERY):
        place = one["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": APP, "uriBaseId": "%SRCROOT%"}
        assert place["region"]["startLine"] >= 1 and place["region"]["endLine"] >= place["region"]["startLine"]
    nameless = replace(EVERY, target=replace(EVERY.target, app=None))
    assert results_of(nameless)[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "pyproject.toml"


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/äpp.py", "a%20b/%C3%A4pp.py"),
        ("n\udcff.py", "n%FF.py"),
        ("n\ud800.py", "n%5Cud800.py"),
        ("a%2e?#.py", "a%252e%3F%23.py"),
        ("/x/a b.py", "file:///x/a%20b.py"),
    ],
)
def test_a_sarif_address_is_an_address(path: str, uri: str) -> None:
    found = replace(REGION, where=Where(path, 1))
    place = results_of(of(told(BUCKET, found)))[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": uri} | ({} if path.startswith("/") else {"uriBaseId": "%SRCROOT%"})


def test_a_sarif_result_of_a_whole_file_stands_at_its_first_line() -> None:
    place = results_of(of(told(BUCKET, replace(REGION, where=Where(APP)))))[0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 1, "endLine": 1}


def test_a_sarif_rule_says_what_github_asks_for() -> None:
    for rule in json.loads(sarif.text(EVERY))["runs"][0]["tool"]["driver"]["rules"]:
        assert rule["fullDescription"]["text"].endswith(".") and rule["helpUri"].startswith("https://")
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")


def test_a_fix_comes_with_its_edits() -> None:
    change = next(r for r in results_of(EVERY) if "fixes" in r)["fixes"][0]["artifactChanges"][0]
    assert change["replacements"] == [
        {"deletedRegion": {"charOffset": 64, "charLength": 9}, "insertedContent": {"text": "86400"}}
    ]
    findings = [f for r in json.loads(json_v1.text(EVERY))["results"] for f in r["findings"] if f["fix"]]
    assert findings[0]["fix"] == {"safe": True, "edits": [{"path": APP, "start": 64, "end": 73, "text": "86400"}]}


# --- annotations and summaries ----------------------------------------------------------------------------------------


def test_one_cause_is_one_annotation() -> None:
    lines = github.text(EVERY).splitlines()
    assert sum("Modal refuses the token" in line for line in lines) == 1
    assert sum("timeout is 108000 s" in line for line in lines) == 1  # two places
    assert "also at deploy/modal/app.py:58" in "".join(lines)
    assert sum(line.startswith("::error") for line in lines) <= github.MOST
    assert lines[0].startswith("::error")


def test_markdown_can_be_pasted() -> None:
    text = markdown.text(EVERY)
    assert text.startswith("<!-- preflight -->\n## preflight")
    assert "MOD001" in text and "RES540" in text and text.count("Modal refuses the token") == 1
    assert "| PRJ002 | smoke-test |" in text[text.index("<details>") :]
    assert "fix: `modal token new`" in text and "fix: set timeout=86400," in text
    assert "@octocat" not in markdown.text(of(told(AUTH, replace(NO_TOKEN, message="ask @octocat"))))


def test_junit_has_file_and_line_and_a_warning_fails_where_it_fails_the_run() -> None:
    case = next(
        c for c in ET.fromstring(junit.text(EVERY).split("\n", 1)[1]).iter("testcase") if "RES540" in c.get("name", "")
    )
    assert (case.get("file"), case.get("line")) == (APP, "31")
    warned = of(told(BUCKET, REGION))
    assert "<failure" not in junit.text(warned)
    assert "<failure" in junit.text(replace(warned, fail_on=Status.WARN))


def test_gitlab_gets_a_list_with_a_place_and_a_mark_of_its_own_for_each() -> None:
    rows = json.loads(gitlab.text(EVERY))
    assert len({r["fingerprint"] for r in rows}) == len(rows)
    assert all(r["location"]["lines"]["begin"] >= 1 and r["location"]["path"] for r in rows)
    assert {r["severity"] for r in rows} == {"critical", "major", "minor"}


# --- JSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        Path("/a"),
        Decimal("1.5"),
        datetime(2026, 1, 1, tzinfo=UTC),
        {1, 2},
        b"\xff",
        {(1, 2): 3},
        float("nan"),
        "\ud800",
    ],
)
def test_what_json_can_not_hold_changes_no_verdict(value: object) -> None:
    answer = Answer(summary="seen", seen={"value": value, "deep": [{"more": value}]})
    whole = of(Result(check=AUTH, status=Status.PASS, seconds=0, reason="seen", answer=answer))
    document = json.loads(json_v1.text(whole), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert document["exit"] == 0
    json_v1.text(whole).encode("utf-8")


def test_something_that_holds_itself_ends() -> None:
    value: list[object] = []
    value.append(value)
    json.dumps(plain(value))


# --- paths ------------------------------------------------------------------------------------------------------------


def test_paths_start_at_the_top_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    project = tmp_path / "training"
    project.mkdir()
    placed = from_repository(project, tmp_path / "elsewhere").report(EVERY)
    assert placed.target.app == f"training/{APP}"
    assert f"file=training/{APP},line=31" in github.text(placed)


def test_what_lies_outside_has_its_whole_path(tmp_path: Path) -> None:
    assert Places(tmp_path, tmp_path).path("/other/app.py") == "/other/app.py"
    assert Places(tmp_path / "a", tmp_path / "b", goes_up=True).path("app.py") == "../a/app.py"


# --- what to do now ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remedy", "command"),
    [
        ("modal token new", "modal token new"),
        ("modal app stop ap-1 --yes", "modal app stop ap-1 --yes"),
        ("modal volume create data, or create_if_missing=True", "modal volume create data"),
        ("/p/.venv/bin/python -m pip install --upgrade modal", "/p/.venv/bin/python -m pip install --upgrade modal"),
        ("set timeout=86400", ""),
        ("make the token valid", ""),
        ("modal is too old", ""),
    ],
)
def test_a_command_is_told_from_words(remedy: str, command: str) -> None:
    assert command_in(remedy) == command


def test_next_is_the_command_that_repairs() -> None:
    assert next_command(EVERY) == "modal token new"
    assert next_command(of(told(TIMEOUT, timeout_at(31)))) == f"preflight lint --fix {APP}"
    warned = replace(of(told(BUCKET, REGION)), fail_on=Status.WARN)
    assert next_command(warned) == "preflight explain s3-bucket"
    poor = Result(check=SMOKE, status=Status.BLOCKED, seconds=0, reason="needs more", retry_with="--spend-max 3.13")
    assert next_command(of(poor)) == f"preflight run {APP} --spend-max 3.13"


def test_a_blocked_check_sends_to_its_cause() -> None:
    waiting = Result(check=SECRET, status=Status.BLOCKED, seconds=0, reason="refused", blocked_by="MOD001")
    assert next_command(of(waiting, told(AUTH, NO_TOKEN))) == "modal token new"


def test_only_the_whole_checklist_sends_to_the_run_itself() -> None:
    fine = told(APPS)
    assert next_command(of(fine, scope=Scope.WHOLE)) == f"modal run --detach {APP}"
    assert next_command(of(fine)) == f"preflight run {APP}"
    assert "modal run" not in next_command(of(fine, scope=Scope.REHEARSAL, sandbox="healthy"))


def test_the_reason_of_a_blocked_check_is_the_true_one_where_the_named_check_passed() -> None:
    waiting = Result(
        check=SECRET, status=Status.BLOCKED, seconds=0, reason="access denied (HTTP 403)", blocked_by="MOD001"
    )
    assert "access denied (HTTP 403)" in screen(of(told(AUTH), waiting), 80)
    assert "blocked by modal-auth" in screen(of(told(AUTH, NO_TOKEN), waiting), 80)


def test_long_wheel_names_are_for_the_verbose() -> None:
    assert LONG not in screen(EVERY, 120)
    assert LONG in screen(EVERY, 120, is_verbose=True).replace("\n", "").replace(" ", "")


def test_the_part_that_was_looked_at_is_named_beside_clean() -> None:
    assert re.search(r"CLEAN +\(stale-apps\)", screen(of(told(APPS)), 80))
    many = [told(replace(TIMEOUT, id=f"RES{n}", name=f"rule-{n}")) for n in range(541, 546)]
    assert re.search(r"CLEAN +\(static\)", screen(of(*many), 80))


def test_advice_is_counted_on_the_line_of_the_rules() -> None:
    advice = replace(timeout_at(3), severity=Severity.INFO, fix=None)
    one, two = (replace(TIMEOUT, id=f"RES54{n}", name=f"rule-{n}") for n in (1, 2))
    shown = screen(of(told(one, advice, seconds=0), told(two, seconds=0)), 80)
    assert "2 of 2 rules looked at the app and found nothing but 1 piece of advice (-v)" in " ".join(shown.split())
    assert "2 pieces of advice" in " ".join(
        screen(of(told(one, advice, advice, seconds=0), told(two, seconds=0)), 80).split()
    )
    assert "advice" not in screen(of(told(one), told(two)), 80)


def test_a_settled_unknown_says_by_what() -> None:
    said = Answer(summary="no row knows it")
    settled = Result(
        check=WHEEL, status=Status.UNKNOWN, seconds=0, reason="no row", answer=said, settled_by="gpu-probe"
    )
    shown = screen(of(settled, told(APPS)), 80)
    assert "settled by gpu-probe" in shown and "1 ? settled" in shown and "unknown" not in shown


# --- baseline ---------------------------------------------------------------------------------------------------------


def kept(tmp_path: Path, whole: object) -> baseline.Baseline:
    file = tmp_path / "base.json"
    file.write_text(json_v1.text(whole))  # type: ignore[arg-type]
    return baseline.read(file, Places())


def test_what_the_baseline_knows_is_not_held_against_the_run_and_stays_counted(tmp_path: Path) -> None:
    known = kept(tmp_path, of(told(TIMEOUT, timeout_at(31)), told(AUTH, NO_TOKEN)))
    after = known.report(of(told(TIMEOUT, timeout_at(40)), told(AUTH), scope=Scope.WHOLE))  # it moved; the token is new
    assert after.exit == 0 and after.verdict == "clean"  # and never READY
    assert str(known.last) == "0 new, 1 fixed, 1 still there"
    assert "1 known to the baseline" in after.results[0].reason


def test_a_second_one_of_the_same_kind_is_new(tmp_path: Path) -> None:
    known = kept(tmp_path, of(told(TIMEOUT, timeout_at(31))))
    after = known.report(of(told(TIMEOUT, timeout_at(31), timeout_at(58))))
    assert after.exit == 1 and str(known.last) == "1 new, 0 fixed, 1 still there"


def test_what_could_not_be_looked_at_again_is_not_called_fixed(tmp_path: Path) -> None:
    known = kept(tmp_path, of(told(AUTH, NO_TOKEN)))
    known.report(of(Result(check=AUTH, status=Status.ERROR, seconds=1, reason="no answer")))
    assert str(known.last) == "0 new, 0 fixed, 0 still there"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "preflight.probe/1"}', "[" * 100_000])
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(BaselineRefused):
        baseline.read(tmp_path / "x.json", Places())
