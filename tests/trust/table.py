"""The table of figures: every attack, how often it was tried, how often it got through, and how long that took.

It stands at the end of every run that holds an attack.  A test of this folder is one trial, or as many as it counts
with ``tally``; attacks that need the fixtures of another folder stand there, and are counted here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass

import pytest

ATTACKS = {  # where its tests are → attack
    "tests/trust/test_gate.py": "1 gate: a held pass, another world",
    "tests/cli/gate/test_drift.py": "1 gate: drifts",
    "tests/cli/gate/test_receipts.py": "1 gate: forged receipts",
    "tests/cli/gate/test_command.py": "1 gate: the command behind it",
    "tests/state/test_watched.py": "1 gate: what the app takes from here",
    "tests/trust/test_interrupts.py": "2 interrupts",
    "tests/trust/test_hostile_apps.py": "3 hostile apps",
    "tests/trust/test_forgery.py": "4 forgery",
    "tests/trust/test_leaks.py": "5 leaks: forms of a value",
    "tests/trust/test_canaries.py": "5 leaks: doors and formats",
    "tests/trust/test_outputs.py": "6 output files and streams",
    "tests/cli/test_outputs.py": "6 output files and streams",
    "tests/trust/test_hosts.py": "7 strange hosts and plugins",
    "tests/remote/test_odd_modal.py": "8 remote faults: Modal",
    "tests/remote/test_odd_s3.py": "8 remote faults: S3",
    "tests/trust/test_remote_faults.py": "8 remote faults: commands",
    "tests/trust/test_fuzz.py": "9 fuzz",
}
FIGURES = "trust figures"


@dataclass
class Tally:
    """What one test tried.  ``worst`` is the slowest trial in seconds, ``most_mb`` the largest in memory, if known."""

    trials: int = 0
    bad: int = 0
    worst_s: float = 0.0
    most_mb: float = 0.0
    name: str = ""  # of what was attacked, for a row of its own

    def add(self, is_bad: bool = False, *, seconds: float = 0.0, mb: float = 0.0) -> None:
        self.trials += 1
        self.bad += is_bad
        self.worst_s, self.most_mb = max(self.worst_s, seconds), max(self.most_mb, mb)


def row_of(nodeid: str) -> str:
    return next((attack for place, attack in ATTACKS.items() if nodeid.startswith(place)), "")


@pytest.hookimpl(tryfirst=True)  # before the tests are chosen by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if row_of(item.nodeid):
            item.add_marker("trust")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tests: dict[str, list[pytest.TestReport]] = defaultdict(list)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and row_of(report.nodeid):
                tests[report.nodeid].append(report)
    rows: dict[str, Tally] = defaultdict(Tally)
    seconds: dict[str, float] = defaultdict(float)
    for nodeid, phases in tests.items():
        if any(phase.skipped for phase in phases):
            continue
        given = next((json.loads(v) for phase in phases for k, v in phase.user_properties if k == FIGURES), {})
        attack = f"{row_of(nodeid)}: {given['name']}" if given.get("name") else row_of(nodeid)
        row = rows[attack]
        row.trials += given.get("trials") or 1
        row.bad += max(given.get("bad", 0), int(any(phase.failed for phase in phases)))
        row.worst_s = max(row.worst_s, given.get("worst_s", 0.0))
        row.most_mb = max(row.most_mb, given.get("most_mb", 0.0))
        seconds[attack] += sum(phase.duration for phase in phases)
    if not rows:
        return
    write = terminalreporter.write_line
    terminalreporter.section("trust: attacks")
    width = max(map(len, rows))
    write(f"{'attack':<{width}}  {'trials':>8}  {'bad':>5}  {'seconds':>8}  {'worst s':>8}  {'most MB':>8}")
    for attack, row in sorted(rows.items()):
        worst, most = (f"{v:.2f}" if v else "" for v in (row.worst_s, row.most_mb))
        write(f"{attack:<{width}}  {row.trials:>8,}  {row.bad:>5}  {seconds[attack]:>8.1f}  {worst:>8}  {most:>8}")
    trials, bad = sum(r.trials for r in rows.values()), sum(r.bad for r in rows.values())
    write(f"{'all':<{width}}  {trials:>8,}  {bad:>5}  {sum(seconds.values()):>8.1f}")
