"""An earlier JSON report as a baseline: what it had found already is not held against this run, and stays counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from preflight.model import Answer, Report, Result, Scope, Severity
from preflight.report.ordered import fingerprint
from preflight.report.places import Places

MOST_BYTES = 50_000_000


class BaselineRefused(Exception):
    """The file is no report of ours; the text says why."""


@dataclass(frozen=True)
class Compared:
    """Titles of findings.  ``still`` are hidden from the results of this run."""

    new: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    still: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{len(self.new)} new, {len(self.fixed)} fixed, {len(self.still)} still there"

    def document(self) -> dict[str, list[str]]:
        return {"new": list(self.new), "fixed": list(self.fixed), "still": list(self.still)}


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
        if result.answer is None:
            return result
        left, hidden = _split(self.known.copy(), self.places.result(result), result)
        if not hidden:
            return result
        said = f"{result.answer.summary} ({len(hidden)} known to the baseline)"
        answer: Answer = replace(
            result.answer, summary=said, findings=left, seen={**result.answer.seen, "known": len(hidden)}
        )
        status = answer.status if result.status.value in ("pass", "warn", "fail") else result.status
        return replace(result, status=status, reason=said, answer=answer)

    def report(self, report: Report) -> Report:
        """The report without what was known.  What is hidden makes a part of the whole: it is never READY."""
        self.last = self.compared(report)
        results = tuple(self.applied(r) for r in report.results)
        is_same = all(a is b for a, b in zip(results, report.results, strict=True))
        return replace(report, results=results, scope=report.scope if is_same else Scope.PART)

    def compared(self, report: Report) -> Compared:
        """``report`` is the whole one.  A finding is fixed only where its check has looked again."""
        left = self.known.copy()
        new: list[str] = []
        still: list[str] = []
        for result in report.results:
            placed = self.places.result(result)
            for finding in placed.findings:
                if finding.severity is Severity.INFO:
                    continue
                mark = fingerprint(result.check, finding)
                (still if left[mark] > 0 else new).append(f"{result.check.id} {result.check.name}: {finding.message}")
                left[mark] -= left[mark] > 0
        looked = {r.check.id for r in report.results if r.answer is not None or r.status.value == "skip"}
        fixed = [self.titles[mark] for mark, count in left.items() if count > 0 and self.ids[mark] in looked]
        return Compared(tuple(new), tuple(fixed), tuple(still))


def _split(known: Counter[str], placed: Result, result: Result) -> tuple[tuple[Any, ...], list[Any]]:
    left, hidden = [], []
    for shown, finding in zip(placed.findings, result.findings, strict=True):
        mark = fingerprint(result.check, shown)
        if finding.severity is not Severity.INFO and known[mark] > 0:
            known[mark] -= 1
            hidden.append(finding)
        else:
            left.append(finding)
    return tuple(left), hidden


def read(path: Path, places: Places) -> Baseline:
    """Raises BaselineRefused."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BaselineRefused(f"{path} is larger than {MOST_BYTES // 10**6} MB")
        document = json.loads(path.read_text("utf-8"))
    except OSError as e:
        raise BaselineRefused(f"{path} can't be read: {e.strerror or e}") from e
    except (ValueError, RecursionError) as e:
        raise BaselineRefused(f"{path} is not JSON: {e}") from e
    if not isinstance(document, dict) or document.get("schema") != "preflight.report/1":
        raise BaselineRefused(f"{path} is not a preflight.report/1; write one with -o json={path}")
    baseline = Baseline(places=places)
    for check, row in _rows(document):
        mark = row.get("fingerprint")
        if isinstance(mark, str) and row.get("severity") != Severity.INFO:
            baseline.known[mark] += 1
            baseline.ids[mark] = str(check.get("id"))
            baseline.titles[mark] = f"{check.get('id')} {check.get('name')}: {row.get('message')}"
    return baseline


def _rows(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    results = document.get("results")
    for result in results if isinstance(results, list) else ():
        if isinstance(result, dict) and isinstance(result.get("findings"), list):
            yield from ((result, row) for row in result["findings"] if isinstance(row, dict))
