"""The S3 places a run is meant to read, and what was found there."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from preflight.model import Where
from preflight.problems import Problem

AWS_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
GOOGLE_KEYS = ("GOOGLE_ACCESS_KEY_ID", "GOOGLE_ACCESS_KEY_SECRET")


@dataclass(frozen=True, kw_only=True)
class S3Place:
    """Where the app's data should be.  ``named_by`` is the setting or the line of the app that says so.

    ``region`` is the one that the settings name, and no other: the mount finds it out by itself.  ``secret`` is the
    name of the mount's secret; with ``is_public`` it has none and reads without credentials.  ``must_hold_data``
    is False for a mount that the app may be the first to write to.
    """

    bucket: str
    prefix: str
    region: str | None
    endpoint: str | None
    named_by: str
    where: Where | None = None
    secret: str | None = None
    secret_environment: str | None = None
    has_role: bool = False
    is_public: bool = False
    is_requester_pays: bool = False
    is_path_style: bool = False
    is_read_only: bool = True
    must_hold_data: bool = True

    @property
    def at(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def is_google(self) -> bool:
        return (urlsplit(self.endpoint or "").hostname or "").endswith("storage.googleapis.com")


@dataclass(frozen=True, kw_only=True)
class S3Sample:
    """What a bounded listing saw.  ``is_all`` is False when there are more objects than were listed.

    ``objects`` are without folder markers.  ``read_key`` is the object of which one byte was read.  ``asked_of`` is
    the endpoint that this machine's settings put in the place of AWS.
    """

    bucket_region: str | None
    objects: int
    bytes: int
    is_all: bool
    read_key: str | None
    asked_of: str = ""


@dataclass(frozen=True)
class LookedAt:
    """One place with what was found there, or why not."""

    place: S3Place
    found: S3Sample | Problem
