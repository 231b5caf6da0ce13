"""SARIF 2.1.0 as GitHub's code scanning takes it: every result has a place; checks without an answer are notifications.

One result without a place makes GitHub refuse the whole file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import preflight
from preflight.model import Check, Edit, Finding, Report, Result, Severity
from preflight.report.baseline import Compared
from preflight.report.ordered import RANK, findings, fingerprint, open_questions
from preflight.report.places import place_of
from preflight.report.text import as_json, plain, printable

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
ROOT = "%SRCROOT%"
GUIDE = "https://modal.com/docs/guide"
PAGES = {"IMG": "images", "RES": "resources", "STO": "cloud-bucket-mounts", "GPU": "gpu", "PRJ": "apps"}


def text(report: Report, compared: Compared | None = None) -> str:
    return as_json(plain(document(report, compared)))


def document(report: Report, compared: Compared | None = None) -> dict[str, Any]:
    notifications = [
        {
            "level": "error",
            "message": {"text": printable(f"{r.check.name} has no answer ({r.status}): {r.reason}")},
            "descriptor": {"id": r.check.id},
        }
        for r in open_questions(report)
    ]
    checks = [r.check for r in report.results]
    run = {
        "tool": {
            "driver": {
                "name": "preflight",
                "version": preflight.__version__,
                "semanticVersion": preflight.__version__,
                "rules": [_rule(r) for r in report.results],
            }
        },
        "automationDetails": {"id": "preflight/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not notifications and not report.is_interrupted,
                "exitCode": int(report.exit),
                "exitCodeDescription": report.verdict.value,
                "startTimeUtc": report.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "toolExecutionNotifications": notifications,
                **_command(report),
            }
        ],
        "results": [_result(report, checks, r, f, compared) for r, f in findings(report)],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _command(report: Report) -> dict[str, Any]:
    return {} if report.command_started is None else {"properties": {"commandStarted": report.command_started}}


def _rule(result: Result) -> dict[str, Any]:
    check = result.check
    worst = min((f.severity for f in result.findings), key=RANK.__getitem__, default=Severity.WARNING)
    return {
        "id": check.id,
        "name": check.name,
        "shortDescription": {"text": _sentence(check.title)},
        "fullDescription": {"text": _sentence(f"It should be true that {check.title}")},
        "help": {"text": check.doc or check.title},
        "helpUri": f"{GUIDE}/{PAGES[check.id[:3]]}" if check.id[:3] in PAGES else GUIDE,
        "defaultConfiguration": {"level": LEVELS[worst]},
        "properties": {"tags": [check.stage.value]},
    }


def _sentence(text: str) -> str:
    text = printable(text[:1].upper() + text[1:])
    return text if text.endswith(".") else f"{text}."


def _result(
    report: Report, checks: list[Check], result: Result, finding: Finding, compared: Compared | None
) -> dict[str, Any]:
    parts = (finding.message, finding.why, f"Fix: {finding.remedy}" if finding.remedy else "")
    where = place_of(report, finding)
    line = where.line or 1
    region = {"startLine": line, "endLine": line}
    if where.line and where.column:
        region["startColumn"] = where.column
    one: dict[str, Any] = {
        "ruleId": result.check.id,
        "ruleIndex": next(n for n, check in enumerate(checks) if check is result.check),
        "level": LEVELS[finding.severity],
        "message": {"text": "\n".join(_sentence(p) for p in parts if p)},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(where.path), "region": region}}],
        "partialFingerprints": {"preflight/v1": fingerprint(result.check, finding)},
    }
    if finding.fix is not None:
        one["fixes"] = [_fix(finding)]
    if compared is not None:
        one["baselineState"] = "new"
    return one


def _fix(finding: Finding) -> dict[str, Any]:
    assert finding.fix is not None
    by_path: dict[str, list[Edit]] = {}
    for edit in finding.fix.edits:
        by_path.setdefault(edit.path, []).append(edit)
    changes = [
        {
            "artifactLocation": _artifact(path),
            "replacements": [
                {
                    "deletedRegion": {"charOffset": e.start, "charLength": e.end - e.start},
                    "insertedContent": {"text": e.text},
                }
                for e in edits
            ],
        }
        for path, edits in by_path.items()
    ]
    return {"description": {"text": _sentence(finding.remedy or finding.message)}, "artifactChanges": changes}


def _artifact(path: str) -> dict[str, str]:
    """A reference from the top of the repository; what lies outside it is a file address."""
    raw = path.replace("\\", "/").encode("utf-8", "surrogateescape" if _is_raw(path) else "backslashreplace")
    if Path(path).is_absolute():
        return {"uri": "file://" + quote(raw)}
    return {"uri": quote(raw), "uriBaseId": ROOT}


def _is_raw(path: str) -> bool:
    """Whether the name's odd characters are bytes of the file system, which a URI carries as they are."""
    return all(not 0xD800 <= ord(c) <= 0xDFFF or 0xDC80 <= ord(c) <= 0xDCFF for c in path)
