"""The words the whole tool speaks: check, finding, answer, result, report.

Nothing heavier than the standard library is imported here, so every other part can import this one.  All types are
frozen: a result can't change after it was reported.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from preflight.changes import Changed, Group
from preflight.wording import page_of, title_of

if TYPE_CHECKING:
    from preflight.lookups import Looked, Lookup

Json = Any  # what json.dumps takes without a default=


class Stage(StrEnum):
    """What running a check costs its user; a run goes up to one of them."""

    STATIC = "static"  # reads files; nothing leaves this machine
    REMOTE = "remote"  # asks Modal or S3; writes nothing that stays, costs nothing
    PAID = "paid"  # starts a container that Modal bills


class Severity(StrEnum):
    """``error`` makes a fail and ``warning`` a warn; ``info`` leaves a pass a pass."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Status(StrEnum):
    PASS = "pass"  # looked, and it was right
    WARN = "warn"  # looked, and it may hurt
    FAIL = "fail"  # looked, and it is wrong
    SKIP = "skip"  # does not apply, or was excluded; the reason is given
    BLOCKED = "blocked"  # could not look: something it needs could not be had
    UNKNOWN = "unknown"  # looked, and could not decide
    ERROR = "error"  # could not look: the check itself broke or ran out of time

    def fails(self, fail_on: Status) -> bool:
        """Whether it makes the run fail; ``fail_on`` is FAIL, or WARN where a warning does as well."""
        return self is Status.FAIL or self is fail_on


LOOKED = frozenset({Status.PASS, Status.WARN, Status.FAIL})
UNANSWERED = frozenset({Status.BLOCKED, Status.ERROR})
WORST_FIRST = (Status.FAIL, Status.ERROR, Status.BLOCKED, Status.UNKNOWN, Status.WARN, Status.PASS, Status.SKIP)


class Verdict(StrEnum):
    READY = "ready"  # the whole checklist, against the real account
    CLEAN = "clean"  # a part of it
    REHEARSED = "rehearsed"  # in the sandbox
    NOT_READY = "not-ready"
    INCOMPLETE = "incomplete"
    INTERRUPTED = "interrupted"


class Scope(StrEnum):
    """How much a report can prove."""

    WHOLE = "whole"
    PART = "part"
    REHEARSAL = "rehearsal"


class Exit(IntEnum):
    READY = 0
    FINDINGS = 1
    USAGE = 2  # Click's own
    INCOMPLETE = 3
    INTERNAL = 4
    REFUSED = 5  # the gate
    INTERRUPTED = 130


@dataclass(frozen=True, order=True)
class Where:
    """A place in a file: line and column count from 1, column in characters; 0 is unknown."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, order=True)
class Edit:
    """Replace the characters ``start`` to ``end`` (offsets into the decoded text of ``path``) by ``text``."""

    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Fix:
    """Edits that end a finding.  A safe fix can't change what the app does beyond that finding."""

    edits: tuple[Edit, ...]
    is_safe: bool

    def __post_init__(self) -> None:
        if not self.edits:
            raise ValueError("a fix without an edit")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, worded so that the reader can act on it.

    ``why`` is what it would cost to go on; ``evidence`` are the lines that prove it.  ``can_clear`` says
    that somebody else may put it right while we wait (``--wait``).
    """

    severity: Severity
    message: str
    remedy: str
    why: str = ""
    where: Where | None = None
    evidence: tuple[str, ...] = ()
    can_clear: bool = False
    fix: Fix | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "severity", Severity(self.severity))  # raises ValueError for any other
        if not self.message or not (self.remedy or self.severity is Severity.INFO):
            raise ValueError("a finding needs a message and a remedy")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The check looked.  ``summary`` is one line of what it saw, ``seen`` the same as data.

    ``spent_usd`` is what a paid check knows to have spent; None counts its whole price.
    """

    summary: str
    seen: Mapping[str, Json] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    spent_usd: Decimal | None = None

    def __post_init__(self) -> None:
        if not self.summary:
            raise ValueError("an answer says what was looked at")

    @property
    def status(self) -> Status:
        severities = {f.severity for f in self.findings}
        lesser = Status.WARN if Severity.WARNING in severities else Status.PASS
        return Status.FAIL if Severity.ERROR in severities else lesser


@dataclass(frozen=True)
class NotApplicable:
    """The question does not arise here."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("a skipped check says why it does not apply")


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """The check looked and could not decide, where that decides whether the run will work.

    ``question`` is what it leaves open, for a check that ``settles`` it; "" can't be settled by another check.  An
    error among the findings makes it a fail all the same.
    """

    reason: str
    seen: Mapping[str, Json] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    question: str = ""

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("an unknown says what could not be decided")


Outcome: TypeAlias = Answer | NotApplicable | Unknown


@dataclass(frozen=True)
class Price:
    """What a paid check expects to spend.  ``usd`` is an upper bound, ``basis`` how it was reckoned."""

    usd: Decimal
    basis: str

    def __post_init__(self) -> None:
        if not self.usd.is_finite() or self.usd < 0:
            raise ValueError(f"a price of {self.usd} US dollars")


@dataclass(frozen=True, kw_only=True)
class Check:
    """A question with a yes-or-no answer, and how to find it out.

    ``needs`` must be had or the check is blocked; ``tries`` may fail and the check says what that means.
    ``price`` is asked of paid checks before they start.  Without a title ``doc`` is the docstring of the module that
    ``run`` stands in, the title its headline, and the name, where none is given, that of the module.
    ``has_own_line``: what it saw is worth a line on the screen also when nothing is wrong, though it is a static rule.
    ``runs_project``: a paid check whose command is the project's own; a rehearsal runs it, and no other paid one.
    ``explains``: the lookups whose failure this check's result explains.  ``about``: what may explain its own failure.
    ``settles``: the questions, left open by an unknown, that its pass answers.  ``origin``: a plugin's distribution.
    """

    id: str
    name: str = ""
    title: str = ""
    stage: Stage
    run: Callable[[Looked], Awaitable[Outcome]]
    step: int | None = None
    needs: tuple[Lookup[Any], ...] = ()
    tries: tuple[Lookup[Any], ...] = ()
    timeout_s: float = 20.0
    price: Callable[[Looked], Awaitable[Price | NotApplicable]] | None = None
    has_own_line: bool = False
    runs_project: bool = False
    explains: tuple[Lookup[Any], ...] = ()
    about: tuple[Group, ...] = ()
    settles: frozenset[str] = frozenset()
    origin: str = ""
    doc: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.title:
            module = self.run.__module__
            page = page_of(sys.modules[module].__doc__)
            name = self.name or module.rpartition(".")[2].replace("_", "-")
            for field_name, value in (("name", name), ("title", title_of(page)), ("doc", page)):
                object.__setattr__(self, field_name, value)
        if not re.fullmatch(r"[A-Z]{2,5}[0-9]{3}", self.id):
            raise ValueError(f"check id {self.id!r} is not like MOD001")
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name):
            raise ValueError(f"check name {self.name!r} is not like s3-secret")
        if (self.stage is Stage.PAID) != (self.price is not None):
            raise ValueError(f"{self.id}: a check has a price exactly when it is paid")


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of one check.  ``reason`` is never empty: evidence of a pass, cause of anything else.

    ``settled_by``: what answered an unknown (a check's name, or the setting accept-unknown).
    ``assumed``: what the rehearsal invented that this answer rests on; such an answer is never a pass.
    ``retry_with``: the option with which the same run would look here.
    """

    check: Check
    status: Status
    seconds: float
    reason: str
    answer: Answer | None = None
    blocked_by: str = ""
    spent_usd: Decimal = Decimal(0)
    settled_by: str = ""
    assumed: str = ""
    retry_with: str = ""
    is_left_out: bool = False  # by an option or a setting; nothing was asked

    def __post_init__(self) -> None:
        has_answer = self.status in LOOKED or self.status is Status.UNKNOWN or bool(self.assumed)
        if has_answer != (self.answer is not None):
            raise ValueError(f"{self.check.id}: {self.status} does not fit its answer")
        if self.assumed and self.status is Status.PASS:
            raise ValueError(f"{self.check.id}: what rests on invented things is no pass")
        if self.settled_by and self.status is not Status.UNKNOWN:
            raise ValueError(f"{self.check.id}: only an unknown can be settled")
        if not self.reason:
            raise ValueError(f"{self.check.id}: a result without a reason")

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.answer.findings if self.answer else ()

    @property
    def is_open(self) -> bool:
        """It has no answer; where only findings are listed, it must not vanish."""
        return self.status in UNANSWERED or (self.status is Status.UNKNOWN and not self.settled_by)


@dataclass(frozen=True, kw_only=True)
class Target:
    """What was checked.  ``app`` is as the user would type it; the rest is None until Modal has told it.

    ``apps`` are those of a run over several; ``app`` is None then.
    """

    app: str | None = None
    apps: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()  # what was named or found and not looked at, each with the reason
    environment: str | None = None
    workspace: str | None = None
    sandbox: str | None = None  # the scenario's name


@dataclass(frozen=True, kw_only=True)
class Report:
    target: Target
    started: datetime
    seconds: float
    results: tuple[Result, ...]
    fail_on: Status = Status.FAIL
    is_interrupted: bool = False
    scope: Scope = Scope.PART
    changed: Changed | None = None
    command_started: bool | None = None  # of the gate; None where no command stands behind the report

    @property
    def counts(self) -> dict[Status, int]:
        return {s: sum(r.status is s for r in self.results) for s in Status}

    @property
    def spent_usd(self) -> Decimal:
        return sum((r.spent_usd for r in self.results), Decimal(0))

    @property
    def exit(self) -> Exit:
        """The one place where results become a verdict."""
        if self.is_interrupted:
            return Exit.INTERRUPTED
        if any(r.status.fails(self.fail_on) for r in self.results):
            return Exit.FINDINGS
        has_looked = any(r.status in LOOKED or r.assumed or r.settled_by for r in self.results)
        return Exit.READY if has_looked and not any(r.is_open for r in self.results) else Exit.INCOMPLETE

    @property
    def verdict(self) -> Verdict:
        proved = {Scope.WHOLE: Verdict.READY, Scope.PART: Verdict.CLEAN, Scope.REHEARSAL: Verdict.REHEARSED}
        others = {Exit.INTERRUPTED: Verdict.INTERRUPTED, Exit.FINDINGS: Verdict.NOT_READY}
        return proved[self.scope] if self.exit is Exit.READY else others.get(self.exit, Verdict.INCOMPLETE)
