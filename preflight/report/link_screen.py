"""The verdict on each library: what it loads with, what it holds, and one thing to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from preflight.binary.link import Linked, Target, Verdict, spoken
from preflight.report.text import in_encoding, one_line

STYLES = {
    Verdict.LOADS: ("LOADS", "bold green"),
    Verdict.DOES_NOT_LOAD: ("DOES NOT LOAD", "bold red"),
    Verdict.UNKNOWN: ("UNKNOWN", "bold yellow"),
    Verdict.UNREADABLE: ("UNREADABLE", "bold magenta"),
}
SHOWN = 8


def show(console: Console, linked: Sequence[Linked], target: Target) -> None:
    plain = [one for one in linked if _is_plain(one)] if len(linked) > 1 else []
    for one in linked:
        if one in plain:
            continue
        word, style = STYLES[one.verdict]
        _put(console, Text.assemble((word, style), "  ", _safe(console, one.path)), 0)
        for name, text in _fields(one, target):
            _put(console, Text(f"{name:<7}{_safe(console, text)}"), 2)
    if plain:
        count = f"{len(plain)} {'library' if len(plain) == 1 else 'libraries'}"
        said = f"{count} that ask neither torch nor a GPU for anything: "
        names = ", ".join(one.path.rpartition("/")[2] for one in plain[:SHOWN])
        more = f" and {len(plain) - SHOWN} more" if len(plain) > SHOWN else ""
        _put(console, Text.assemble(("LOADS", "bold green"), "  ", _safe(console, said + names + more)), 0)


def _is_plain(one: Linked) -> bool:
    return one.verdict is Verdict.LOADS and not one.torch_symbols and not one.archs and not one.notes


def _fields(one: Linked, target: Target) -> Iterator[tuple[str, str]]:
    for number, reason in enumerate(one.reasons):
        yield "why" if number == 0 else "", reason
    if one.remedy:
        yield "fix", one.remedy
    if one.verdict is Verdict.UNREADABLE:
        return
    yield "torch", _torch(one, target)
    if one.archs:
        yield "gpu", _gpu(one)
    if one.modules or one.python:
        yield "python", ", ".join([*one.modules[:SHOWN], *([one.python] if one.python else [])])
    if one.floors:
        yield "needs", ", ".join(f"{kind} {version}" for kind, version in one.floors)
    for note in one.notes:
        yield "note", note


def _torch(one: Linked, target: Target) -> str:
    if not one.torch_symbols:
        return "it asks torch for nothing"
    known = one.torch_symbols - len(one.unknown_symbols)
    by = f"by {known} of its {one.torch_symbols} symbols of torch"
    abi = {True: "C++11 ABI", False: "old C++ ABI", None: "either C++ ABI"}[one.cxx11abi]
    return f"{spoken(one.torch_versions) or 'none from 2.0 to 2.15'}, {by}; {abi}"


def _gpu(one: Linked) -> str:
    holds = ", ".join(map(str, one.archs))
    runs = [g.name for g, is_covered in one.gpus if is_covered]
    return f"{holds}" + (f"; runs on {', '.join(dict.fromkeys(runs))}" if runs else "")


def _safe(console: Console, text: str) -> str:
    return in_encoding(one_line(text), console.encoding)


def _put(console: Console, text: Text, indent: int) -> None:
    console.print(Padding(text, (0, 0, 0, indent), expand=False))
