"""What adapters raise: the SDK's error in our words, with its own error as ``__cause__``."""

from __future__ import annotations

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


class Problem(Exception):
    """``service`` (Modal, S3) would not do ``operation``; ``message`` is its own text.

    ``keys`` are those that a secret lacks; ``hint`` is the region or the permission that S3 asks for, or what to do;
    ``code`` is the service's own for the error.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        service: str,
        operation: str,
        message: str,
        keys: tuple[str, ...] = (),
        hint: str = "",
        code: str = "",
    ) -> None:
        super().__init__(f"{service}: {kind.value}: {message}" if message else f"{service}: {kind.value}")
        self.kind = kind
        self.service = service
        self.operation = operation
        self.message = message
        self.keys = keys
        self.hint = hint
        self.code = code

    @property
    def can_pass(self) -> bool:
        """Whether the same call may succeed later without anybody changing anything."""
        return self.kind in CAN_PASS
