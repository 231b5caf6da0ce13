"""A rule's why and remedy in the words of this log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from preflight.diagnosis.model import Hit
from preflight.diagnosis.rules import Rule
from preflight.facts.images import cuda_devel_tag
from preflight.facts.load import rows
from preflight.facts.torch import cuda_of, number, torch_row
from preflight.facts.types import DISTRIBUTIONS, TORCH

LIBRARY = re.compile(r"([\w./+-]{1,400}\.so)\S{0,20}: undefined symbol")
PLACE = re.compile(r"\{(\w{1,40})(?:\|([^{}]{0,200}))?\}")


def in_words_of_log(template: str, captures: Mapping[str, str]) -> str:
    """``{torch|the installed torch}`` becomes what the log said of it, else the words behind the bar."""
    for _ in range(2):  # what stands behind a bar may hold a place itself
        template = PLACE.sub(lambda m: captures.get(m[1]) or m[2] or "", template)
    return template


def remedy_for(rule: Rule, signals: Iterable[str], captures: Mapping[str, str]) -> str:
    """The first remedy of which all conditions hold."""
    seen = {*signals, *captures, *(f"{name}={value}" for name, value in captures.items())}
    for remedy in rule.remedies:
        if all((c.removeprefix("!") in seen) is not c.startswith("!") for c in remedy.when):
            return remedy.fix
    return rule.remedy


def derived(captures: Mapping[str, str]) -> dict[str, str]:
    """What the tables add: ``devel``, the image to build for this torch in, the tags (cu124) of both CUDAs, the
    companions of this torch, the oldest ``bases`` that have the C library asked for, and the torch of this GPU.
    """
    cuda = captures.get("torch_cuda") or cuda_of(captures.get("torch", "")) or ""
    sides = {"torch_tag": cuda, "toolkit_tag": captures.get("toolkit", "")}
    found = {name: f"cu{version.replace('.', '')}" for name, version in sides.items() if version[:1].isdigit()}
    tag = cuda_devel_tag(cuda) if cuda[:1].isdigit() else None
    row = torch_row(captures.get("torch", ""))
    more = {
        "devel": f"nvidia/cuda:{tag}" if tag else "",
        "torchvision": row.torchvision if row else "",
        "torchaudio": row.torchaudio if row else "",
        "bases": _bases(captures.get("wanted", "")),
        "driver_cuda": _dotted(captures.get("driver", "")),
    }
    more |= _torch_for(captures.get("arch", ""))
    return found | {name: value for name, value in more.items() if value}


def _torch_for(arch: str) -> dict[str, str]:
    """The first torch whose wheels hold code for "sm_120", or the last where newer ones hold it no more.

    Code for one GPU runs on the later ones of its major.
    """
    sm = int("".join(filter(str.isdecimal, arch)) or 0)
    known = rows(TORCH)
    fit = [row for row in known if any(s // 10 == sm // 10 and s <= sm for s in row.sm)]
    return {} if not fit else {"torch_from": fit[0].minor} if fit[-1] is known[-1] else {"torch_to": fit[-1].minor}


def _dotted(cuda: str) -> str:
    """ "11.4" of 11040, as CUDA numbers itself."""
    return f"{int(cuda) // 1000}.{int(cuda) % 1000 // 10}" if cuda.isdecimal() else ""


def _bases(wanted: str) -> str:
    """ "ubuntu:22.04 or debian:bookworm" for GLIBC_2.32."""
    if not wanted.startswith("GLIBC_"):
        return ""
    known = rows(DISTRIBUTIONS)
    fit = [d.name for d in known if number(d.glibc) >= number(wanted.removeprefix("GLIBC_"))]
    oldest = {n.startswith("ubuntu"): n for n in reversed(fit)}  # of Ubuntu and of Debian
    names = (f"ubuntu:{n.removeprefix('ubuntu')}" if is_ubuntu else f"debian:{n}" for is_ubuntu, n in oldest.items())
    return " or ".join(sorted(names, reverse=True))


def of_symbols(hits: Sequence[Hit], captures: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Why and remedy of a rule that caught an undefined symbol of torch; None for what the symbol does not tell."""
    if "symbol" not in hits[0].captures:
        return None, None
    from preflight.binary import symbols  # the table is read only for a log with such a symbol

    library = _library(hits[0])
    names = list(dict.fromkeys(h.captures["symbol"] for h in hits if _library(h) == library))
    names += [n for n in _at_hand(library, names[0]) if n not in names]
    torch = captures.get("torch")
    fix = symbols.fix(names, library, torch)
    if fix and library.startswith("/") and "-packages/" not in library:
        fix = f"delete {library}, a leftover in a source folder that is imported before the installed one; then {fix}"
    return symbols.why(names, torch), fix


def _at_hand(library: str, symbol: str) -> tuple[str, ...]:
    """All of torch's symbols that the library leaves undefined, where this machine has the file that the log speaks of.

    It is that file when it asks for the very symbol; together they narrow the range to a release or two.
    """
    if not library.startswith("/"):
        return ()
    from preflight.binary.elf import Unreadable, shared_library
    from preflight.binary.files import libraries
    from preflight.facts.symbols import is_torch

    try:
        for found in libraries(Path(library)):
            undefined = shared_library(found.data).undefined
            return tuple(filter(is_torch, undefined)) if symbol in undefined else ()
    except (FileNotFoundError, Unreadable):
        pass  # the log's own words are there still
    return ()


def _library(hit: Hit) -> str:
    found = LIBRARY.search(hit.excerpt)
    return found[1] if found else ""
