"""What is no longer as it was when the pass was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from preflight.model import Stage
from preflight.state.differ import differing
from preflight.state.receipt import GOOD_FOR, Entry

FILE = "file "
UNSHOWN = (FILE, "variable ", "Modal profile ", "token")  # their values are digests
LONGEST = 60  # characters of a value


@dataclass(frozen=True, order=True)
class Drift:
    """``what`` is the file, setting or fact; ``how`` says what became of it."""

    what: str
    how: str


def between(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[Drift, ...]:
    """Every fact that differs, files first; a file under another name is one drift, not two."""
    different = {name: (old, new) for name, old, new in differing(then, now)}
    moved: dict[str, str] = {}
    for name, (old, new) in sorted(different.items()):
        if old is None and name.startswith(FILE):
            gone = (n for n, values in different.items() if n.startswith(FILE) and values == (new, None))
            before = next((n for n in gone if n not in moved), "")
            moved |= {before: name} if before else {}
    drifts = []
    for name, (old, new) in different.items():
        if name not in moved.values():
            how = f"is now {moved[name].removeprefix(FILE)}" if name in moved else _how(name, old, new)
            drifts.append(Drift(name.removeprefix(FILE), how))
    return tuple(sorted(drifts, key=lambda d: (" " in d.what, d)))


def expired(entries: Iterable[Entry], now: datetime, *, is_offline: bool) -> tuple[Drift, ...]:
    """Answers that are too old to count.  Remote ones are asked again, so only --offline looks at their age."""
    late = [e for e in entries if now > e.ends and (is_offline or e.stage is not Stage.REMOTE)]
    if not late:
        return ()
    oldest = [min((e for e in late if e.stage is stage), key=lambda e: e.at) for stage in {e.stage for e in late}]
    return tuple(
        Drift(e.name, f"passed on {e.at:%Y-%m-%d %H:%M} UTC; {e.stage} answers count for {_span(GOOD_FOR[e.stage])}")
        for e in sorted(oldest, key=lambda e: e.name)
    )


def unchecked(entries: Iterable[Entry], wanted: Mapping[str, str]) -> tuple[Drift, ...]:
    """Checks of today (id → name) that the pass has no answer of."""
    known = {e.id for e in entries}
    missing = [name for check_id, name in wanted.items() if check_id not in known]
    return tuple(Drift(name, "is a check that the pass has no answer of") for name in missing)


def _how(name: str, then: str | None, now: str | None) -> str:
    if now is None:
        return "is gone"
    if then is None:
        return "is new" if name.startswith(UNSHOWN) else f"is new: {_cut(now)}"
    if not name.startswith(UNSHOWN):
        return f"{_cut(then)} → {_cut(now)}"
    if name.startswith(FILE):
        (old, *old_mode), (new, *new_mode) = then.split(), now.split()
        if "absent" in (old, new):
            return "is gone" if new == "absent" else "is new"
        if old != new and "link" in (old, new):
            return "is a link now" if new == "link" else "is no link any more"
        if old == "link" and old_mode[0] != new_mode[0]:
            return f"leads to {new_mode[0]}, no longer to {old_mode[0]}"
        if old == new and old_mode and new_mode and old not in ("large", "link"):
            return f"mode {old_mode[-1]} → {new_mode[-1]}"
    return "changed"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _span(time: timedelta) -> str:
    return f"{time.days} days" if time.days else f"{time.seconds // 60} min"
