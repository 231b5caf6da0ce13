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
from preflight.report.ordered import grouped
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
        indent = 2 if len(libraries) > 1 else 0
        if indent:
            _put(console, 0, str(path), STYLES[whole(libraries)], "  ")
        _show_file(console, libraries, target, indent)


def _show_file(console: Console, linked: Sequence[Linked], target: Target, indent: int) -> None:
    plain = [one for one in linked if _is_plain(one)] if len(linked) > 1 else []
    others = [one for one in linked if one not in plain]
    for alternatives in grouped((one for one in others if one.choice), lambda one: one.choice).values():
        _show_choice(console, alternatives, indent)
    for one in others:
        if not one.choice:
            _put(console, indent, one.path, STYLES[one.verdict], "  ")
            for name, text in _fields(one, target):
                _put(console, indent + 2, text, f"{name:<7}")
    if plain:
        ask = "library that asks" if len(plain) == 1 else "libraries that ask"
        text = f"{len(plain)} {ask} neither torch nor a GPU for anything: {_names(plain)}"
        _put(console, indent, text, STYLES[Verdict.LOADS], "  ")


def _show_choice(console: Console, alternatives: Sequence[Linked], indent: int) -> None:
    """Alternatives as one: which of them load, and why the first of the others does not."""
    choice = alternatives[0].choice
    if choice == FOR_OTHERS:
        text = f"{counted(len(alternatives), 'library', 'libraries')} {choice}"
        _put(console, indent, text, ("not judged", "dim"), "  ")
        return
    text = f"one of {len(alternatives)} is chosen at run time: {choice}"
    _put(console, indent, text, STYLES[whole(alternatives)], "  ")
    for verdict, same in grouped(alternatives, lambda one: one.verdict).items():
        why = f": {same[0].reasons[0]}" if same[0].reasons else ""
        _put(console, indent + 2, f"{STYLES[verdict][0].lower()}: {_names(same)}{why}")


def _names(libraries: Sequence[Linked]) -> str:
    names = ", ".join(one.path.rpartition("/")[2] for one in libraries[:SHOWN])
    return names + (f" and {len(libraries) - SHOWN} more" if len(libraries) > SHOWN else "")


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


def _gpu(one: Linked) -> str:
    holds = ", ".join(map(str, one.archs))
    runs = [g.name for g in one.gpus if g.runs]
    return holds + (f"; runs on {', '.join(dict.fromkeys(runs))}" if runs else "")


def _put(console: Console, indent: int, text: str, *head: str | tuple[str, str]) -> None:
    """A text as data behind our own words."""
    line = Text.assemble(*head, in_encoding(one_line(text), console.encoding))
    console.print(Padding(line, (0, 0, 0, indent), expand=False))
