"""SARIF 2.1.0 as GitHub's code scanning takes it: every result has a place; checks without an answer are notifications.

One result without a place makes GitHub refuse the whole file.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import preflight
from preflight.model import Check, Finding, Fix, Report, Result, Severity, Where
from preflight.report.baseline import Compared
from preflight.report.ordered import findings, fingerprint, grouped, rank
from preflight.report.places import place_of
from preflight.report.text import as_json, printable

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
ROOT = "%SRCROOT%"
GUIDE = "https://modal.com/docs/guide"
HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # of a character: neither text nor a byte
PAGES = {"IMG": "images", "RES": "resources", "STO": "cloud-bucket-mounts", "GPU": "gpu", "PRJ": "apps"}


def text(report: Report, compared: Compared | None = None) -> str:
    notifications = [
        {
            "level": "error",
            "message": {"text": printable(f"{r.check.name} has no answer ({r.status}): {r.reason}")},
            "descriptor": {"id": r.check.id},
        }
        for r in report.results
        if r.is_open
    ]
    started = report.command_started
    state = {} if compared is None else {"baselineState": "new"}
    index = {r.check.id: number for number, r in enumerate(report.results)}
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
                **({} if started is None else {"properties": {"commandStarted": started}}),
            }
        ],
        "results": [_result(r.check, index[r.check.id], f, place_of(report, f)) | state for r, f in findings(report)],
    }
    return as_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(result: Result) -> dict[str, object]:
    check = result.check
    worst = min((f.severity for f in result.findings), key=rank, default=Severity.WARNING)
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


def _result(check: Check, index: int, finding: Finding, where: Where) -> dict[str, object]:
    parts = (finding.message, finding.why, f"Fix: {finding.remedy}" if finding.remedy else "")
    region = {"startLine": where.line or 1, "endLine": where.line or 1}
    if where.line and where.column:
        region["startColumn"] = where.column
    return {
        "ruleId": check.id,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": "\n".join(_sentence(p) for p in parts if p)},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(where.path), "region": region}}],
        "partialFingerprints": {"preflight/v1": fingerprint(check, finding)},
        **({"fixes": [_fix(finding, finding.fix)]} if finding.fix else {}),
    }


def _fix(finding: Finding, fix: Fix) -> dict[str, object]:
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
        for path, edits in grouped(fix.edits, lambda e: e.path).items()
    ]
    return {"description": {"text": _sentence(finding.remedy or finding.message)}, "artifactChanges": changes}


def _artifact(path: str) -> dict[str, str]:
    """A reference from the top of the repository; what lies outside it is a file address."""
    # bytes of the file system that are no text, U+DC80 to U+DCFF here, are carried as they are
    raw = path.replace("\\", "/").encode("utf-8", "backslashreplace" if HALF.search(path) else "surrogateescape")
    if Path(path).is_absolute():
        return {"uri": "file://" + quote(raw)}
    return {"uri": quote(raw), "uriBaseId": ROOT}
