"""What rules must know of Python packages: which compile, which bring or pin torch, which share its index."""

from __future__ import annotations

import re

from preflight.facts.in_force import kept
from preflight.facts.load import row_of, rows
from preflight.facts.types import EXTENSIONS, PACKAGES, Extension

REPO = re.compile(r"github\.com[/:]([\w.-]+/[\w.-]+?)(?:\.git)?(?:[@#/?].*)?$", re.IGNORECASE)


@kept
def _by_repo() -> dict[str, Extension]:
    return {repo.lower(): row for row in rows(EXTENSIONS) for repo in row.repos}


def _roles(name: str) -> tuple[str, ...]:
    row = row_of(PACKAGES, name)
    return row.roles if row else ()


def extension(name: str) -> Extension | None:
    """The row of a package that compiles CUDA code when installed from PyPI."""
    return row_of(EXTENSIONS, name)


def extension_at(url: str) -> Extension | None:
    """The extension whose repository a git or archive address names."""
    found = REPO.search(url)
    return _by_repo().get(found[1].lower().removesuffix(".git")) if found else None


def extension_of_checkout(folder: str) -> Extension | None:
    """The extension whose repository is cloned to a folder of that name: "flash-attention", "NATTEN"."""
    name = folder.lower()
    return next((row for repo, row in _by_repo().items() if repo.split("/")[1] == name), None)


def depends_on_torch(name: str) -> bool:
    return "depends-on-torch" in _roles(name)


def pins_torch(name: str) -> bool:
    return "pins-torch" in _roles(name)


def is_on_pytorch_index(name: str) -> bool:
    return "on-pytorch-index" in _roles(name) or name.startswith("nvidia-")


def brings(name: str, tool: str) -> bool | None:
    """Whether installing ``name`` brings ``tool``, of packaging and wheel; None when the table does not say."""
    if name == tool:
        return True
    roles = _roles(name)
    if "brings-no-build-tools" in roles or (tool == "wheel" and roles):
        return False
    return True if tool == "packaging" and "brings-packaging" in roles else None


def is_only_on_pypi(name: str) -> bool:
    """A package of the table that download.pytorch.org does not hold; False also for one that is not in the table."""
    return bool(_roles(name)) and not is_on_pytorch_index(name)


def is_wheel_on_pypi(name: str) -> bool:
    """A package of the table that is no extension: PyPI holds wheels of it."""
    return bool(_roles(name)) and extension(name) is None
