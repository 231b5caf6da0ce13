"""An earlier JSON report as a baseline: what it had found already is not held against this run, and stays counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import msgspec

from preflight.model import LOOKED, Finding, Report, Result, Scope, Severity, Status
from preflight.report.ordered import fingerprint
from preflight.report.places import Places

MOST_BYTES = 50_000_000


class BaselineRefused(Exception):
    """The file is no report of ours; the text says why."""


class _Finding(msgspec.Struct):
    severity: str
    message: str
    fingerprint: str


class _Result(msgspec.Struct):
    id: str
    name: str
    findings: list[_Finding]


class _Document(msgspec.Struct):
    schema: Literal["preflight.report/1"]
    results: list[_Result]


@dataclass(frozen=True)
class Compared:
    """Titles of findings.  ``still`` are hidden from the results of this run."""

    new: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    still: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{len(self.new)} new, {len(self.fixed)} fixed, {len(self.still)} still there"


@dataclass
class Baseline:
    """Findings by fingerprint: how often, and each one's title and check.  Advice is never counted.

    ``last`` is how the report that was last held against it compares.
    """

    known: Counter[str] = field(default_factory=Counter)
    titles: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    last: Compared | None = None

    def applied(self, result: Result) -> Result:
        """The result without the findings that were known; its reason says how many."""
        left, hidden = self._split(result, self.known.copy())
        if result.answer is None or not hidden:
            return result
        summary = f"{result.answer.summary} ({len(hidden)} known to the baseline)"
        seen = {**result.answer.seen, "known": len(hidden)}
        answer = replace(result.answer, summary=summary, findings=tuple(left), seen=seen)
        status = answer.status if result.status in LOOKED else result.status
        return replace(result, status=status, reason=summary, answer=answer)

    def report(self, report: Report) -> Report:
        """The report without what was known.  What is hidden makes a part of the whole: it is never READY."""
        self.last = self.compared(report)
        results = tuple(map(self.applied, report.results))
        return replace(report, results=results, scope=Scope.PART if self.last.still else report.scope)

    def compared(self, report: Report) -> Compared:
        """``report`` is the whole one.  A finding is fixed only where its check has looked again."""
        left = self.known.copy()
        new: list[str] = []
        still: list[str] = []
        for result in report.results:
            title = f"{result.check.id} {result.check.name}: "
            found, hidden = self._split(result, left)
            new += [title + f.message for f in found if f.severity is not Severity.INFO]
            still += [title + f.message for f in hidden]
        looked = {r.check.id for r in report.results if r.answer is not None or r.status is Status.SKIP}
        fixed = (self.titles[mark] for mark, count in left.items() if count > 0 and self.ids[mark] in looked)
        return Compared(tuple(new), tuple(fixed), tuple(still))

    def _split(self, result: Result, known: Counter[str]) -> tuple[list[Finding], list[Finding]]:
        """The findings that are not known, and those that are, which are taken from ``known``."""
        left: list[Finding] = []
        hidden: list[Finding] = []
        for shown, finding in zip(self.places.result(result).findings, result.findings, strict=True):
            mark = fingerprint(result.check, shown)
            is_known = finding.severity is not Severity.INFO and known[mark] > 0
            known[mark] -= is_known
            (hidden if is_known else left).append(finding)
        return left, hidden


def read(path: Path, places: Places) -> Baseline:
    """Raises BaselineRefused."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BaselineRefused(f"{path} is larger than {MOST_BYTES // 10**6} MB")
        document = msgspec.json.decode(path.read_text("utf-8-sig"), type=_Document)
    except OSError as e:
        raise BaselineRefused(f"{path} can't be read: {e.strerror or e}") from e
    except msgspec.ValidationError as e:
        raise BaselineRefused(f"{path} is not a preflight.report/1; write one with -o json={path}") from e
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise BaselineRefused(f"{path} is not JSON: {e}") from e
    baseline = Baseline(places=places)
    for result in document.results:
        for finding in result.findings:
            if finding.severity != Severity.INFO:
                baseline.known[finding.fingerprint] += 1
                baseline.ids[finding.fingerprint] = result.id
                baseline.titles[finding.fingerprint] = f"{result.id} {result.name}: {finding.message}"
    return baseline
