"""Keeps a reading as test data: python tests/probe/keep_reading.py READING.json NAME "where it was taken".

Paths of the machine are shortened to their last four parts, and what the judge says of it today is written beside
it.  Read that before committing: it becomes what test_kept_readings.py holds every later judge to.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from preflight.probe.reading import parsed
from preflight.probe.verdict import judge

FOLDER = Path(__file__).parents[1] / "data" / "probes"
LONG_PATH = re.compile(r"(?<![\w.:/])/(?:[^\s/\"',:]+/)+([^\s/\"',:]+/[^\s/\"',:]+/[^\s/\"',:]+/[^\s/\"',:]+)")


def shortened(value: object) -> object:
    if isinstance(value, dict):
        return {key: shortened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shortened(inner) for inner in value]
    return LONG_PATH.sub(r"…/\1", value) if isinstance(value, str) else value


def keep(document: dict[str, object], name: str, origin: str) -> Path:
    asked = {k: v for k, v in document["request"].items() if k not in ("known", "watch")}  # type: ignore[attr-defined]
    short = shortened({**document, "request": asked})
    judged = judge(parsed(short))
    said = {"verdict": judged.verdict.value, "cause": judged.ruling.cause.value, "reason": judged.ruling.reason}
    path = FOLDER / f"{name}.json"
    kept = {"origin": origin, "expect": said, "reading": short}
    path.write_text(json.dumps(kept, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    print(keep(json.loads(Path(sys.argv[1]).read_text("utf-8")), sys.argv[2], sys.argv[3]))
