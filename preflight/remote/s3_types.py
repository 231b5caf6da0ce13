"""The S3 place a run is meant to read, and what was found there."""

from __future__ import annotations

from dataclasses import dataclass

from preflight.model import Where


@dataclass(frozen=True, kw_only=True)
class S3Place:
    """Where the app's data should be.  ``named_by`` is the setting or the line of the app that says so."""

    bucket: str
    prefix: str
    region: str | None
    endpoint: str | None
    named_by: str
    where: Where | None = None


@dataclass(frozen=True, kw_only=True)
class S3Secret:
    """The secret that the bucket mount reads, and the keys that it must hold."""

    name: str
    keys: tuple[str, ...]
    named_by: str
    where: Where | None = None


@dataclass(frozen=True, kw_only=True)
class S3Sample:
    """What a bounded listing saw.  ``is_all`` is False when there are more objects than were listed.

    ``read_key`` is the object of which one byte was read.
    """

    bucket_region: str | None
    objects: int
    bytes: int
    is_all: bool
    read_key: str | None
