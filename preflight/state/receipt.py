"""What is kept of a pass, sealed with this machine's key: the gate's receipt, and the passes of paid checks.

A receipt tells what was checked, when, and every fact it stands on.  Beside it stands a line of its own, the newest
run: a receipt counts only while no later run has begun, so that an old one put back after a newer failure is refused.
A paid pass counts for exactly one fingerprint.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from preflight.model import Json, Stage
from preflight.settings import folder_of
from preflight.state import machine_key
from preflight.state.sources import Watched

T = TypeVar("T")
Aware = Annotated[datetime, msgspec.Meta(tz=True)]

SCHEMA, NEWEST, PASS = "preflight.receipt/1", "preflight.newest-run/1", "preflight.pass/1"
GOOD_FOR = {  # how long an answer counts
    Stage.STATIC: timedelta(days=7),  # of the files, which are compared each time; the quality command's tools age
    Stage.REMOTE: timedelta(minutes=15),  # asked again each time, except with --offline
    Stage.PAID: timedelta(days=7),
}
SLACK = timedelta(seconds=5)  # between two readings of a clock that is being adjusted


class Refused(Exception):
    """There is a receipt, and it can't be trusted; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One check's answer: ``at`` is when it looked, which for a remembered pass is before the run."""

    id: str
    name: str
    stage: Stage
    status: str
    at: Aware

    @property
    def ends(self) -> datetime:
        return self.at + GOOD_FOR[self.stage]


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """``local`` are facts of this machine, ``cloud`` what Modal answered, by the names of ``vector.flat``.

    ``outputs`` are the reports that the run itself wrote into the project, relative to it.
    """

    run: str
    at: Aware
    entries: tuple[Entry, ...]
    local: Mapping[str, str]
    cloud: Mapping[str, str]
    watched: Watched
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Newest:
    """The newest run: ``at`` is when it began, passed or was last looked at, ``what`` which of these."""

    run: str
    at: Aware
    what: str


class Receipts:
    """The receipts of one app of one project."""

    def __init__(self, state: Path, project: Path, app: str) -> None:
        self.state = state
        self.bound = {"project": str(project.resolve()), "app": app}
        name = hashlib.sha256(app.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self.file = folder_of(state, project) / f"gate-{name}.json"
        self.newest = folder_of(state, project) / f"gate-{name}.newest.json"

    def begin(self, now: datetime) -> str:
        """A new run: from here on no older receipt counts.  Raises OSError."""
        run = secrets.token_hex(16)
        key = machine_key.load_or_make(self.state)
        self._note(key, run, now, "has begun and has not passed")
        self.file.unlink(missing_ok=True)
        return run

    def keep(self, receipt: Receipt, now: datetime) -> None:
        """Raises OSError, and Refused where a later run has begun in the meantime."""
        key = machine_key.load(self.state)
        try:
            newest = machine_key.read_sealed(self.newest, key)
        except (machine_key.BrokenSeal, FileNotFoundError) as e:
            raise Refused(f"the record of the newest run is gone: {e}") from e
        if newest.get("run") != receipt.run:
            raise Refused(f"another run has begun since: it {newest.get('what')}")
        self._write(self.file, key, SCHEMA, receipt)
        self._note(key, receipt.run, now, "has passed")

    def void(self, now: datetime, why: str) -> None:
        """No receipt of before counts any more, because of ``why``.  Raises OSError."""
        if self.file.exists():
            self._note(machine_key.load(self.state), secrets.token_hex(16), now, why)
            self.file.unlink(missing_ok=True)

    def read(self, now: datetime) -> Receipt | None:
        """None when there is none.  Raises Refused for one that can't be trusted."""
        try:
            if not self.file.is_symlink() and not self.file.exists():
                return None
            key = machine_key.load(self.state)
            receipt = self._read(self.file, key, SCHEMA, Receipt)
            self._compare(receipt, self._read(self.newest, key, NEWEST, _Newest), now)
            with contextlib.suppress(OSError):  # a state folder that can't be written makes no receipt less true
                self._note(key, receipt.run, now, "has passed")
        except machine_key.KeyRefused as e:
            raise Refused(f"the key: {e}") from e
        except machine_key.BrokenSeal as e:
            raise Refused(f"the receipt: {e}") from e
        except FileNotFoundError as e:
            raise Refused("the receipt: the record of the newest run, which it must agree with, is gone") from e
        return receipt

    def _compare(self, receipt: Receipt, newest: _Newest, now: datetime) -> None:
        if newest.run != receipt.run:
            raise Refused(f"the receipt: a later run, of {newest.at:%Y-%m-%d %H:%M} UTC, {newest.what}")
        latest = max(newest.at, receipt.at)
        if now + SLACK < latest:
            times = f"the clock says {now:%Y-%m-%d %H:%M} UTC, and the pass was looked at on {latest:%Y-%m-%d %H:%M}"
            raise Refused(f"{times}: it was set back")

    def _note(self, key: bytes, run: str, now: datetime, what: str) -> None:
        self._write(self.newest, key, NEWEST, _Newest(run=run, at=now, what=what))

    def _write(self, file: Path, key: bytes, schema: str, content: Receipt | _Newest) -> None:
        body: dict[str, Json] = msgspec.to_builtins(content)
        machine_key.write_sealed(file, key, {"schema": schema, **self.bound, **body})

    def _read(self, file: Path, key: bytes, schema: str, wanted: type[T]) -> T:
        """Raises Refused for another project's, another app's, and one that is not whole."""
        body = machine_key.read_sealed(file, key)
        name = "the receipt" if schema == SCHEMA else "the record of the newest run"
        for field, ours in (("schema", schema), *self.bound.items()):
            if body.get(field) != ours:
                raise Refused(f"{name}: it is of {field} {body.get(field)!r}, wanted {ours!r}")
        try:
            return msgspec.convert(body, wanted)
        except (msgspec.ValidationError, ValueError) as e:  # a lone surrogate is a ValueError
            raise Refused(f"{name}: it is not whole ({e})") from e


@dataclass(frozen=True)
class Pass:
    """``summary`` is what the check saw then; ``at`` is when, in UTC."""

    check: str
    fingerprint: str
    at: datetime
    summary: str


def remember(state: Path, project: Path, given: Pass) -> None:
    """Replaces what was remembered of this check.  Raises OSError."""
    row = asdict(given) | {"schema": PASS, "project": str(project.resolve()), "at": given.at.isoformat()}
    machine_key.write_sealed(folder_of(state, project) / f"{given.check}.json", machine_key.load_or_make(state), row)


def recall(state: Path, project: Path, check: str, fingerprint: str) -> Pass | None:
    """The pass of this check for exactly this fingerprint; None when there is none, or it can't be trusted."""
    wanted = {"schema": PASS, "project": str(project.resolve()), "check": check, "fingerprint": fingerprint}
    try:
        row = machine_key.read_sealed(folder_of(state, project) / f"{check}.json", machine_key.load(state))
        found = msgspec.convert(row, Pass)
    except (OSError, machine_key.BrokenSeal, msgspec.ValidationError):
        return None
    return found if row | wanted == row else None
