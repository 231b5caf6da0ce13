"""Markdown to paste in a ticket, a comment or a job summary: the verdict, what is wrong, and every check, folded."""

from __future__ import annotations

import re
from collections.abc import Sequence

import preflight
from preflight.model import WORST_FIRST, Finding, Report, Result, Status
from preflight.report.baseline import Compared
from preflight.report.next import is_command, next_command
from preflight.report.ordered import bad
from preflight.report.text import brief, inert, one_line, printable
from preflight.report.words import command_line, part_of, verdict_word

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
        lines += (
            _listed("new", compared.new) + _listed("fixed", compared.fixed) + _listed("still there", compared.still)
        )
    lines += [f"not looked at: {_text(one_line(p))}\n" for p in target.passed_over]
    for results in _by_reason(bad(report)):
        lines += _bad(results)
    lines += [f"next: {_code(next_command(report))}", ""]
    rest = [r for r in report.results if r not in bad(report)]
    if rest:
        passed = sum(r.status is Status.PASS for r in rest)
        lines += ["<details>", f"<summary>{passed} passed, {len(rest) - passed} others</summary>", ""]
        lines += ["| id | check | status | what was seen |", "|---|---|---|---|"]
        lines += [_row(rs) for rs in _together(rest)] + ["", "</details>"]
    return inert("\n".join(lines)) + "\n"


def _together(results: Sequence[Result]) -> list[list[Result]]:
    """What was skipped for the same reason is one row."""
    groups: dict[object, list[Result]] = {}
    for result in results:
        is_same = result.status is Status.SKIP and not result.assumed
        groups.setdefault(result.reason if is_same else result.check.id, []).append(result)
    return list(groups.values())


def _row(results: Sequence[Result]) -> str:
    result = results[0]
    said = _text(brief(one_line(result.reason)))
    status = f"settled by {result.settled_by}" if result.settled_by else "assumed" if result.assumed else result.status
    ids = ", ".join(r.check.id for r in results)
    name = result.check.name if len(results) == 1 else f"{len(results)} checks"
    return f"| {ids} | {name} | {_text(one_line(status))} | {said} |"


def _listed(word: str, titles: Sequence[str]) -> list[str]:
    return [f"- {word}: {_text(brief(one_line(t)))}" for t in titles] + ([""] if titles else [])


def _by_reason(results: Sequence[Result]) -> list[list[Result]]:
    """Checks that wait for one and the same thing are told together."""
    groups: dict[object, list[Result]] = {}
    for result in results:
        key = result.check.id if result.findings else (result.status, result.blocked_by or result.reason)
        groups.setdefault(key, []).append(result)
    return list(groups.values())


def _bad(results: list[Result]) -> list[str]:
    first = results[0]
    names = ", ".join(f"{r.check.id} {r.check.name}" for r in results)
    lines = [f"### {names}: {first.status}", ""]
    if not first.findings:
        return [*lines, _text(brief(one_line(first.reason))), ""]
    same: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in first.findings:
        same.setdefault((finding.message, finding.why, finding.remedy), []).append(finding)
    for found in same.values():
        lines += _finding(found)
    return lines


def _finding(found: list[Finding]) -> list[str]:
    first = found[0]
    where = ", ".join(f"`{_bare(str(f.where))}`" for f in found if f.where)
    lines = [(f"{where}: " if where else "") + _text(brief(one_line(first.message)))]
    if first.why:
        lines += ["", f"why: {_text(one_line(first.why))}"]
    if first.remedy:
        lines += ["", f"fix: {_code(first.remedy) if is_command(first.remedy) else _text(one_line(first.remedy))}"]
    if first.evidence:
        text = printable("\n".join(first.evidence[:MOST_EVIDENCE]))
        fence = "`" * max(3, 1 + max((len(t) for t in TICKS.findall(text)), default=0))
        lines += ["", fence + "text", text, fence]
    return [*lines, ""]


def _text(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text).replace("@", "@\u2060")  # a word joiner: nobody is called by a log line


def _bare(text: str) -> str:
    return one_line(text).replace("`", "'")


def _code(text: str) -> str:
    text = one_line(text)
    ticks = "`" * (1 + max((len(t) for t in TICKS.findall(text)), default=0))
    pad = " " if "`" in text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
