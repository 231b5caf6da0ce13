"""Which releases one ``pip install`` takes, by the metadata of an index: today, or as the index was on a day."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import canonicalize_name
from packaging.version import Version
from resolvelib import AbstractProvider, BaseReporter, ResolutionError, Resolver

from preflight.facts.refresh.source import Index, IndexFile, by_version, requires
from preflight.facts.wheels import release

MOST_READ = 400  # metadata of releases that one image may ask for
MOST_ROUNDS = 5_000
LIMIT_S = 120.0
UV_S = 60.0
PLATFORM = "x86_64-manylinux_2_40"  # as uv names it
LINE = re.compile(r"([A-Za-z0-9._-]+)==(\S+)(?:\s+# via (\S+?),?(?:\s|$))?")
NEWEST_GLIBC = 41
PLATFORMS = (
    *(f"manylinux_2_{n}_x86_64" for n in range(NEWEST_GLIBC, 4, -1)),
    *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"),
)


class NotResolved(Exception):
    """There is no answer: nothing fits, or it takes too long; the text says which."""


@dataclass(frozen=True)
class Taken:
    """A release that is taken.  ``uploaded`` is None where the index does not say it; ``by`` asked for it."""

    name: str
    version: Version
    uploaded: date | None
    by: str


@dataclass(frozen=True)
class Place:
    """Where packages are installed.  ``day`` leaves out what was uploaded later."""

    python: str
    day: date | None = None
    has_prereleases: bool = False


@dataclass(frozen=True)
class _Candidate:
    name: str
    version: Version
    extras: frozenset[str]
    file: IndexFile | None  # None for what is installed already


@cache
def _tags(python: str) -> frozenset[str]:
    major, minor = (int(n) for n in python.split(".")[:2])
    exact = cpython_tags((major, minor), platforms=PLATFORMS)
    other = compatible_tags((major, minor), f"cp{major}{minor}", PLATFORMS)
    return frozenset(str(tag) for tags in (exact, other) for tag in tags)


class Budget:
    """How much may be read for one image.  Raises NotResolved when it is used up."""

    def __init__(self, reads: int = MOST_READ, limit_s: float = LIMIT_S) -> None:
        self._reads, self._until = reads, time.monotonic() + limit_s

    def take(self) -> None:
        self._reads -= 1
        if self._reads < 0 or time.monotonic() > self._until:
            raise NotResolved("it needs the metadata of too many releases, or too long")


def resolve(
    index: Index,
    wanted: Sequence[Requirement],
    place: Place,
    installed: Mapping[str, Taken],
    budget: Budget,
    uv: str | None = None,
) -> dict[str, Taken]:
    """What pip installs for ``wanted`` beside what is ``installed``, which it keeps where it fits.

    ``uv`` is the program, where it is installed; what it can't answer is resolved here.  Raises NotResolved, and
    NotRead for an index that can't be asked.
    """
    if uv is not None:
        found = compiled(uv, index.urls, wanted, installed, place)
        if found is not None:
            own = {canonicalize_name(r.name) for r in wanted}
            return {
                name: installed[name]
                if name in installed and installed[name].version == version
                else Taken(name, version, _uploaded(index, name, version) if name in own else None, by)
                for name, (version, by) in found.items()
            }
    provider = _Provider(index, place, installed, budget)
    asked = [r for r in wanted if _applies(r, place.python, frozenset())]
    try:
        result = Resolver(provider, BaseReporter()).resolve(asked, max_rounds=MOST_ROUNDS)
    except ResolutionError as e:
        raise NotResolved(_why(e)) from e
    taken = {}
    for name, candidate in result.mapping.items():
        if "[" in name:
            continue
        parents = (p for p in result.graph.iter_parents(name) if p)
        by = next((str(p).partition("[")[0] for p in parents if str(p).partition("[")[0] != name), "")
        before = installed.get(candidate.name)
        if before and before.version == candidate.version:
            taken[candidate.name] = before
        else:
            day = candidate.file.uploaded if candidate.file else None
            taken[candidate.name] = Taken(candidate.name, candidate.version, day, by)
    return taken


def _uploaded(index: Index, name: str, version: Version) -> date | None:
    return min((f.uploaded for f in index.files(name) if f.version == version and f.uploaded), default=None)


def _why(error: ResolutionError) -> str:
    wanted = [
        f"{c.requirement}{f' of {c.parent.name} {c.parent.version}' if c.parent else ''}"
        for c in getattr(error, "causes", ())
    ]
    return f"no release fits {' and '.join(dict.fromkeys(wanted))}" if wanted else "it takes too many rounds"


def _applies(requirement: Requirement, python: str, extras: frozenset[str]) -> bool:
    if requirement.marker is None:
        return True
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    try:
        return any(requirement.marker.evaluate({**environment, "extra": extra}) for extra in (*extras, ""))
    except UndefinedEnvironmentName:
        return False


class _Provider(AbstractProvider[Requirement, _Candidate, str]):
    def __init__(self, index: Index, place: Place, installed: Mapping[str, Taken], budget: Budget) -> None:
        self._index, self._place, self._installed, self._budget = index, place, installed, budget
        self._asked: dict[tuple[str, Version], list[Requirement]] = {}
        self._found: dict[str, dict[Version, IndexFile]] = {}

    def identify(self, requirement_or_candidate: Requirement | _Candidate) -> str:
        extras = ",".join(sorted(requirement_or_candidate.extras))
        return canonicalize_name(requirement_or_candidate.name) + (f"[{extras}]" if extras else "")

    def get_preference(
        self, identifier: str, resolutions: Any, candidates: Any, information: Any, backtrack_causes: Any
    ) -> Any:
        pins = [str(i.requirement.specifier) for i in information[identifier]]
        causes = any(self.identify(c.requirement) == identifier for c in backtrack_causes)
        return (not causes, not any("==" in p for p in pins), identifier)

    def find_matches(
        self, identifier: str, requirements: Mapping[str, Iterator[Requirement]], incompatibilities: Mapping[str, Any]
    ) -> Iterable[_Candidate]:
        asked = list(requirements[identifier])
        bad = {c.version for c in incompatibilities[identifier]}
        name, extras = canonicalize_name(asked[0].name), frozenset(e for r in asked for e in r.extras)
        both = SpecifierSet(",".join(str(r.specifier) for r in asked if str(r.specifier)))
        return [c for c in self._candidates(name, extras, both) if c.version not in bad]

    def _candidates(self, name: str, extras: frozenset[str], wanted: SpecifierSet) -> Iterator[_Candidate]:
        installed = self._installed.get(name)
        if installed and wanted.contains(installed.version, prereleases=True):
            yield _Candidate(name, installed.version, extras, None)
        if name not in self._found:
            files = self._index.files(name)
            if self._place.day and files and not any(f.uploaded for f in files):
                raise NotResolved(f"the index does not say when {name} was uploaded")
            page = by_version(files)
            self._found[name] = {v: f for v, files in page.items() if (f := self._best(files))}
        found = self._found[name]
        fitting = set(wanted.filter(found, prereleases=True if self._place.has_prereleases else None))
        for version in sorted(fitting, reverse=True):
            if not installed or version != installed.version:
                yield _Candidate(name, version, extras, found[version])

    def _best(self, files: Iterable[IndexFile]) -> IndexFile | None:
        """The file that pip takes: a wheel that fits, else an sdist."""
        place, tags = self._place, _tags(self._place.python)
        there = [
            f
            for f in files
            if (place.day is None or (f.uploaded and f.uploaded <= place.day)) and _takes(f, place.python)
        ]
        wheel = next((f for f in there if f.tags & tags), None)
        return wheel or next((f for f in there if not f.filename.endswith(".whl")), None)

    def is_satisfied_by(self, requirement: Requirement, candidate: _Candidate) -> bool:
        return requirement.specifier.contains(candidate.version, prereleases=True)

    def get_dependencies(self, candidate: _Candidate) -> Iterable[Requirement]:
        if candidate.file is None:
            return
        key = (candidate.name, candidate.version)
        if key not in self._asked:
            self._budget.take()
            found = requires(self._index.metadata(candidate.file))
            known = release(candidate.name, str(candidate.version)) if not found else None
            self._asked[key] = found or [Requirement(r) for r in (known.requires if known else ())]
        if candidate.extras:
            yield Requirement(f"{candidate.name}=={candidate.version}")
        for requirement in self._asked[key]:
            if _applies(requirement, self._place.python, candidate.extras):
                yield requirement


def _takes(file: IndexFile, python: str) -> bool:
    try:
        return not file.requires_python or SpecifierSet(file.requires_python).contains(f"{python}.9")
    except InvalidSpecifier:
        return True


def compiled(
    uv: str, urls: Sequence[str], wanted: Sequence[Requirement], installed: Mapping[str, Taken], place: Place
) -> dict[str, tuple[Version, str]] | None:
    """What uv answers: name → release, and who asked for it.  None where it finds none, or would have to build one."""
    with tempfile.TemporaryDirectory(prefix="preflight-") as folder:
        asked, found = Path(folder) / "asked.in", Path(folder) / "found.txt"
        asked.write_text("\n".join(map(str, wanted)), "utf-8")
        found.write_text("".join(f"{name}=={taken.version}\n" for name, taken in installed.items()), "utf-8")
        command = [
            *(uv, "pip", "compile", str(asked), "--output-file", str(found), "--quiet", "--no-config", "--no-header"),
            *("--no-build", "--annotation-style", "line", "--index-strategy", "unsafe-best-match"),
            *("--python-version", place.python, "--python-platform", PLATFORM, "--index-url", urls[0]),
            *(word for url in urls[1:] for word in ("--extra-index-url", url)),
            *(("--exclude-newer", f"{place.day}T23:59:59Z") if place.day else ()),
            *(("--prerelease", "allow") if place.has_prereleases else ()),
        ]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=UV_S, check=False, cwd=folder
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode != 0:
            return None
        lines = [LINE.match(line) for line in found.read_text("utf-8").splitlines()]
    return {m[1].lower(): (Version(m[2]), "" if (m[3] or "-r") == "-r" else m[3]) for m in lines if m}
