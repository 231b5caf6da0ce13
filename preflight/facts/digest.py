"""The digest of all tables, without reading a row of them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def digest() -> str:
    """SHA-256 over all tables: two reports with the same digest were judged by the same facts."""
    whole = hashlib.sha256()
    for table in sorted((*FOLDER.glob("*.toml"), *FOLDER.glob("*.bin"))):
        whole.update(table.name.encode() + b"\0" + table.read_bytes() + b"\0")
    return whole.hexdigest()[:16]
