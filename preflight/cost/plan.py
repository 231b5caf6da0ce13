"""Will it finish?  The planned work against the function's time limit, attempt by attempt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil

from preflight.cost.estimate import HOUR_S, Resources, cents
from preflight.cost.keeping import Keeping, Resumes

MARGIN = Fraction(1, 10)  # of the limit, either way: inside it a plan is too close to call
STARTUP_MINUTES = Decimal(3)  # of an attempt, before its first step: assumed where nothing says it
MOST_HOURS = Decimal(100_000)


class Finishes(StrEnum):
    YES = "yes"
    NO = "no"
    TOO_CLOSE = "too-close"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is planned.  ``hours`` is one uninterrupted run; with ``has_startup`` its own start-up is part of that.

    ``epoch_hours`` is what a cut-off loses at most, where a checkpoint is kept every epoch.
    """

    hours: Fraction
    basis: str
    epochs: int | None = None
    epoch_hours: Fraction | None = None
    has_startup: bool = False
    startup_hours: Fraction = Fraction(STARTUP_MINUTES) / 60
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.hours <= MOST_HOURS or self.startup_hours < 0:
            raise ValueError(f"{float(self.hours):g} hours of work; wanted more than 0, and {MOST_HOURS:,} at most")

    @property
    def startup(self) -> Fraction:
        return min(self.startup_hours, self.hours) if self.has_startup else self.startup_hours

    @property
    def steps_hours(self) -> Fraction:
        """The work without any start-up."""
        return self.hours - self.startup if self.has_startup else self.hours


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """``sessions`` are the attempts it takes, ``hours`` and ``usd`` all of them with their start-ups and the work
    done twice; None where it never ends.  ``lost_hours`` is what one preemption costs at most.
    """

    finishes: Finishes
    why: str
    remedy: str = ""
    limit_hours: Fraction
    attempts: int
    sessions: int | None
    hours: Fraction | None
    usd: Decimal | None
    lost_hours: Fraction | None
    keeping: Keeping
    assumptions: tuple[str, ...] = ()


def sessions_needed(work: Work, limit_hours: Fraction, *, resumes: bool, at_best: bool = False) -> int | None:
    """Attempts of at most ``limit_hours`` each; None: it never gets to the end.

    An attempt that is cut off loses the work since its last checkpoint, up to an epoch.  ``at_best`` it keeps every
    whole epoch: a certain "no" must hold even then.
    """
    whole = limit_hours - work.startup
    if work.steps_hours <= whole:
        return 1
    epoch = work.epoch_hours or Fraction(0)
    kept = whole // epoch * epoch if at_best and epoch else whole - epoch
    if not resumes or kept <= 0:
        return None
    return 1 + ceil((work.steps_hours - whole) / kept)


def fits_one_attempt(work: Work, resources: Resources) -> bool:
    """Whether it is over well before the time limit, so that it does not matter whether it resumes."""
    limit = Fraction(resources.timeout_s) / HOUR_S * (1 - MARGIN)
    return resources.is_timeout_known and sessions_needed(work, limit, resumes=False) == 1


def outlook(work: Work, resources: Resources, keeping: Keeping, usd_per_hour: Fraction) -> Outlook:
    """The verdict with what it rests on."""
    limit = Fraction(resources.timeout_s) / HOUR_S
    if keeping.resumes is Resumes.YES and keeping.condition:  # a retry gets the input of the first attempt
        keeping = replace(keeping, resumes=Resumes.NO, why=f"{keeping.condition}, and retries= repeats the same input")
    sessions = sessions_needed(work, limit, resumes=keeping.resumes is Resumes.YES)
    finishes = _verdict(work, limit, resources, keeping)
    hours = None
    if sessions is not None:
        again = (work.epoch_hours or Fraction(0)) * (sessions - 1)
        hours = work.steps_hours + work.startup * sessions + again
    why, remedy = _words(finishes, work, resources, keeping, sessions)
    return Outlook(
        finishes=finishes,
        why=why,
        remedy=remedy,
        limit_hours=limit,
        attempts=resources.attempts,
        sessions=sessions,
        hours=hours,
        usd=None if hours is None else cents(hours * usd_per_hour),
        lost_hours=_lost(work, limit, keeping),
        keeping=keeping,
        assumptions=_assumptions(work, keeping, sessions),
    )


def _verdict(work: Work, limit: Fraction, resources: Resources, keeping: Keeping) -> Finishes:
    if not resources.is_timeout_known:
        most = sessions_needed(work, limit * (1 + MARGIN), resumes=keeping.resumes is not Resumes.NO, at_best=True)
        return Finishes.NO if most is None or most > resources.attempts else Finishes.UNKNOWN
    if keeping.resumes is not Resumes.UNKNOWN:
        return _within(work, limit, resources.attempts, resumes=keeping.resumes is Resumes.YES)
    either = {_within(work, limit, resources.attempts, resumes=r) for r in (True, False)}
    return either.pop() if len(either) == 1 else Finishes.UNKNOWN


def _within(work: Work, limit: Fraction, attempts: int, *, resumes: bool) -> Finishes:
    short = sessions_needed(work, limit * (1 - MARGIN), resumes=resumes)
    long = sessions_needed(work, limit * (1 + MARGIN), resumes=resumes, at_best=True)
    if short is not None and short <= attempts:
        return Finishes.YES
    return Finishes.NO if long is None or long > attempts else Finishes.TOO_CLOSE


def _lost(work: Work, limit: Fraction, keeping: Keeping) -> Fraction | None:
    """At most; None where it is not known how often a checkpoint is kept."""
    if keeping.resumes is Resumes.NO:
        return min(work.steps_hours + work.startup, limit)
    if keeping.resumes is Resumes.UNKNOWN or work.epoch_hours is None:
        return None
    return work.epoch_hours + work.startup


def _words(
    finishes: Finishes, work: Work, resources: Resources, keeping: Keeping, sessions: int | None
) -> tuple[str, str]:
    limit, attempts = Fraction(resources.timeout_s) / HOUR_S, resources.attempts
    need = f"{hours_text(work.steps_hours + work.startup)} with its start-up"
    have = f"the {hours_text(limit)} limit of {resources.function}"
    have += f", {attempts} attempts of it" if attempts > 1 else ""
    count = f"{sessions} sessions" if sessions is not None and sessions > 1 else ""
    if finishes is Finishes.YES:
        return f"{need}, {f'in {count}, ' if count else ''}within {have}", ""
    if finishes is Finishes.UNKNOWN and not resources.is_timeout_known:
        return f"{need}; the timeout is not in the text", "write the timeout into the decorator"
    if finishes is Finishes.UNKNOWN:
        return f"{need}; whether it resumes is not known: {keeping.why}", "resume from a checkpoint on the mount"
    lead = "is too close to" if finishes is Finishes.TOO_CLOSE else "does not fit in"
    text = f"{need} {lead} {have}"
    if keeping.resumes is Resumes.YES:
        text += f"; it resumes, and takes {count}" if count else "; it resumes"
        more = sessions if sessions is not None and sessions > attempts else attempts + 1
        if sessions is None:
            return f"{text}, but an attempt ends before its first checkpoint", "keep checkpoints more often"
        return text, f"set retries={more - 1}: every attempt gets the same input, and resumes"
    text += f"; {keeping.why}"
    most = resources.timeout_s < 86_400
    longer = "raise timeout= (24 h at most), or " if most else ""
    if keeping.condition:
        return text, f"{longer}resume by default, or start it so, and set retries="
    return text, f"{longer}keep checkpoints on a Volume and resume from the last one, with retries="


def _assumptions(work: Work, keeping: Keeping, sessions: int | None) -> tuple[str, ...]:
    notes = list(work.assumptions)
    if keeping.resumes is Resumes.YES:
        if work.epoch_hours is not None:
            notes.append("a checkpoint is kept every epoch, so a cut-off loses one epoch at most")
        elif sessions is not None and sessions > 1:
            notes.append("nothing is lost at a cut-off: how often a checkpoint is kept is not known")
    return tuple(notes)


def hours_text(hours: Fraction) -> str:
    """``24 h``, ``25.05 h``, ``12.3 min``."""
    if hours < 1:
        return f"{float(hours * 60):.3g} min"
    return f"{float(hours):.2f}".rstrip("0").rstrip(".") + " h"
