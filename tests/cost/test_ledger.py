from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from preflight.api import passed
from preflight.engine.run import Limits, run
from preflight.engine.select import Selection
from preflight.events import Event, Priced, Started
from preflight.lookups import Looked, World
from preflight.model import Answer, Check, Price, Report, Result, Stage, Status, Target
from preflight.settings import Settings
from preflight.state.ledger import Ledger
from preflight.testing import NOON

PROJECT = Path("/nowhere/project")


def paid(usd: str, *, spent: str | None = None, seconds: float = 0, name: str = "pa001") -> Check:
    async def price(looked: Looked) -> Price:
        return Price(Decimal(usd), "a test")

    async def body(looked: Looked) -> Answer:
        await asyncio.sleep(seconds)
        return Answer(summary="ran", spent_usd=None if spent is None else Decimal(spent))

    return Check(id=name.upper(), name=name, title="t", stage=Stage.PAID, run=body, price=price, timeout_s=seconds + 5)


def ran(ledger: Ledger, *checks: Check, cancelled_after_s: float | None = None, run_s: float | None = None) -> Report:
    async def go() -> Report:
        world = World(NOON, Settings())
        limits = Limits(spend_max_usd=Decimal(9), run_s=run_s)
        work = run(Selection(checks), world, target=Target(), observe=ledger.observe, limits=limits)
        task = asyncio.create_task(work)
        if cancelled_after_s is not None:
            await asyncio.sleep(cancelled_after_s)
            task.cancel()
        return await task

    return asyncio.run(go())


def rows(ledger: Ledger) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in ledger.file.read_text("utf-8").splitlines() if line]
    return [(row["event"], row["usd"]) for row in lines]


def total(ledger: Ledger) -> tuple[str, int, int]:
    found = ledger.total()
    assert found is not None
    return str(found.usd), found.steps, found.open_steps


def test_each_paid_step_is_written_down_before_it_starts_and_when_it_has_ended(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, PROJECT)
    seen: list[tuple[str, str]] = []

    async def body(looked: Looked) -> Answer:
        seen.extend(rows(ledger))
        return Answer(summary="ran", spent_usd=Decimal("0.70"))

    check = paid("0.78")
    ran(ledger, Check(id="PA001", name="pa001", title="t", stage=Stage.PAID, run=body, price=check.price))
    assert seen == [("starts", "0.78")]
    assert rows(ledger) == [("starts", "0.78"), ("ended", "0.70")]
    assert total(ledger) == ("0.70", 1, 0)


def test_the_sum_is_over_all_runs_of_the_project_and_of_no_other(tmp_path: Path) -> None:
    ran(Ledger(tmp_path, PROJECT), paid("0.10"), paid("0.20", spent="0.05", name="pa002"))
    ran(Ledger(tmp_path, PROJECT), paid("0.10"))
    ran(Ledger(tmp_path, PROJECT.with_name("other")), paid("5"))
    assert total(Ledger(tmp_path, PROJECT)) == ("0.25", 3, 0)


def test_an_interrupted_step_counts_at_its_price_in_the_report_and_in_the_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, PROJECT)
    report = ran(ledger, paid("0.78", seconds=30), paid("0.21", name="pa002"), cancelled_after_s=0.3)
    assert report.is_interrupted
    assert [(r.status, r.spent_usd) for r in report.results] == [
        (Status.ERROR, Decimal("0.78")),
        (Status.ERROR, Decimal(0)),
    ]
    assert (report.spent_usd, total(ledger)) == (Decimal("0.78"), ("0.78", 1, 0))


def test_a_step_that_the_runs_limit_cuts_off_counts_at_its_price(tmp_path: Path) -> None:
    report = ran(Ledger(tmp_path, PROJECT), paid("0.78", seconds=30), run_s=0.3)
    assert report.spent_usd == Decimal("0.78")


def test_a_step_that_costs_nothing_is_not_written_down(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, PROJECT)
    ran(ledger, paid("0"))
    assert (ledger.file.exists(), ledger.total()) == (False, None)


def test_free_checks_and_a_paid_one_over_the_limit_are_not_written_down(tmp_path: Path) -> None:
    async def fine(looked: Looked) -> Answer:
        return passed("ok")

    ledger = Ledger(tmp_path, PROJECT)
    free = Check(id="AA001", name="aa001", title="t", stage=Stage.STATIC, run=fine)
    ran(ledger, free, paid("9.01"))
    assert ledger.total() is None


def test_a_kill_in_the_middle_leaves_the_estimate(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from decimal import Decimal\n"
        "from pathlib import Path\n"
        "from preflight.state.ledger import Ledger\n"
        "from preflight.events import Priced\n"
        "from preflight.model import Price\n"
        "from tests.cost.test_ledger import paid\n"
        "ledger = Ledger(Path(sys.argv[1]), Path('/nowhere/project'))\n"
        "ledger.observe(Priced(paid('0.78'), Price(Decimal('0.78'), 'x')))\n"
        "print('started', flush=True)\n"
        "time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[2]
    words = [sys.executable, "-c", script, str(tmp_path)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)})
    assert child.stdout is not None and child.stdout.readline() == b"started\n"
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    child.stdout.close()
    assert total(Ledger(tmp_path, PROJECT)) == ("0.78", 1, 1)


def test_a_torn_line_costs_itself_and_no_other(tmp_path: Path) -> None:
    ran(Ledger(tmp_path, PROJECT), paid("0.10"))
    ledger = Ledger(tmp_path, PROJECT)
    with ledger.file.open("a", encoding="utf-8") as file:
        file.write('\n{"at": "2026-01-01T00:00:00+00:00", "run": "x", "check": "PA0')
    ran(ledger, paid("0.20"))
    assert total(ledger) == ("0.30", 2, 0)


def test_hostile_content_is_left_out(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, PROJECT)
    ran(ledger, paid("0.10"))
    for line in ("[]", "null", '{"run": 1}', '{"at": "x", "run": "r", "check": "c", "event": "starts", "usd": "1"}'):
        with ledger.file.open("a", encoding="utf-8") as file:
            file.write("\n" + line)
    row = '{"at": "2026-01-01T00:00:00+00:00", "run": "r", "check": "c", "event": "starts", "usd": "NaN"}'
    ledger.file.write_bytes(ledger.file.read_bytes() + b"\n\xff\xfe\n" + row.encode())
    assert total(ledger) == ("0.10", 1, 0)


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, PROJECT)
    ran(ledger, paid("0.10"))
    assert ledger.file.stat().st_mode & 0o777 == 0o600


def test_the_events_say_the_price_before_the_start(tmp_path: Path) -> None:
    events: list[Event] = []

    async def go() -> Report:
        return await run(Selection((paid("0.10"),)), World(NOON, Settings()), target=Target(), observe=events.append)

    asyncio.run(go())
    assert [type(e) for e in events] == [Priced, Started, Result]


def test_a_line_is_on_the_disk_before_the_step_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, synced = Ledger(tmp_path, PROJECT), list[list[tuple[str, str]]]()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        assert os.fstat(descriptor).st_ino == ledger.file.stat().st_ino
        synced.append(rows(ledger))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    ledger.observe(Priced(paid("0.78"), Price(Decimal("0.78"), "a test")))
    assert synced == [[("starts", "0.78")]]
