"""Whole documents that are kept as JSON beside the tests, and compared as a whole."""

from __future__ import annotations

import json
import os
from pathlib import Path

KEPT = Path(__file__).parent / "data" / "kept"


def assert_kept(name: str, now: object) -> None:
    """PREFLIGHT_KEEP_SNAPSHOTS=1 writes it anew: read the difference."""
    file, text = KEPT / f"{name}.json", json.dumps(now, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("PREFLIGHT_KEEP_SNAPSHOTS"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert json.loads(text) == json.loads(file.read_text("utf-8"))
