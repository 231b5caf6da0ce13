"""The first cause in what a command printed: what a check adds to its finding when something it ran has failed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from preflight.diagnosis.model import Cause


def first_cause(lines: Sequence[str], log: Path | None = None) -> Cause | None:
    """None when no rule knows it.  The whole log is read where there is one, else the lines."""
    from preflight.diagnosis import diagnose  # the rules take 40 ms to compile: only when something has failed

    if log is not None:
        try:
            with log.open("rb") as file:
                return next(iter(diagnose(file, has_failed=True).causes), None)
        except OSError:
            pass  # the lines at hand are still there to be read
    return next(iter(diagnose("\n".join(lines), has_failed=True).causes), None)


def meaning(raw: str) -> tuple[str, str]:
    """What a raw error means in one sentence, and its cure; both empty where no rule knows it."""
    cause = first_cause([raw])
    return (cause.title, cause.remedy) if cause else ("", "")
