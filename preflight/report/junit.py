"""JUnit XML for CI systems: a fail is a failure, a check without an answer is an error, a warning passes.

XML 1.0 has no place for most control characters; they are shown as ``\\x1b``.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from preflight.model import Finding, Report, Result, Status
from preflight.report.baseline import Compared
from preflight.report.places import place_of
from preflight.report.text import one_line, printable


def text(report: Report, compared: Compared | None = None) -> str:
    root = ET.Element("testsuites", name="preflight")
    results = report.results
    suite = ET.SubElement(
        root,
        "testsuite",
        name="preflight" + (f" (sandbox {one_line(report.target.sandbox)})" if report.target.sandbox else ""),
        timestamp=report.started.isoformat(timespec="seconds"),
        time=f"{report.seconds:.3f}",
        tests=str(len(results)),
        failures=str(sum(r.status.fails(report.fail_on) for r in results)),
        errors=str(sum(r.is_open for r in results)),
        skipped=str(sum(r.status is Status.SKIP for r in results)),
    )
    properties = ET.SubElement(suite, "properties")
    rows = {"verdict": report.verdict.value, "exit": str(int(report.exit))}
    if report.command_started is not None:
        rows["command_started"] = str(report.command_started).lower()
    for name, value in (rows | ({"baseline": str(compared)} if compared else {})).items():
        ET.SubElement(properties, "property", name=name, value=value)
    for result in results:
        _case(suite, report, result)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(suite: ET.Element, report: Report, result: Result) -> None:
    check = result.check
    place = {}
    if result.findings:
        where = place_of(report, result.findings[0])
        place = {"file": one_line(where.path), "line": str(where.line or 1)}
    attributes = place | {"classname": f"preflight.{check.stage}", "name": f"{check.id} {check.name}"}
    case = ET.SubElement(suite, "testcase", attributes, time=f"{result.seconds:.3f}")
    reason = printable(result.reason)
    text = "\n\n".join(_text(f) for f in result.findings)
    if result.status.fails(report.fail_on):
        message = printable(result.findings[0].message) if len(result.findings) == 1 else reason
        ET.SubElement(case, "failure", message=message, type=result.status.value).text = text
    elif result.is_open:
        ET.SubElement(case, "error", message=reason, type=result.status.value).text = text or None
    elif result.status is Status.SKIP:
        ET.SubElement(case, "skipped", message=reason)
    else:
        ET.SubElement(case, "system-out").text = "\n\n".join(filter(None, [reason, text]))


def _text(finding: Finding) -> str:
    where = f"{finding.where}: " if finding.where else ""
    lines = [f"{finding.severity}: {where}{finding.message}"]
    lines += [f"why: {finding.why}"] if finding.why else []
    lines += [f"fix: {finding.remedy}"] if finding.remedy else []
    return "\n".join([*map(one_line, lines), *(printable(f"  {line}") for line in finding.evidence)])
