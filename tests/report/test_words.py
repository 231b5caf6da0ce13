"""The small parts that the formats share: texts made safe, places, order, causes, what to do now, what compares."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from preflight.model import Edit, Fix, Report, Result, Scope, Severity, Status, Target, Verdict, Where
from preflight.report import baseline, json_v1
from preflight.report.baseline import Baseline, BaselineRefused, Compared
from preflight.report.next import command_in, next_command, typed
from preflight.report.ordered import (
    bad,
    causes,
    command_line,
    findings,
    fingerprint,
    part_of,
    verdict_word,
)
from preflight.report.places import Places, from_here, from_repository, place_of
from preflight.report.text import as_json, brief, in_encoding, inert, one_line, plain, printable, seconds
from tests.report.reports import (
    APP,
    APPS,
    AUTH,
    BUCKET,
    BUILDER,
    CREDITS,
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
from tests.report.scenes import without

ADVICE = replace(REGION, severity=Severity.INFO, message="advice")
WAITING = Result(check=SECRET, status=Status.BLOCKED, seconds=0, reason="refused", blocked_by="MOD001")


# --- texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "text", "shown"),
    [
        (printable, "a\tb\nc\x1b[0m\u202e\u2028", "a\tb\nc\\x1b[0m\\u202e\\u2028"),
        (inert, "::error::x\n  ::group::\na ::b ##[error]", "\\::error::x\n  \\::group::\na ::b ##\\[error]"),
        (one_line, " a\n b\tc\x00 ", "a b c\\x00"),
        (brief, f"see {LONG} and a.whl", "see causal_conv1d-1.4.0+cu122torch…x86_64.whl and a.whl"),
        (as_json, {"é": "\x9b\u202e"}, '{\n  "é": "\\u009b\\u202e"\n}\n'),
    ],
)
def test_a_text_is_made_safe(make: object, text: object, shown: str) -> None:
    assert make(text) == shown  # type: ignore[operator]


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "✓ é → “x”"),
        ("latin-1", '+ ? -> "x"'),
        ("ascii", '+ ? -> "x"'),
        (None, '+ ? -> "x"'),
        ("no", '+ ? -> "x"'),
    ],
)
def test_a_text_is_carried_as_its_encoding_can(encoding: str | None, shown: str) -> None:
    assert in_encoding("✓ é → “x”", encoding) == shown
    assert in_encoding("é", "latin-1") == "é"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.95, "10 s"), (119.6, "120 s"), (120, "2 min"), (750, "12 min")],
)
def test_seconds_are_told_in_two_digits_or_three(value: float, shown: str) -> None:
    assert seconds(value) == shown


def test_a_plain_value_is_one_that_every_json_reader_takes() -> None:
    class Silent:
        def __str__(self) -> str:
            raise ValueError("no text")

    given = {1: True, "f": [1.5, float("inf")], "b": bytearray(b"a\xff"), "s": {"b", "a"}, "o": Silent(), "n": None}
    assert plain(given) == {
        "1": True, "f": [1.5, "inf"], "b": "a\\xff", "s": ["a", "b"],
        "o": "<Silent without a text: ValueError>", "n": None,
    }  # fmt: skip
    deep: object = "x"
    for _ in range(45):
        deep = [deep]
    cut = plain(deep)
    for _ in range(40):
        [cut] = cut
    assert cut == "[[[[['x']]]]]"
    assert plain({"k": {"k": ({"k": 1},)}}) == {"k": {"k": [{"k": 1}]}}


# --- words and order --------------------------------------------------------------------------------------------------


def test_the_part_that_was_looked_at() -> None:
    rules = [told(replace(TIMEOUT, id=f"RES{n}", name=f"rule-{n}")) for n in range(541, 545)]
    remote = [told(c) for c in (AUTH, BUILDER, SECRET)]
    paid = told(SMOKE)
    left = replace(without(Status.SKIP, CREDITS, "left out"), is_left_out=True)
    assert part_of(of(*rules[:3])) == "rule-541, rule-542, rule-543"
    assert part_of(of(*rules)) == "static"
    assert part_of(of(*rules, *remote)) == "without the paid steps"
    assert part_of(of(*rules, *remote, paid)) == "8 checks"
    assert part_of(of(*rules, *remote, paid, left)) == "without credits"
    assert part_of(of(*rules, *remote, paid, left, replace(left, check=replace(WHEEL, step=None)))) == "without credits"
    known = replace(rules[0], answer=replace(rules[0].answer, seen={"known": 2}))  # type: ignore[type-var]
    assert part_of(of(known, *rules[1:])) == "static; 2 known to the baseline"
    assert part_of(of(told(AUTH), scope=Scope.WHOLE)) == part_of(of(told(AUTH, NO_TOKEN))) == ""
    assert (verdict_word(Verdict.NOT_READY), verdict_word(Verdict.READY)) == ("NOT READY", "READY")
    gate = replace(EVERY, command_started=True)
    assert command_line(gate) == "the command was started"
    assert command_line(replace(gate, command_started=False)) == "the command was not started"


def test_findings_stand_worst_first_and_else_as_they_came() -> None:
    whole = of(told(BUCKET, ADVICE, REGION), told(AUTH, NO_TOKEN), told(TIMEOUT, timeout_at(1), timeout_at(2)))
    assert [(r.check.id, f.severity.value) for r, f in findings(whole)] == [
        ("MOD001", "error"), ("RES540", "error"), ("RES540", "error"), ("STO002", "warning"), ("STO002", "info"),
    ]  # fmt: skip
    assert [r.check.id for r in bad(EVERY)] == ["MOD001", "RES540", "MOD003", "MOD002", "STO001", "IMG540", "STO002"]
    settled = without(Status.UNKNOWN, WHEEL, "open", settled_by="smoke-test")
    assert bad(of(settled)) == [] and not settled.is_open and replace(settled, settled_by="").is_open


def test_one_cause_is_told_once() -> None:
    def ids(*results: Result) -> list[tuple[str, list[str]]]:
        return [(root.check.id, [r.check.id for r in rest]) for root, rest in causes(of(*results))]

    refused = told(AUTH, NO_TOKEN)
    silent = without(Status.BLOCKED, AUTH, "no answer")
    other = replace(WAITING, check=BUCKET)
    assert ids(refused, WAITING, other) == []
    assert ids(silent, WAITING, other) == [("MOD001", ["STO001", "STO002"])]
    assert ids(told(AUTH), WAITING, other) == [("STO001", ["STO002"])]
    same = [without(Status.ERROR, c, "no answer") for c in (CREDITS, APPS)]
    assert ids(*same, without(Status.UNKNOWN, WHEEL, "open")) == [("MOD003", ["MOD004"]), ("IMG540", [])]


def test_a_fingerprint_is_of_the_check_the_file_and_the_message_alone() -> None:
    mark = fingerprint(TIMEOUT, timeout_at(3))
    assert mark == fingerprint(TIMEOUT, replace(timeout_at(9), why="other", fix=None)) and len(mark) == 32
    other = (
        replace(timeout_at(3), message="x"),
        replace(timeout_at(3), where=Where("b.py", 3)),
        replace(timeout_at(3), where=None),
    )
    assert len({mark, fingerprint(AUTH, timeout_at(3)), *(fingerprint(TIMEOUT, f) for f in other)}) == 5
    assert fingerprint(AUTH, NO_TOKEN) == "f6232d483d48886221d6e3313ee3bf1b"
    assert fingerprint(AUTH, replace(NO_TOKEN, message="\udcff"))


# --- what to do now ---------------------------------------------------------------------------------------------------


def about(app: str | None = APP, apps: tuple[str, ...] = (), sandbox: str | None = None) -> Target:
    return Target(app=app, apps=apps, sandbox=sandbox)


FIXED = Fix(edits=(Edit("a.py", 1, 2, "x"), Edit("-b c.py", 1, 2, "x"), Edit("a.py", 4, 5, "y")), is_safe=True)
FIXABLE = replace(timeout_at(1), fix=FIXED)
IN_WORDS = replace(NO_TOKEN, remedy="make the token valid")


@pytest.mark.parametrize(
    ("whole", "command"),
    [
        (of(told(AUTH), scope=Scope.WHOLE), f"modal run --detach {APP}"),
        (of(told(AUTH)), f"preflight run {APP}"),
        (replace(of(told(AUTH)), target=about("a b.py")), "preflight run 'a b.py'"),
        (replace(of(told(AUTH)), target=about("-a.py")), "preflight run ./-a.py"),
        (replace(of(told(AUTH)), target=about("deploy files")), "preflight run APP"),
        (replace(of(told(AUTH)), target=about(None)), "preflight run APP"),
        (replace(of(told(AUTH)), target=about(None, ("a.py",))), "preflight run --all"),
        (replace(of(told(AUTH, NO_TOKEN)), is_interrupted=True), f"preflight run {APP}"),
        (
            replace(of(told(AUTH), scope=Scope.REHEARSAL, sandbox="rehearsal"), is_interrupted=True),
            f"preflight run {APP} --sandbox",
        ),
        (
            replace(of(told(AUTH), scope=Scope.REHEARSAL, sandbox="healthy"), is_interrupted=True),
            "preflight run --sandbox",
        ),
        (of(without(Status.SKIP, AUTH, "no app")), f"preflight run {APP}"),
        (
            of(told(AUTH), scope=Scope.REHEARSAL, sandbox="healthy"),
            "preflight run APP (your own app, with your Modal account)",
        ),
        (of(told(AUTH), scope=Scope.REHEARSAL, sandbox="rehearsal"), f"preflight run {APP}"),
        (
            of(without(Status.SKIP, AUTH, "valid", assumed="it"), scope=Scope.REHEARSAL, sandbox="healthy"),
            f"preflight run {APP}",
        ),
        (of(told(TIMEOUT, FIXABLE)), "preflight lint --fix a.py './-b c.py'"),
        (replace(of(told(TIMEOUT, FIXABLE)), target=about("-")), "preflight explain res-timeout-over-max"),
        (
            of(told(TIMEOUT, replace(FIXABLE, fix=replace(FIXED, is_safe=False)))),
            "preflight explain res-timeout-over-max",
        ),
        (of(told(AUTH, IN_WORDS), told(TIMEOUT, FIXABLE)), "preflight lint --fix a.py './-b c.py'"),
        (of(told(BUCKET, REGION), told(AUTH, IN_WORDS)), "preflight explain modal-auth"),
        (of(told(AUTH, ADVICE, IN_WORDS, NO_TOKEN)), "preflight explain modal-auth"),
        (of(told(AUTH, ADVICE, NO_TOKEN)), "modal token new"),
        (of(WAITING), "preflight explain s3-secret"),
        (of(WAITING, without(Status.ERROR, CREDITS, "no answer")), "preflight explain credits"),
        (of(without(Status.UNKNOWN, WHEEL, "open", settled_by="x"), WAITING), "preflight explain s3-secret"),
        (
            of(without(Status.BLOCKED, SMOKE, "dear", retry_with="--spend-max 3"), scope=Scope.REHEARSAL, sandbox="x"),
            f"preflight run {APP} --sandbox --spend-max 3",
        ),
        (
            of(without(Status.BLOCKED, SMOKE, "dear", retry_with="--spend-max 3"), sandbox="x"),
            f"preflight run {APP} --spend-max 3",
        ),
    ],
)
def test_what_to_do_now(whole: Report, command: str) -> None:
    assert next_command(whole) == command


@pytest.mark.parametrize(
    ("remedy", "command"),
    [
        ("modal token new; or ask", "modal token new"),
        ("pip install a, and then deploy", "pip install a"),
        ("pip install a  (or b)", "pip install a"),
        ("pip install a or newer", "pip install a or newer"),
        ("git pull, the branch is old", "git pull"),
        ("git pull,", "git pull"),
        ("  make deps ", "make deps"),
        ("to do: git pull", ""),
    ],
)
def test_the_command_of_a_remedy_ends_where_words_begin(remedy: str, command: str) -> None:
    assert command_in(remedy) == command
    assert typed("a b") == "'a b'"


# --- places -----------------------------------------------------------------------------------------------------------


def test_paths_start_where_the_reader_wants_them(tmp_path: Path) -> None:
    project, here = tmp_path / "a" / "b", tmp_path / "c"
    up = from_here(project, here)
    assert (up.path("x.py"), up.path(""), up.path("-")) == ("../a/b/x.py", "", "-")
    assert up.place("x.py:41") == "../a/b/x.py:41" and up.place("x.py") == "../a/b/x.py"
    assert from_here(project, tmp_path).path("x.py") == "a/b/x.py"
    far = from_here(project, tmp_path / "1" / "2" / "3")
    assert far.path("x.py") == "../../../a/b/x.py"
    assert from_here(project, tmp_path / "1" / "2" / "3" / "4").path("x.py") == str(project / "x.py")
    assert from_here(None, here) == from_repository(None, here) == Places()
    assert Places().path("x.py") == Places(project).path("x.py") == "x.py"
    assert Places(project, here).path("x.py") == str(project / "x.py")
    assert Places(project, project).path("..x.py") == "..x.py"


def test_a_report_is_moved_with_its_target_its_findings_and_their_fixes(tmp_path: Path) -> None:
    places = Places(tmp_path / "a", tmp_path)
    whole = replace(
        of(told(TIMEOUT, timeout_at(3)), told(AUTH, NO_TOKEN), told(APPS), WAITING), target=about("x.py", ("y.py",))
    )
    moved = places.report(whole)
    assert (moved.target.app, moved.target.apps) == ("a/x.py", ("a/y.py",))
    [found] = moved.results[0].findings
    assert found == replace(
        timeout_at(3),
        where=Where(f"a/{APP}", 3, 15),
        fix=Fix(edits=(Edit(f"a/{APP}", 64, 73, "86400"),), is_safe=True),
    )
    assert moved.results[1:] == whole.results[1:]
    assert Places(tmp_path, tmp_path).result(whole.results[0]) is whole.results[0]
    assert from_repository(tmp_path / "a", tmp_path).wanted == tmp_path


def test_every_finding_has_a_place() -> None:
    here = replace(NO_TOKEN, where=Where("z.py", 3))
    assert place_of(EVERY, here) == Where("z.py", 3)
    assert place_of(replace(EVERY, target=about("deploy files", ("y.py",))), NO_TOKEN) == Where("y.py", 1)
    assert place_of(replace(EVERY, target=about("x.py", ("y.py",))), NO_TOKEN) == Where("x.py", 1)
    assert place_of(replace(EVERY, target=about(None)), NO_TOKEN) == Where("pyproject.toml", 1)


# --- baseline ---------------------------------------------------------------------------------------------------------


def test_a_baseline_holds_each_finding_as_often_as_it_was_there_and_no_advice(tmp_path: Path) -> None:
    file = tmp_path / "base.json"
    file.write_text(json_v1.text(of(told(TIMEOUT, timeout_at(1), timeout_at(2)), told(BUCKET, ADVICE, REGION))))
    known = baseline.read(file, Places())
    first, second = fingerprint(TIMEOUT, timeout_at(1)), fingerprint(BUCKET, REGION)
    assert known.known == Counter({first: 2, second: 1}) and known.ids == {first: "RES540", second: "STO002"}
    assert known.titles[second] == "STO002 s3-bucket: the bucket is in eu-west-1"
    after = known.report(of(told(TIMEOUT, *(timeout_at(n) for n in range(3))), told(BUCKET, ADVICE), scope=Scope.WHOLE))
    title = f"RES540 res-timeout-over-max: {timeout_at(1).message}"
    assert known.last == Compared((title,), (known.titles[second],), (title, title))
    rule, bucket = after.results
    assert (rule.status, rule.reason) == (Status.FAIL, "seen (2 known to the baseline)")
    assert rule.answer is not None and dict(rule.answer.seen) == {"known": 2} and len(rule.findings) == 1
    assert bucket.findings == (ADVICE,) and after.scope is Scope.PART
    assert known.known[first] == 2  # a second report is held against all of it
    fine = of(told(AUTH), scope=Scope.WHOLE)
    assert known.report(fine).scope is Scope.WHOLE and known.last == Compared()


def test_what_is_open_stays_open_whatever_a_baseline_hides(tmp_path: Path) -> None:
    open_one = replace(without(Status.UNKNOWN, BUCKET, "open"), answer=told(BUCKET, REGION).answer)
    known = Baseline(known=Counter({fingerprint(BUCKET, REGION): 1}))
    assert known.applied(open_one).status is Status.UNKNOWN and known.applied(open_one).findings == ()
    assert known.applied(WAITING) is WAITING
    skipped = Baseline(known=Counter(a=1), ids={"a": "STO002"}, titles={"a": "t"})
    assert skipped.compared(of(without(Status.SKIP, BUCKET, "no bucket"))).fixed == ("t",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[]", "{} is not a preflight.report/1; write one with -o json={}"),
        (b"{", "{} is not JSON: Input data was truncated"),
        ('{"schema": "…"}'.encode("utf-16"), "{} is not JSON: 'utf-8' codec can't decode byte 0xff in position 0: "),
        (None, "{} can't be read: No such file or directory"),
    ],
)
def test_a_refused_baseline_says_why(tmp_path: Path, text: bytes | None, said: str) -> None:
    file = tmp_path / "x.json"
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(BaselineRefused) as caught:
        baseline.read(file, Places())
    assert str(caught.value).startswith(said.replace("{}", str(file)))


def test_a_baseline_that_a_shell_wrote_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"schema": "preflight.report/1", "results": []}), encoding="utf-8-sig")
    assert not baseline.read(file, Places()).known


@pytest.mark.parametrize("results", [3, [3], [{}], [{"id": "A", "name": "n", "findings": [{"fingerprint": 3}]}]])
def test_a_report_whose_results_are_none_is_refused_and_not_read_in_part(tmp_path: Path, results: object) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"schema": "preflight.report/1", "results": results}))
    with pytest.raises(BaselineRefused, match=r"is not a preflight\.report/1"):
        baseline.read(file, Places())


def test_a_baseline_too_large_to_be_ours_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    with file.open("wb") as to:
        to.truncate(baseline.MOST_BYTES + 1)
    with pytest.raises(BaselineRefused, match=r"x\.json is larger than 50 MB$"):
        baseline.read(file, Places())
