"""How numbers of things read."""

from __future__ import annotations


def counted(count: int, noun: str, nouns: str = "") -> str:
    """ "1 volume", "3 volumes"; "" for none, which a rule gives as having nothing to look at."""
    if count == 0:
        return ""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def listed(names: tuple[str, ...] | list[str], most: int = 4) -> str:
    """ "a, b and c"; past ``most`` the rest is counted."""
    shown = list(names[:most])
    if len(names) > most:
        shown = [*shown, f"{len(names) - most} more"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
