"""Markdown to paste in a ticket, a comment or a job summary: the verdict, what is wrong, and every check, folded."""

from __future__ import annotations

import re
from collections.abc import Sequence

import preflight
from preflight.model import WORST_FIRST, Finding, Report, Result, Status
from preflight.report.baseline import Compared
from preflight.report.next import command_in, next_command
from preflight.report.ordered import bad, command_line, grouped, part_of, verdict_word
from preflight.report.text import brief, inert, one_line, printable

SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$&!])")
TICKS = re.compile(r"`+")
MARK = "<!-- preflight -->"  # by which a comment that is there already is found again
MOST_EVIDENCE = 30


def text(report: Report, compared: Compared | None = None) -> str:
    target = report.target
    word = verdict_word(report.verdict) + (f" ({part_of(report)})" if part_of(report) else "")
    about = [p for p in (target.app, *target.apps, target.workspace, target.environment) if p]
    if target.sandbox:
        about.append(f"sandbox {target.sandbox}: no real cloud was looked at")
    counts = [f"{report.counts[s]} {s.value}" for s in WORST_FIRST if report.counts[s]]
    lines = [MARK, f"## preflight {preflight.__version__}: {word}", ""]
    lines += [" · ".join(_text(one_line(p)) for p in about), ""] if about else []
    lines += [f"{', '.join(counts)} · spent ${report.spent_usd:.2f} · {report.seconds:.1f} s", ""]
    lines += [command_line(report), ""] if report.command_started is not None else []
    if compared is not None:
        lines += [f"against the baseline: {compared}", ""]
        for word, titles in (("new", compared.new), ("fixed", compared.fixed), ("still there", compared.still)):
            lines += [f"- {word}: {_text(brief(one_line(t)))}" for t in titles] + [""] * bool(titles)
    lines += [f"not looked at: {_text(one_line(p))}\n" for p in target.passed_over]
    for results in grouped(bad(report), _waits_for).values():
        lines += _bad(results)
    lines += [f"next: {_code(next_command(report))}", ""]
    rest = [r for r in report.results if r not in bad(report)]
    if rest:
        passed = sum(r.status is Status.PASS for r in rest)
        lines += ["<details>", f"<summary>{passed} passed, {len(rest) - passed} others</summary>", ""]
        lines += ["| id | check | status | what was seen |", "|---|---|---|---|"]
        lines += [*map(_row, grouped(rest, _skipped_for).values()), "", "</details>"]
    return inert("\n".join(lines)) + "\n"


def _skipped_for(result: Result) -> str:
    """What was skipped for the same reason is one row."""
    return result.reason if result.status is Status.SKIP and not result.assumed else result.check.id


def _waits_for(result: Result) -> object:
    """Checks that wait for one and the same thing are told together."""
    return result.check.id if result.findings else (result.status, result.blocked_by or result.reason)


def _row(results: Sequence[Result]) -> str:
    result = results[0]
    reason = _text(brief(one_line(result.reason)))
    status = f"settled by {result.settled_by}" if result.settled_by else "assumed" if result.assumed else result.status
    ids = ", ".join(r.check.id for r in results)
    name = result.check.name if len(results) == 1 else f"{len(results)} checks"
    return f"| {ids} | {name} | {_text(one_line(status))} | {reason} |"


def _bad(results: list[Result]) -> list[str]:
    first = results[0]
    names = ", ".join(f"{r.check.id} {r.check.name}" for r in results)
    lines = [f"### {names}: {first.status}", ""]
    if not first.findings:
        return [*lines, _text(brief(one_line(first.reason))), ""]
    for same in grouped(first.findings, lambda f: (f.message, f.why, f.remedy)).values():
        lines += _finding(same)
    return lines


def _finding(found: list[Finding]) -> list[str]:
    first = found[0]
    where = ", ".join(f"`{one_line(str(f.where)).replace('`', chr(39))}`" for f in found if f.where)
    lines = [(f"{where}: " if where else "") + _text(brief(one_line(first.message)))]
    if first.why:
        lines += ["", f"why: {_text(one_line(first.why))}"]
    if first.remedy:
        is_command = command_in(first.remedy) == first.remedy
        lines += ["", f"fix: {_code(first.remedy) if is_command else _text(one_line(first.remedy))}"]
    if first.evidence:
        text = printable("\n".join(first.evidence[:MOST_EVIDENCE]))
        fence = "`" * max(3, 1 + _longest_ticks(text))
        lines += ["", fence + "text", text, fence]
    return [*lines, ""]


def _longest_ticks(text: str) -> int:
    return max(map(len, TICKS.findall(text)), default=0)


def _text(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text).replace("@", "@\u2060")  # a word joiner: nobody is called by a log line


def _code(text: str) -> str:
    text = one_line(text)
    ticks = "`" * (1 + _longest_ticks(text))
    pad = " " if "`" in text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
