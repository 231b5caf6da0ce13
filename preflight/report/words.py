"""What a verdict is called, and how much of the checklist it is about."""

from __future__ import annotations

from preflight.model import Report, Scope, Stage, Verdict

MOST_NAMES = 3


def verdict_word(verdict: Verdict) -> str:
    return verdict.value.replace("-", " ").upper()


def part_of(report: Report) -> str:
    """Of a CLEAN report: "static", "modal-auth", "without gpu-probe"; "" for every other."""
    if report.verdict is not Verdict.CLEAN or report.scope is not Scope.PART:
        return ""
    asked = [r.check for r in report.results if not r.is_left_out]
    if len(asked) <= MOST_NAMES:
        return ", ".join(c.name for c in asked)
    stages = {c.stage for c in asked}
    known = sum(int(r.answer.seen.get("known", 0)) for r in report.results if r.answer)
    if stages == {Stage.STATIC}:
        part = "static"
    elif Stage.PAID not in stages:
        part = "without the paid steps"
    else:
        left = [r.check.name for r in report.results if r.is_left_out and r.check.step]
        part = f"without {', '.join(left)}" if left else f"{len(asked)} checks"
    return f"{part}; {known} known to the baseline" if known else part


def command_line(report: Report) -> str:
    """Of a gate's report, whether its command was started; its exit code is then the gate's."""
    return "the command was started" if report.command_started else "the command was not started"
