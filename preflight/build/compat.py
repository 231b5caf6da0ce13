"""Which versions go together: the one evaluator of compat.toml, for rules, forecasts, recipes and diagnoses.

    conflicts({"torch": "2.4.1", "mamba-ssm": "2.0.4"})  →  mamba-ssm 2.0.4 needs triton <3.0.0, and torch 2.4.1 …

A stack maps names to versions: packages, and python, cuda (the toolkit's), glibc, sm (the oldest GPU architecture that
is compiled for).  What it leaves out is not known, and makes no conflict.  triton and cxx follow from torch, where
torch is in its table: of another torch nothing is claimed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from preflight.facts import torch as torch_facts
from preflight.facts import wheels
from preflight.facts.in_force import kept
from preflight.facts.load import rows
from preflight.facts.types import COMPAT, TORCH, Need, Release, TorchRow


@dataclass(frozen=True)
class Conflict:
    """``version`` of ``need.package`` does not go with ``found`` of ``need.other``."""

    need: Need
    version: str
    found: str
    torch: str = ""  # the torch that brings ``found``

    @property
    def message(self) -> str:
        """ "mamba-ssm 2.0.4 needs triton <3.0.0, and torch 2.4.1 brings 3.0.0: …"."""
        need = self.need
        wanted = f"C++{need.needs.strip('<=>')}" if need.other == "cxx" else f"{need.other} {need.needs}"
        there = {"cxx": f"C++{self.found}", "sm": f"sm_{self.found}"}.get(need.other, self.found)
        has = f"torch {self.torch} brings {there}" if self.torch else f"{there} is there"
        return f"{need.package} {self.version} needs {wanted}, and {has}: {need.why}"


def conflicts(stack: Mapping[str, str], comes: Mapping[str, str] | None = None) -> tuple[Conflict, ...]:
    """What of the stack does not go together, in the order of the table.

    ``comes`` says of a package whether it is a "wheel" or a "source" build; a row about one of them is left out for a
    package that it does not name.
    """
    torch = stack.get("torch", "")
    there = {**_of_torch(torch), **stack}
    found = []
    for need in rows(COMPAT):
        if need.package in there and need.other in there and need.comes in ("", (comes or {}).get(need.package)):
            version, other = there[need.package], there[need.other]
            if is_within(version, need.versions) and is_within(other, need.needs) is False:
                found.append(Conflict(need, version, other, "" if need.other in stack else torch))
    return tuple(found)


@kept
def _of_torch(version: str) -> Mapping[str, str]:
    row = torch_facts.torch_row(version)
    if row is None:
        return {}
    triton = re.search(r"\d+\.\d+\.\d+", row.triton)
    return {"cxx": "20" if row.enforces_cxx20 else "17"} | ({"triton": triton[0]} if triton else {})


@cache
def is_within(version: str, specifier: str) -> bool | None:
    """Whether a version fits a specifier, its local part aside; None where one of them can't be read."""
    try:
        return SpecifierSet(specifier).contains(version.split("+")[0], prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None


def needs_of(package: str, version: str, other: str) -> tuple[Need, ...]:
    """The rows that say what ``package`` in this version needs of ``other``."""
    return tuple(n for n in rows(COMPAT) if (n.package, n.other) == (package, other) and is_within(version, n.versions))


# --- ways out ---------------------------------------------------------------------------------------------------------


def releases_that_fit(package: str, stack: Mapping[str, str], comes: Mapping[str, str] | None = None) -> list[Release]:
    """Releases on PyPI that have no conflict with the rest of the stack, newest first."""

    def is_touched(version: str) -> bool:
        found = conflicts({**stack, package: version}, comes)
        return any(package in (c.need.package, c.need.other) for c in found)

    return [r for r in wheels.on_pypi(package) if not is_touched(r.version)]


def torches_that_fit(stack: Mapping[str, str], comes: Mapping[str, str] | None = None) -> list[TorchRow]:
    """Rows of torch with which the rest of the stack has no conflict, newest first."""
    return [
        row
        for row in reversed(rows(TORCH))
        if stack.get("python", row.python[0]) in row.python
        and not conflicts({**stack, "torch": row.patches[-1]}, comes)
    ]
