"""This machine's own key, and seals made with it: what preflight keeps can't be edited into another verdict.

The key is 32 random bytes in the user's state folder, readable by its owner alone, and apart from what it seals.
Whoever can read it as this user can make any seal: it guards against edits, copies and mistakes, not against
the user.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from preflight.model import Json
from preflight.store import write_whole

KEY_BYTES = 32
LARGEST_BYTES = 32_000_000  # of a sealed file: 20,000 files of 200 characters are 4 MB


class KeyRefused(OSError):
    """The key can't be trusted, or can't be had; the text says what to do."""


class BrokenSeal(Exception):
    """The file is not what was sealed with this key; the text says how that shows."""


def path_of(state: Path) -> Path:
    return state / "key" / "machine.key"


def load(state: Path) -> bytes:
    """Raises KeyRefused."""
    file = path_of(state)
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as e:
        raise KeyRefused(f"{file} can't be read: {e.strerror}") from e
    try:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode) or seen.st_uid != os.getuid():
            raise KeyRefused(f"{file} is not a file of this user; remove it, and the next pass makes a new one")
        if seen.st_mode & 0o077:
            mode = stat.S_IMODE(seen.st_mode)
            raise KeyRefused(f"{file} can be read by others (mode {mode:04o}); remove it, and the next pass makes one")
        key = os.read(descriptor, KEY_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(key) != KEY_BYTES:
        raise KeyRefused(f"{file} holds {len(key)} bytes, wanted {KEY_BYTES}; remove it, and the next pass makes one")
    return key


def load_or_make(state: Path) -> bytes:
    """Raises KeyRefused, also when it can't be written."""
    file = path_of(state)
    if not os.path.lexists(file):
        try:
            write_whole(file, secrets.token_bytes(KEY_BYTES), replaces=False)  # another's key, made first, is the key
        except OSError as e:
            raise KeyRefused(f"{file} can't be written: {e.strerror}") from e
    return load(state)


def blurred(key: bytes, text: str) -> str:
    """A value that may be a secret, so that its change is seen and it is not."""
    return hmac.new(key, b"value:" + os.fsencode(text), hashlib.sha256).hexdigest()[:32]


def write_sealed(file: Path, key: bytes, body: Mapping[str, Json]) -> None:
    """Whole or not at all, readable by its owner alone.  Raises OSError."""
    write_whole(file, json.dumps({"body": body, "seal": _seal(key, body)}).encode())


def read_sealed(file: Path, key: bytes) -> dict[str, Json]:
    """Raises FileNotFoundError, and BrokenSeal for anything that this key has not sealed as it stands."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as e:
        raise BrokenSeal(f"{file.name} is a link" if file.is_symlink() else f"can't be read: {e.strerror}") from e
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BrokenSeal(f"{file.name} is no file")
    with os.fdopen(descriptor, "rb") as opened:
        content = opened.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise BrokenSeal(f"{file.name} has more than {LARGEST_BYTES // 10**6} MB")
    try:
        found = json.loads(content)
        body, seal = found["body"], found["seal"]
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise BrokenSeal("empty" if not content else "not whole") from e
    if not isinstance(body, dict) or not isinstance(seal, str):
        raise BrokenSeal("not whole")
    if not hmac.compare_digest(seal.encode("utf-8", "surrogatepass"), _seal(key, body).encode()):
        raise BrokenSeal("its seal is not of this machine's key: it was edited, or made elsewhere")
    return body


def _seal(key: bytes, body: Mapping[str, Json]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, b"sealed:" + canonical.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
