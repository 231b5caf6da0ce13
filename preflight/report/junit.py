"""JUnit XML for CI systems: a fail is a failure, a check that could not look is an error, a warning passes.

XML 1.0 has no place for most control characters; they are shown as ``\\x1b``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO
from xml.etree import ElementTree as ET

from preflight.events import Event
from preflight.model import Check, Finding, Report, Result, Status, Target
from preflight.report.text import printable


class JunitReporter:
    def __init__(self, to: TextIO) -> None:
        self.to = to

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        """Nothing before the end."""

    def observe(self, event: Event) -> None:
        """As begin."""

    def finish(self, report: Report) -> None:
        root = ET.Element("testsuites", name="preflight")
        counts = report.counts
        failures = counts[Status.FAIL] + (counts[Status.WARN] if report.fail_on is Status.WARN else 0)
        suite = ET.SubElement(
            root,
            "testsuite",
            name="preflight" + (f" (sandbox {report.target.sandbox})" if report.target.sandbox else ""),
            timestamp=report.started.isoformat(timespec="seconds"),
            time=f"{report.seconds:.3f}",
            tests=str(len(report.results)),
            failures=str(failures),
            errors=str(counts[Status.ERROR] + counts[Status.BLOCKED] + counts[Status.UNKNOWN]),
            skipped=str(counts[Status.SKIP]),
        )
        properties = ET.SubElement(suite, "properties")
        for name, value in (("verdict", report.verdict.value), ("exit", str(int(report.exit)))):
            ET.SubElement(properties, "property", name=name, value=value)
        for result in report.results:
            self._case(suite, result, report.fail_on)
        ET.indent(root)
        self.to.write('<?xml version="1.0" encoding="utf-8"?>\n')
        self.to.write(ET.tostring(root, encoding="unicode") + "\n")

    def _case(self, suite: ET.Element, result: Result, fail_on: Status) -> None:
        check = result.check
        case = ET.SubElement(
            suite,
            "testcase",
            classname=f"preflight.{check.stage}",
            name=f"{check.id} {check.name}",
            time=f"{result.seconds:.3f}",
        )
        reason = printable(result.reason)
        text = "\n\n".join(_text(f) for f in result.findings)
        if result.status is Status.FAIL or (result.status is Status.WARN and fail_on is Status.WARN):
            ET.SubElement(case, "failure", message=reason, type=result.status.value).text = text
        elif result.status in (Status.ERROR, Status.BLOCKED, Status.UNKNOWN):
            ET.SubElement(case, "error", message=reason, type=result.status.value)
        elif result.status is Status.SKIP:
            ET.SubElement(case, "skipped", message=reason)
        else:
            ET.SubElement(case, "system-out").text = "\n\n".join(filter(None, [reason, text]))


def _text(finding: Finding) -> str:
    where = f"{finding.where}: " if finding.where else ""
    lines = [f"{finding.severity}: {where}{finding.message}"]
    lines += [f"why: {finding.why}"] if finding.why else []
    lines += [f"fix: {finding.remedy}"] if finding.remedy else []
    return printable("\n".join([*lines, *finding.evidence]))
