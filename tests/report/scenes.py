"""Runs that, together, reach every line of the screen and of the documents: the events, and the report at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from preflight.changes import Change, Changed
from preflight.events import Event, Priced, Progress, SpentSoFar, Started, Waiting
from preflight.lookups import Lookup
from preflight.model import (
    Answer,
    Check,
    Edit,
    Finding,
    Fix,
    Price,
    Report,
    Result,
    Scope,
    Severity,
    Status,
    Where,
)
from preflight.report.baseline import Compared
from tests.report.reports import (
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


@dataclass(frozen=True, kw_only=True)
class Scene:
    report: Report
    events: tuple[Event, ...] = ()  # before the results
    compared: Compared | None = None


async def _never(looked: object) -> object:
    raise AssertionError("it is not made here")


LOOKED_UP = tuple(Lookup(f"lookup {n}", _never) for n in (1, 2))  # type: ignore[arg-type, var-annotated]


def rule(number: int, name: str = "") -> Check:
    return replace(TIMEOUT, id=f"RES{number}", name=name or f"rule-{number}", needs=LOOKED_UP[:1])


def without(status: Status, by: Check, reason: str, **more: object) -> Result:
    answer = Answer(summary=reason) if status is Status.UNKNOWN or more.get("assumed") else None
    return Result(check=by, status=status, seconds=0.0, reason=reason, answer=answer, **more)  # type: ignore[arg-type]


def found(severity: Severity, message: str, line: int = 0, **more: object) -> Finding:
    where = Where("train.py", line) if line else None
    return Finding(severity=severity, message=message, remedy="mend it", where=where, **more)  # type: ignore[arg-type]


OWN = replace(rule(549, "own-line"), needs=LOOKED_UP)
ADVICE = found(Severity.INFO, "the image builds slowly", 3)
WARNING, ERROR = Severity.WARNING, Severity.ERROR
SAFE = Fix(edits=(Edit("train.py", 3, 5, "xy"), Edit("other train.py", 0, 1, "")), is_safe=True)
SLOW = "https://example.org/" + "a-long-path/" * 12
CHANGES = (
    Change(group="files", name="app.py", before="1", after="2"),
    Change(group="pins", name="torch", before="==2.2", after="==2.3"),
    Change(group="gpu", name="train", before="A100", after=None),
    Change(group="variables", name="LIST", before=None, after="x" * 195),
    Change(group="files", name="b.py", before=None, after="2"),
)
LEFT = "left out by --free"

SCENES: dict[str, Scene] = {
    "every": Scene(report=EVERY),
    "rules": Scene(
        report=of(
            told(rule(541), ADVICE, seconds=0.04),
            told(rule(542), seconds=0.2),
            told(OWN, ADVICE, said="8 imports were looked at"),
            told(rule(543), found(WARNING, "the volume is small", 9), said="1 volume"),
            without(Status.SKIP, rule(544), "no volume"),
            without(Status.UNKNOWN, rule(545), "the image is open"),
            without(Status.UNKNOWN, rule(546), "the image is open"),
            without(Status.ERROR, rule(547, "a-rule-with-a-name-that-is-longer-than-the-column"), "ValueError: bug"),
            told(APPS, ADVICE),
            without(Status.BLOCKED, rule(548), "sign-in: refused", blocked_by="MOD004"),
        )
    ),
    "rules-with-nothing-to-see": Scene(
        report=of(without(Status.SKIP, rule(541), "no app"), without(Status.SKIP, rule(542), "no volume"))
    ),
    "rules-of-which-all-found-something": Scene(
        report=of(
            told(rule(541), found(ERROR, "first", 1, why="it stops"), ADVICE),
            told(rule(542), found(WARNING, "second")),
            told(BUILDER, said="builder 2024.10"),
        )
    ),
    "rehearsal": Scene(
        report=replace(
            of(
                without(Status.SKIP, AUTH, "the token is valid", assumed="the account is invented"),
                without(Status.SKIP, SECRET, "the secret is there", assumed="the account is invented"),
                without(Status.UNKNOWN, BUCKET, "no lifecycle", assumed="the bucket is invented"),
                without(Status.UNKNOWN, WHEEL, "no row knows it", settled_by="smoke-test"),
                without(Status.SKIP, CREDITS, f"{LEFT}: it costs", is_left_out=True),
                without(Status.SKIP, APPS, f"{LEFT}: it asks", is_left_out=True),
                Result(
                    check=SMOKE, status=Status.PASS, seconds=75, reason="ran", answer=Answer(summary="ran"),
                    spent_usd=Decimal("0.128"),
                ),
                scope=Scope.REHEARSAL, sandbox="healthy",
            ),
        )
    ),
    "several": Scene(
        report=replace(
            of(
                replace(told(BUCKET, REGION), seconds=0.0),
                without(Status.UNKNOWN, WHEEL, "no row knows it", settled_by="accept-unknown"),
                without(Status.BLOCKED, SECRET, "not allowed (HTTP 403)", blocked_by="STO002"),
                without(Status.BLOCKED, CREDITS, "not asked", blocked_by="MOD001"),
                without(Status.BLOCKED, AUTH, "no answer after 10 s"),
            ),
            target=replace(
                EVERY.target, app=None, apps=("a/app.py", "b/app.py"), workspace=None,
                passed_over=("c.py: no app in it", "d.py: a link", "e.py: 2 MB", "f.py: can't be read"),
            ),
            changed=Changed(since=datetime(2026, 11, 20, 8, 5, tzinfo=UTC), changes=CHANGES, note="one was unreadable"),
            command_started=False,
        )
    ),
    "one-thing-differs": Scene(
        report=replace(
            of(told(AUTH), told(BUCKET, REGION)),
            target=replace(EVERY.target, app="deploy files", environment=None, passed_over=("c.py: no app in it",)),
            changed=Changed(since=datetime(2026, 11, 20, 8, 5, tzinfo=UTC), changes=CHANGES[1:2]),
            command_started=True,
            fail_on=Status.WARN,
        ),
    ),
    "nothing-differs": Scene(
        report=replace(
            of(told(BUILDER, seconds=0.049), told(AUTH, seconds=9.96), told(SECRET), told(APPS, seconds=130)),
            scope=Scope.WHOLE, changed=Changed(since=datetime(2026, 11, 20, 8, 5, tzinfo=UTC)),
        ),
        events=(SpentSoFar(Decimal("0.5"), 1, datetime(2026, 1, 2, tzinfo=UTC)),),
    ),
    "no-pass-before": Scene(
        report=replace(
            of(told(BUILDER), told(AUTH, ADVICE), without(Status.SKIP, SMOKE, "no command"), told(BUCKET)),
            changed=Changed(note="the last pass could not be read"),
        )
    ),
    "money": Scene(
        report=replace(
            of(
                told(AUTH),
                Result(
                    check=SMOKE, status=Status.ERROR, seconds=61, reason="interrupted before it could answer",
                    spent_usd=Decimal("0.78"),
                ),
            ),
            is_interrupted=True,
        ),
        events=(
            Started(AUTH),
            Waiting(("modal-auth", "credits"), 4.4, 25.6),
            Priced(SMOKE, Price(Decimal("0.78"), "15 min of\nA100-80GB")),
            Started(SMOKE),
            Progress("smoke-test", "step 3\tof 9"),
            SpentSoFar(Decimal("1.2"), 2, datetime(2026, 1, 2, tzinfo=UTC)),
        ),
    ),
    "too-dear": Scene(
        report=of(
            told(AUTH),
            without(Status.BLOCKED, SMOKE, "needs up to $3.13", retry_with="--spend-max 3.13"),
            scope=Scope.REHEARSAL, sandbox="no-credit",
        )
    ),
    "findings": Scene(
        report=of(
            told(TIMEOUT, *(timeout_at(n) for n in range(1, 7))),
            told(rule(541), *(timeout_at(n) for n in range(1, 5))),
            told(
                AUTH, found(ERROR, "first wrong", 4), found(ERROR, "second wrong"), found(WARNING, "third wrong", 5),
                ADVICE, NO_TOKEN, said="three are wrong",
            ),
            told(
                SECRET,
                found(WARNING, "it ends in: out of memory", 8, evidence=("out of memory", " ", "1", "2", "3", "4")),
            ),
            told(BUCKET, found(WARNING, SLOW, evidence=("1", "2", "3", "4", "5"), why="[bold]it is slow[/bold]")),
            told(
                CREDITS,
                found(WARNING, f"{LONG} is old", fix=SAFE),
                found(WARNING, ":rocket: [red]x[/red]", fix=SAFE),
            ),
            told(APPS, ADVICE, replace(ADVICE, message="no fix", remedy="", where=None)),
        ),
        compared=Compared(("RES540 x: new",), ("RES541 y: fixed",), ("RES542 `z`: still", "RES543 w: still")),
    ),
    "empty": Scene(report=replace(of(), target=replace(EVERY.target, app=None, environment=None, workspace=None))),
}  # fmt: skip
