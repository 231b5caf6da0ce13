"""From a failed log to its cause, first cause first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from preflight.diagnosis.model import Diagnosis


def diagnose(
    stream: Iterable[bytes] | bytes | str, *, redact: Callable[[str], str] | None = None, has_failed: bool = False
) -> Diagnosis:
    """Read a log once, of any size and any bytes. ``redact`` sees every text that is kept; secrets go by default.

    ``has_failed``: the caller knows that the program failed, whatever its last lines say.
    """
    from preflight.diagnosis.reading import read

    return read(stream, redact=redact, has_failed=has_failed)
