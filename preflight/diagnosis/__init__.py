"""From a failed log to its cause, first cause first.  The rules take 40 ms to compile: they are loaded when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from preflight.diagnosis.model import Cause, Diagnosis


def diagnose(
    stream: Iterable[bytes] | bytes | str, *, redact: Callable[[str], str] | None = None, has_failed: bool = False
) -> Diagnosis:
    """Read a log once, of any size and any bytes. ``redact`` sees every text that is kept; secrets go by default.

    ``has_failed``: the caller knows that the program failed, whatever its last lines say.
    """
    from preflight.diagnosis.model import Diagnosis
    from preflight.diagnosis.rank import causes
    from preflight.diagnosis.scan import scan
    from preflight.redact import without_secrets

    if isinstance(stream, str):
        stream = stream.encode("utf-8", "replace")
    seen = scan((stream,) if isinstance(stream, bytes) else stream, redact or without_secrets, has_failed=has_failed)
    found = causes(seen)
    failure = None if found or seen.story.ended_well(seen.failed_at) else seen.failure
    return Diagnosis(causes=found, failure=failure, lines=seen.lines, excerpt=seen.excerpt if failure else "")


def first_cause(lines: Sequence[str], log: Path | None = None) -> Cause | None:
    """The first cause in what a failed command printed: of the whole log where there is one, else of the lines.

    None when no rule knows it.
    """
    if log is not None:
        try:
            with log.open("rb") as file:
                return next(iter(diagnose(file, has_failed=True).causes), None)
        except OSError:
            pass  # the lines at hand are still there to be read
    return next(iter(diagnose("\n".join(lines), has_failed=True).causes), None)


def meaning(raw: str) -> tuple[str, str]:
    """What a raw error means in one sentence, and its remedy; both empty where no rule knows it."""
    cause = first_cause([raw])
    return (cause.title, cause.remedy) if cause else ("", "")
