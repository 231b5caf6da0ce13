"""The way of a log: scanned once, its hits ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from preflight.diagnosis.model import Diagnosis
from preflight.diagnosis.rank import causes
from preflight.diagnosis.scan import scan
from preflight.redact import without_secrets


def read(
    stream: Iterable[bytes] | bytes | str, *, redact: Callable[[str], str] | None = None, has_failed: bool = False
) -> Diagnosis:
    if isinstance(stream, str):
        stream = stream.encode("utf-8", "replace")
    seen = scan((stream,) if isinstance(stream, bytes) else stream, redact or without_secrets)
    if has_failed:
        seen.story = replace(seen.story, successes=())
    found = causes(seen)
    failure = None if found or seen.story.ended_well(seen.failed_at) else seen.failure
    return Diagnosis(causes=found, failure=failure, lines=seen.lines, excerpt=seen.excerpt if failure else "")
