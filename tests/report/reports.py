"""Reports for the tests of what they become: every status, a fix, a repeat, a place and none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from preflight.model import (
    Answer,
    Check,
    Edit,
    Finding,
    Fix,
    NotApplicable,
    Report,
    Result,
    Scope,
    Severity,
    Stage,
    Status,
    Target,
    Where,
)


async def _never(looked: object) -> NotApplicable:
    return NotApplicable("it is not run here")


def check(id: str, name: str, step: int | None = None, stage: Stage = Stage.REMOTE, title: str = "") -> Check:
    return Check(id=id, name=name, title=title or f"{name} is right", step=step, stage=stage, run=_never)


AUTH = check("MOD001", "modal-auth", 2, title="the Modal token is valid")
BUILDER = check("MOD002", "image-builder", 1)
SECRET = check("STO001", "s3-secret", 3)
BUCKET = check("STO002", "s3-bucket", 4)
CREDITS = check("MOD003", "credits", 5)
SMOKE = Check(
    id="PRJ002",
    name="smoke-test",
    title="the smoke test has passed",
    step=7,
    stage=Stage.PAID,
    run=_never,
    price=_never,
)  # type: ignore[arg-type]
APPS = check("MOD004", "stale-apps", 8)
TIMEOUT = check("RES540", "res-timeout-over-max", stage=Stage.STATIC, title="Every timeout is between 1 s and 24 h.")
WHEEL = check("IMG540", "whl-ext-outcome", stage=Stage.STATIC)
APP = "deploy/modal/app.py"
LONG = "causal_conv1d-1.4.0+cu122torch2.2cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"


def told(by: Check, *found: Finding, said: str = "seen", seconds: float = 0.3) -> Result:
    answer = Answer(summary=said, findings=found)
    return Result(check=by, status=answer.status, seconds=seconds, reason=said, answer=answer)


def timeout_at(line: int) -> Finding:
    return Finding(
        severity=Severity.ERROR,
        message="timeout is 108000 s (30 h); Modal's limit is 86400 s (24 h)",
        remedy="set timeout=86400, and resume a longer run from a checkpoint",
        why="the deploy is refused after the image was built",
        where=Where(APP, line, 15),
        fix=Fix(edits=(Edit(APP, 64, 73, "86400"),), is_safe=True),
    )


NO_TOKEN = Finding(
    severity=Severity.ERROR, message="Modal refuses the token", remedy="modal token new", why="nothing runs"
)
REGION = Finding(
    severity=Severity.WARNING, message="the bucket is in eu-west-1", remedy="set region in [tool.preflight.s3]",
    evidence=("x-amz-bucket-region: eu-west-1",),
)  # fmt: skip

EVERY = Report(
    target=Target(app=APP, environment="main", workspace="clarity"),
    started=datetime(2026, 11, 25, 12, tzinfo=UTC),
    seconds=12.34,
    results=(
        Result(check=BUILDER, status=Status.BLOCKED, seconds=0.1, reason="sign-in: refused", blocked_by="MOD001"),
        told(AUTH, NO_TOKEN),
        Result(check=SECRET, status=Status.BLOCKED, seconds=0.1, reason="sign-in: refused", blocked_by="MOD001"),
        told(BUCKET, REGION, said="s3://b/p/ holds 4 objects"),
        Result(check=CREDITS, status=Status.ERROR, seconds=20, reason="no answer after 20 s"),
        told(TIMEOUT, timeout_at(31), timeout_at(58), said="2 functions"),
        Result(
            check=WHEEL, status=Status.UNKNOWN, seconds=0.2, reason=f"no row of the tables knows {LONG}",
            answer=Answer(summary=f"no row of the tables knows {LONG}"),
        ),
        Result(check=SMOKE, status=Status.SKIP, seconds=0, reason="not started: modal-auth must be right first"),
        told(APPS, said="0 running, 2 deployed"),
    ),
    scope=Scope.WHOLE,
)  # fmt: skip


def of(*results: Result, scope: Scope = Scope.PART, sandbox: str | None = None) -> Report:
    return replace(EVERY, results=results, scope=scope, target=replace(EVERY.target, sandbox=sandbox))
