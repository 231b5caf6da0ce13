"""What adapters raise: the SDK's error in our words, with its own error as ``__cause__``."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum


class Kind(StrEnum):
    NOT_SIGNED_IN = "not signed in"  # there are no credentials at all
    REFUSED = "credentials refused"  # there are, and the service does not know them
    FORBIDDEN = "not allowed"  # it knows them, and says no
    NOT_FOUND = "not found"
    MISSING_KEYS = "keys missing"
    WRONG_REGION = "wrong region"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no answer in time"
    THROTTLED = "throttled"
    UNSUPPORTED = "not supported by the service"
    CLIENT_TOO_OLD = "client too old"
    UNEXPECTED = "unexpected answer"


CAN_PASS = frozenset({Kind.UNREACHABLE, Kind.NO_ANSWER, Kind.THROTTLED})


@dataclass(eq=False)
class Problem(Exception):
    """``service`` (Modal, S3) would not do ``operation``; ``message`` is its own text.

    ``keys`` are those that a secret lacks; ``hint`` is the region or the permission that S3 asks for, or what to do;
    ``code`` is the service's own for the error.
    """

    kind: Kind
    _: KW_ONLY
    service: str
    operation: str
    message: str
    keys: tuple[str, ...] = ()
    hint: str = ""
    code: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.service, self.kind.value, self.message)))

    @property
    def can_pass(self) -> bool:
        """Whether the same call may succeed later without anybody changing anything."""
        return self.kind in CAN_PASS
