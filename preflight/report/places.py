"""Where paths start from: a report's are its project's; a reader wants those of the repository, or of their folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from preflight.model import Finding, Report, Result, Target, Where


@dataclass(frozen=True)
class Places:
    """Paths relative to ``base`` become relative to ``wanted``; without a base they stay as they are."""

    base: Path | None = None
    wanted: Path | None = None
    goes_up: bool = False  # `../app.py` is wanted too; else what lies outside is absolute

    def path(self, path: str) -> str:
        if self.base is None or self.wanted is None or not path or path == "-":
            return path
        full = os.path.abspath(os.path.join(self.base, path))  # noqa: PTH100, PTH118 - links stay as they are written
        shown = os.path.relpath(full, self.wanted)
        outside = shown == os.pardir or shown.startswith(os.pardir + os.sep)
        return full if outside and not (self.goes_up and shown.count(os.pardir) <= 3) else shown

    def place(self, place: str) -> str:
        """Of ``app.py:41``."""
        path, colon, line = place.rpartition(":")
        return f"{self.path(path)}{colon}{line}" if line.isdecimal() else self.path(place)

    def target(self, target: Target) -> Target:
        return replace(target, app=target.app and self.path(target.app), apps=tuple(map(self.path, target.apps)))

    def result(self, result: Result) -> Result:
        if self.base is None or self.base == self.wanted or result.answer is None or not result.findings:
            return result
        return replace(result, answer=replace(result.answer, findings=tuple(map(self._finding, result.findings))))

    def report(self, report: Report) -> Report:
        return replace(report, target=self.target(report.target), results=tuple(map(self.result, report.results)))

    def _finding(self, finding: Finding) -> Finding:
        where = finding.where and replace(finding.where, path=self.path(finding.where.path))
        edits = tuple(replace(e, path=self.path(e.path)) for e in finding.fix.edits) if finding.fix else ()
        return replace(finding, where=where, fix=finding.fix and replace(finding.fix, edits=edits))


def from_repository(base: Path | None, cwd: Path) -> Places:
    """For documents: from the top of the repository that the project is in; without one, from the working folder."""
    if base is None:
        return Places()
    base = base.resolve()
    top = next((f for f in (base, *base.parents) if (f / ".git").exists()), None)
    return Places(base, top or cwd.resolve())


def from_here(base: Path | None, cwd: Path) -> Places:
    """For the screen: as somebody in the working folder would type them."""
    return Places() if base is None else Places(base.resolve(), cwd.resolve(), goes_up=True)


def place_of(report: Report, finding: Finding | None = None) -> Where:
    """Every finding has a place: its own, else the app's file, else the settings, where the app is named."""
    apps = (app for app in (report.target.app, *report.target.apps) if app and not app.endswith(" files"))
    return (finding and finding.where) or Where(next(apps, "pyproject.toml"), 1)
