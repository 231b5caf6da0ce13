"""The verdict on each library: what it loads with, what it holds, and one thing to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from preflight.binary.link import FOR_OTHERS, Linked, Target, Verdict, whole
from preflight.binary.symbols import spoken
from preflight.facts.symbols import span_of_table
from preflight.report.text import in_encoding, one_line
from preflight.wording import counted

STYLES = {
    Verdict.LOADS: ("LOADS", "bold green"),
    Verdict.DOES_NOT_LOAD: ("DOES NOT LOAD", "bold red"),
    Verdict.UNKNOWN: ("UNKNOWN", "bold yellow"),
    Verdict.UNREADABLE: ("UNREADABLE", "bold magenta"),
}
SHOWN = 8


def show(console: Console, linked: Mapping[Path, Sequence[Linked]], target: Target) -> None:
    for path, libraries in linked.items():
        if len(libraries) > 1:
            _put(console, Text.assemble(STYLES[whole(libraries)], "  ", _safe(console, str(path))), 0)
        _show_file(console, libraries, target, 2 if len(libraries) > 1 else 0)


def _show_file(console: Console, linked: Sequence[Linked], target: Target, indent: int) -> None:
    plain = [one for one in linked if one.asks_nothing] if len(linked) > 1 else []
    choices = [one for one in linked if one.choice and one not in plain]
    for choice in dict.fromkeys(one.choice for one in choices):
        _show_choice(console, [one for one in choices if one.choice == choice], indent)
    for one in linked:
        if one in plain or one in choices:
            continue
        _put(console, Text.assemble(STYLES[one.verdict], "  ", _safe(console, one.path)), indent)
        for name, text in _fields(one, target):
            _put(console, Text(f"{name:<7}{_safe(console, text)}"), indent + 2)
    if plain:
        ask = "library that asks" if len(plain) == 1 else "libraries that ask"
        text = f"{len(plain)} {ask} neither torch nor a GPU for anything: {_names(plain)}"
        _put(console, Text.assemble(STYLES[Verdict.LOADS], "  ", _safe(console, text)), indent)


def _show_choice(console: Console, alternatives: Sequence[Linked], indent: int) -> None:
    """Alternatives as one: which of them load, and why the first of the others does not."""
    choice = alternatives[0].choice
    what = f"one of {len(alternatives)} is chosen at run time: {choice}"
    if choice == FOR_OTHERS:
        head: Text | tuple[str, str] = Text("not judged", "dim")
        what = f"{counted(len(alternatives), 'library', 'libraries')} {choice}"
    else:
        head = STYLES[whole(alternatives)]
    _put(console, Text.assemble(head, "  ", _safe(console, what)), indent)
    for verdict in dict.fromkeys(one.verdict for one in alternatives if choice != FOR_OTHERS):
        same = [one for one in alternatives if one.verdict is verdict]
        why = f": {same[0].reasons[0]}" if same[0].reasons else ""
        _put(console, Text(_safe(console, f"{STYLES[verdict][0].lower()}: {_names(same)}{why}")), indent + 2)


def _names(linked: Sequence[Linked]) -> str:
    names = ", ".join(one.path.rpartition("/")[2] for one in linked[:SHOWN])
    return names + (f" and {len(linked) - SHOWN} more" if len(linked) > SHOWN else "")


def _fields(one: Linked, target: Target) -> Iterator[tuple[str, str]]:
    for number, reason in enumerate(one.reasons):
        yield "why" if number == 0 else "", reason
    if one.remedy:
        yield "fix", one.remedy
    if one.verdict is Verdict.UNREADABLE:
        return
    yield "torch", _torch(one, target)
    if one.archs:
        runs = ", ".join(dict.fromkeys(g.name for g in one.gpus if g.runs))
        yield "gpu", ", ".join(map(str, one.archs)) + (f"; runs on {runs}" if runs else "")
    if one.modules or one.python:
        yield "python", ", ".join([*one.modules[:SHOWN], *([one.python] if one.python else [])])
    if one.floors:
        yield "needs", ", ".join(f"{kind} {version}" for kind, version in one.floors.items())
    for note in one.notes:
        yield "note", note


def _torch(one: Linked, target: Target) -> str:
    if not one.torch_symbols:
        return "it asks torch for nothing"
    known = one.torch_symbols - len(one.unknown_symbols)
    by = f"by {known} of its {one.torch_symbols} symbols of torch"
    abi = {True: "C++11 ABI", False: "old C++ ABI", None: "either C++ ABI"}[one.cxx11abi]
    return f"{spoken(one.torch_versions) or f'none from {span_of_table()}'}, {by}; {abi}"


def _safe(console: Console, text: str) -> str:
    return in_encoding(one_line(text), console.encoding)


def _put(console: Console, text: Text, indent: int) -> None:
    console.print(Padding(text, (0, 0, 0, indent), expand=False))
