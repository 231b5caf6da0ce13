"""One recording, from what is asked of the child process to what the real client asked its plane for.

Every type here is a part of a JSON line between the two: ``Order`` goes there, ``Started`` and ``Answer`` come back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")
LIMIT_S = 60.0  # 1.3 s for a small app; the rest is for a top level that imports torch, and for hashing an upload


class Deploy(Struct, frozen=True, kw_only=True):
    """``words`` are those after `modal`: deploy and the app's reference.  ``project`` is the working directory."""

    words: tuple[str, ...]
    project: Path
    builder: str
    environment: str | None
    limit_s: float = LIMIT_S
    python: str | None = None  # the project's, where its client can speak to our plane; None: ours


class Order(Struct, frozen=True, kw_only=True):
    """``folder`` is a fresh one for the plane's socket and files; ``environ`` that of the deploy, without secrets."""

    deploy: Deploy
    folder: Path
    environ: Mapping[str, str]


class Started(Struct, frozen=True):
    pid: int


class Report(Struct, frozen=True, kw_only=True):
    """What the deploy's process says of its own end (``closed.py``); the user's code could have written there too.

    ``frames`` are file and line, outermost first; ``refused`` whom it asked for through the closed network.
    """

    closed_by: str = "python"
    refused: tuple[str, ...] = ()
    raised: str | None = None
    message: str = ""
    frames: tuple[tuple[str, int], ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """``code`` is None when the limit ended the deploy; ``recording`` is None where nothing was deployed."""

    code: int | None
    seconds: float
    output: str
    report: Report
    last_request: str
    recording: Recording | None


class RecordedSecret(Struct, frozen=True, kw_only=True):
    """``name`` is None for one that the app makes of values; ``keys`` are then its keys.  Values are never kept."""

    name: str | None
    required_keys: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    environment: str | None = None


class RecordedVolume(Struct, frozen=True, kw_only=True, tag=True):
    """``name`` is None for an ephemeral one."""

    name: str | None
    kind: str = "volume"  # or "network-file-system"
    creates_if_missing: bool = False
    is_read_only: bool = False


class RecordedBucket(Struct, frozen=True, kw_only=True, tag=True):
    bucket: str
    prefix: str | None
    endpoint_url: str | None
    secret: RecordedSecret | None
    has_oidc_role: bool
    is_read_only: bool
    is_requester_pays: bool = False
    is_path_style: bool = False


class RecordedImage(Struct, frozen=True, kw_only=True):
    """One chain.  ``base`` are the commands of its first layer, ``commands`` those of all others, in order, as the
    builder renders them.  ``files`` are what it hands to the builder by name: requirement files, a lock.

    ``added_python`` is "3.11" where the client brings its own Python into the base, None where it does not."""

    base: tuple[str, ...]
    commands: tuple[str, ...]
    files: Mapping[str, str] = {}
    added_python: str | None = None
    is_whole: bool = True  # False: a layer is what a Python function leaves behind, and no command says what that is


class RecordedFunction(Struct, frozen=True, kw_only=True):
    """``name`` is its tag, ``definition`` the name of the def or class.

    ``gpus`` are (type, count) of each alternative.  ``cpu`` and ``memory_mib`` are (request, limit) and None where
    the app gives none; ``timeout_s`` is Modal's default where the app gives none.
    """

    name: str
    definition: str
    is_class: bool
    gpus: tuple[tuple[str, int], ...]
    timeout_s: int
    startup_timeout_s: int
    cpu: tuple[float, float | None] | None
    memory_mib: tuple[float, float | None] | None
    retries: int
    secrets: tuple[RecordedSecret, ...]
    mounts: Mapping[str, RecordedVolume | RecordedBucket]
    image: RecordedImage | None


class Recording(Struct, frozen=True, kw_only=True):
    """``closed_by`` says who kept the network closed: "kernel", or "python" for Python's own sockets alone."""

    apps: tuple[str, ...]
    functions: tuple[RecordedFunction, ...]
    builder: str
    seconds: float
    closed_by: str
    requests: int


def line(part: Struct) -> bytes:
    """In ASCII: a path or a variable need not be UTF-8, and arrives as it was."""
    return json.dumps(msgspec.to_builtins(part, enc_hook=str)).encode() + b"\n"


def read(text: bytes, kind: type[T]) -> T:
    """Raises ValueError."""
    return msgspec.convert(json.loads(text), kind, dec_hook=lambda wanted, value: wanted(value))


def together(recordings: Sequence[Recording]) -> Recording:
    """Several apps of one file as one recording; a function that two of them deploy is in it once."""
    functions = {(f.name, f.definition): f for r in recordings for f in r.functions}
    first = recordings[0]
    return Recording(
        apps=tuple(dict.fromkeys(a for r in recordings for a in r.apps)),
        functions=tuple(functions.values()),
        builder=first.builder,
        seconds=sum(r.seconds for r in recordings),
        closed_by=first.closed_by,
        requests=sum(r.requests for r in recordings),
    )
