"""The checks of the gate: the whole checklist for a new pass, and the cheap ones again for one that is held."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from preflight.app import reader
from preflight.cli.gate.gate import Documents, Request, changes, local_facts, reports_in, say, say_drifts
from preflight.cli.running.audience import Audience
from preflight.cli.running.conduct import run_selection, selection_for
from preflight.cli.running.rehearsal import Rehearsal
from preflight.cli.running.target import base_of
from preflight.engine.select import Selection
from preflight.model import Exit, Report, Result, Stage
from preflight.report.console import ConsoleReporter
from preflight.report.next import next_command
from preflight.report.places import from_here
from preflight.settings import Settings
from preflight.state import cloud, drift, machine_key
from preflight.state.drift import Drift
from preflight.state.receipt import Entry, Receipt, Receipts, Refused
from preflight.state.sources import TooLarge, Watched
from preflight.state.vector import can_miss
from preflight.state.watched import watched

FRESH_S = 60.0  # a checklist that took longer asks Modal again before the command starts


def checklist(
    request: Request,
    settings: Settings,
    documents: Documents,
    receipts: Receipts | None,
    now: datetime,
    rehearsal: Rehearsal | None = None,
) -> Exit:
    """Works through it, and keeps the receipt of a pass.  READY when the command may run."""
    selection = _selection(request, settings)
    assert settings.app is not None
    app = settings.project / settings.app
    recipe = reader.read(app, project=settings.project)
    taken = watched(recipe, project=settings.project, app=app, cwd=Path.cwd(), environ=os.environ)
    before: Mapping[str, str] | None = None
    key = secrets.token_bytes(machine_key.KEY_BYTES)  # stands in where none can be kept: it blurs both looks alike
    run, not_kept = "", why_not_kept(settings, taken)
    if receipts is not None:
        try:
            run = receipts.begin(now)
            key = machine_key.load(receipts.state)
        except OSError as e:
            not_kept = str(e)
        try:
            before = local_facts(settings, taken, request, key)
        except TooLarge as e:
            say(f"gate: what changes while the checks run could not be seen: {e}")
            return Exit.REFUSED
    heard = Audience([_console(request, settings)])
    report = documents.report = run_selection(selection, settings, request, heard, rehearsal)
    if report.exit is not Exit.READY:
        return report.exit
    for name, known_as, text in _to_accept(report, settings):
        say(f"gate: {name}: {text}")
        say(f"next  put {known_as!r} into [tool.preflight] accept-unknown, or see preflight explain {name}")
        return Exit.REFUSED
    if receipts is None:
        return Exit.READY
    assert before is not None
    if _says_changes(before, settings, taken, request, key):
        return Exit.REFUSED
    receipt = _receipt(run, now, report, before, taken, reports_in(settings.project, request))
    try:
        if not_kept:
            say(f"gate: no pass is kept: {not_kept}")
        else:
            receipts.keep(receipt, datetime.now(UTC))
    except Refused as e:
        say(f"gate: {e}")
        return Exit.REFUSED
    except OSError as e:
        say(f"gate: the pass can't be kept: {e}")
    if report.seconds > FRESH_S:
        again = ask_again(request, settings, receipt, Documents(request, settings))
        if isinstance(again, Exit):
            return again
        if again:
            say_drifts(again)
            return Exit.REFUSED
        if _says_changes(before, settings, taken, request, key):
            return Exit.REFUSED
    return Exit.READY


def _to_accept(report: Report, settings: Settings) -> Iterator[tuple[str, str, str]]:
    """What a check passes over that the user must accept by name: check, key, and what it is."""
    for result in report.results:
        for key, text in (result.answer.seen.get("accept", {}) if result.answer else {}).items():
            if not {key, result.check.name} & {*settings.accept_unknown}:
                yield result.check.name, key, text


def _says_changes(before: Mapping[str, str], settings: Settings, taken: Watched, request: Request, key: bytes) -> bool:
    drifts = changes(before, settings, taken, request, key)
    if drifts:
        say("gate: changed while the checks ran ([tool.preflight] outputs names what is no source):")
        say_drifts(drifts)
    return bool(drifts)


def ask_again(request: Request, settings: Settings, held: Receipt, documents: Documents) -> Exit | list[Drift]:
    """Modal and S3 again, the free questions only: what has drifted, or the exit of checks that did not pass."""
    wanted = _selection(request, settings)
    missing = drift.unchecked(held.entries, {c.id: c.name for c in wanted.chosen})
    if missing:
        return list(missing)
    free = tuple(c for c in wanted.chosen if c.stage is Stage.REMOTE)
    if not free:
        return []
    report = documents.report = run_selection(Selection(free), settings, request, Audience([]))
    if report.exit is not Exit.READY:
        Audience([_console(request, settings)]).told(report)
        return report.exit
    return list(drift.between(held.cloud, _cloud(report)))


def _console(request: Request, settings: Settings) -> ConsoleReporter:
    places = from_here(base_of(settings), Path.cwd())
    return ConsoleReporter(
        sys.stderr, is_verbose=request.shown.is_verbose, says_next=lambda r: _next(r, request), places=places
    )


def _selection(request: Request, settings: Settings) -> Selection:
    found = selection_for(request, settings)
    return found if request.stage is Stage.STATIC else replace(found, chosen=(*found.chosen, cloud.CHECK))


def why_not_kept(settings: Settings, taken: Watched) -> str:
    """Why a change could be missed, so that no pass is kept; "" when none could."""
    missed = can_miss(settings, taken)
    return f"{missed}; name it in [tool.preflight] watch" if missed else ""


def _receipt(
    run: str, now: datetime, report: Report, local: Mapping[str, str], taken: Watched, reports: tuple[str, ...]
) -> Receipt:
    def answered(result: Result) -> datetime:
        """A check that answers from memory says since when, in ``seen``."""
        seen = result.answer.seen if result.answer else {}
        return datetime.fromisoformat(seen["at"]) if seen.get("remembered") else now

    asked = [(r.check, r.status.value, answered(r)) for r in report.results if not r.is_left_out]
    return Receipt(
        run=run,
        at=now,
        entries=tuple(Entry(id=c.id, name=c.name, stage=c.stage, status=s, at=at) for c, s, at in asked),
        local=local,
        cloud=_cloud(report),
        watched=taken,
        outputs=reports,
    )


def _cloud(report: Report) -> Mapping[str, str]:
    answers = [r.answer for r in report.results if r.check.id == cloud.CHECK.id and r.answer]
    return answers[0].seen["facts"] if answers else {}


def _next(report: Report, request: Request) -> str:
    """What the gate asks for itself is no check of the list: it has no page, and what keeps it from an answer has."""
    if report.exit is Exit.READY:
        return " ".join(request.words)
    listed = replace(report, results=tuple(r for r in report.results if r.check is not cloud.CHECK))
    return "preflight check modal-auth" if listed.exit is Exit.READY else next_command(listed)
