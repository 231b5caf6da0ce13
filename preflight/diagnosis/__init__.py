"""From a failed log to its cause, first cause first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from preflight.diagnosis.model import Diagnosis


def diagnose(stream: Iterable[bytes] | bytes | str, *, redact: Callable[[str], str] | None = None) -> Diagnosis:
    """Read a log once, of any size and any bytes. ``redact`` sees every text that is kept; secrets go by default."""
    from preflight.diagnosis.reading import read

    return read(stream, redact=redact)
