"""Markdown to paste in a ticket or a job summary: the verdict, what is wrong, then every check in a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TextIO

import preflight
from preflight.events import Event
from preflight.model import Check, Finding, Report, Result, Target
from preflight.report.ordered import bad
from preflight.report.text import one_line, printable

SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")
TICKS = re.compile(r"`+")


class MarkdownReporter:
    def __init__(self, to: TextIO) -> None:
        self.to = to

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        """Nothing before the end."""

    def observe(self, event: Event) -> None:
        """As begin."""

    def finish(self, report: Report) -> None:
        target = report.target
        about = [p for p in (target.app, *target.apps, target.workspace, target.environment) if p]
        if target.sandbox:
            about.append(f"sandbox {target.sandbox}: no real cloud, GPU or bucket was looked at")
        lines = [f"## preflight {preflight.__version__}: {report.verdict.value.upper()}", ""]
        lines += [_text(" · ".join(about)), ""] if about else []
        for result in bad(report):
            lines += self._bad(result)
        lines += ["| | check | status | what was seen |", "|--:|---|---|---|"]
        for result in report.results:
            check = result.check
            lines.append(f"| {check.step or ''} | {check.name} | {result.status} | {_text(one_line(result.reason))} |")
        lines += ["", f"spent ${report.spent_usd:.2f}, {report.seconds:.1f} s"]
        self.to.write("\n".join(lines) + "\n")

    def _bad(self, result: Result) -> list[str]:
        lines = [f"### {result.check.name}: {result.status}", ""]
        if not result.findings:
            return [*lines, _text(one_line(result.reason)), ""]
        for finding in result.findings:
            lines += _finding(finding)
        return lines


def _finding(finding: Finding) -> list[str]:
    where = f"{finding.where}: " if finding.where else ""
    lines = [_text(one_line(where + finding.message))]
    if finding.why:
        lines += ["", f"why: {_text(one_line(finding.why))}"]
    if finding.remedy:
        lines += ["", f"fix: {_code(finding.remedy)}"]
    if finding.evidence:
        text = printable("\n".join(finding.evidence))
        fence = "`" * max(3, 1 + max((len(t) for t in TICKS.findall(text)), default=0))
        lines += ["", fence + "text", text, fence]
    return [*lines, ""]


def _text(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text)


def _code(text: str) -> str:
    text = one_line(text)
    ticks = "`" * (1 + max((len(t) for t in TICKS.findall(text)), default=0))
    pad = " " if "`" in text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
