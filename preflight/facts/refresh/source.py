"""What the generators ask: package indexes, and documents at an address.  ``remote.index.packages`` answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, Protocol

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version


class NotRead(Exception):
    """A source could not be read; the text names it and says why."""


@dataclass(frozen=True)
class IndexFile:
    """A file that an index lists.  ``tags`` are "cp311-cp311-manylinux_2_28_x86_64", none for an sdist."""

    filename: str
    url: str
    size: int
    requires_python: str
    uploaded: date | None
    is_yanked: bool
    has_metadata: bool
    version: Version | None
    tags: frozenset[str]

    @property
    def is_linux_wheel(self) -> bool:
        """Whether Modal's machines can take it."""
        return any(t.endswith("-any") or (t.endswith("x86_64") and "linux" in t) for t in self.tags)

    @property
    def pythons(self) -> frozenset[str]:
        """ "3.11" of cp311; none of py3."""
        found = (re.match(r"cp(\d)(\d+)-cp\d+-", tag) for tag in self.tags)
        return frozenset(f"{m[1]}.{m[2]}" for m in found if m)


class Index(Protocol):
    """Each raises NotRead."""

    @property
    def urls(self) -> tuple[str, ...]: ...
    def files(self, name: str) -> tuple[IndexFile, ...]: ...
    def metadata(self, file: IndexFile) -> str: ...
    def members(self, file: IndexFile, pattern: str) -> dict[str, bytes]: ...
    def open(self, file: IndexFile) -> BinaryIO: ...


@dataclass(frozen=True)
class Sources:
    """``builds`` is the index of torch's builds for each CUDA.  ``is_all``: read again what is known."""

    index: Index
    builds: Index | None
    today: date
    is_all: bool = False


def named(filename: str) -> tuple[Version | None, frozenset[str]]:
    """The version and the tags that a file name says; None where it is neither wheel nor sdist."""
    try:
        if filename.endswith(".whl"):
            _, version, _, tags = parse_wheel_filename(filename)
            return version, frozenset(map(str, tags))
        return parse_sdist_filename(filename)[1], frozenset()
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None, frozenset()


def by_version(files: Iterable[IndexFile]) -> dict[Version, list[IndexFile]]:
    """Files that are not yanked, oldest release first."""
    found: dict[Version, list[IndexFile]] = {}
    for file in files:
        if file.version is not None and not file.is_yanked:
            found.setdefault(file.version, []).append(file)
    return dict(sorted(found.items()))


def final_releases(index: Index, name: str, oldest: str = "0") -> dict[Version, list[IndexFile]]:
    """``by_version`` without what is no final release as PyPI has them, from ``oldest`` on.  Raises NotRead."""
    found, least = by_version(index.files(name)), Version(oldest)
    return {v: files for v, files in found.items() if v >= least and not v.is_prerelease and v.local is None}


def newest_wheel(index: Index, name: str) -> IndexFile:
    """Of the newest final release.  Raises NotRead when it has none."""
    newest = list(final_releases(index, name).values())[-1:]
    for wheel in (file for files in newest for file in files if file.filename.endswith(".whl")):
        return wheel
    raise NotRead(f"the newest release of {name} has no wheel on the index")


def requires(metadata: str) -> list[Requirement]:
    """What METADATA asks for, extras too; a line that is none is left out."""
    found = []
    for line in re.findall(r"^Requires-Dist: (.+)$", metadata, re.MULTILINE):
        try:
            found.append(Requirement(line.strip()))
        except InvalidRequirement:
            continue
    return found
