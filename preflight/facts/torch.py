"""What a torch is: asked by version, answered from the table, None when the table has no such row."""

from __future__ import annotations

import re

from preflight.facts.load import row_of, rows
from preflight.facts.types import TORCH, TorchRow

INDEX = "https://download.pytorch.org/whl"  # + "/cu121": the wheels of one CUDA
MINOR = re.compile(r"(\d+)\.(\d+)")


def minor(version: str) -> str | None:
    """ "2.5" of "2.5.1+cu124"; None when it does not start with two numbers."""
    found = MINOR.match(version)
    return f"{int(found[1])}.{int(found[2])}" if found else None


def number(version: str) -> tuple[int, int]:
    """(2, 10) of "2.10.0+cu128", for comparing.  (0, 0) when there are no two numbers."""
    found = MINOR.match(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def is_older_cuda(cuda: str | None, least: str) -> bool:
    """Whether it is a version of CUDA, and below ``least``; "cpu" and an unknown one are not."""
    return cuda not in (None, "", "cpu") and number(cuda) < number(least)


def torch_row(version: str) -> TorchRow | None:
    """The row of torch ``version`` ("2.5", "2.5.1", "2.5.1+cu124")."""
    short = minor(version)
    return row_of(TORCH, short) if short else None


def newest_torch() -> TorchRow:
    """What an unpinned ``pip install torch`` takes today, on the newest Python."""
    return rows(TORCH)[-1]


def newest_torch_for(python: str | None) -> TorchRow:
    """The newest torch with wheels for ``python`` ("3.11"); the newest of all when Python is not known."""
    fitting = [row for row in rows(TORCH) if python is None or python in row.python]
    return fitting[-1] if fitting else newest_torch()


def cuda_of(version: str, index: str | None = None) -> str | None:
    """The CUDA of a torch: from its local version ("+cu121"), the index ("…/whl/cu124"), else the PyPI wheel's.

    "cpu" for a CPU build; None when none of them says it.
    """
    for text, pattern in ((version, r"\+(cu\d{2,3}|cpu)"), (index or "", r"/(cu\d{2,3}|cpu)(?:/|$)")):
        found = re.search(pattern, text)
        if found:
            return dotted(found[1])
    if index is not None and "download.pytorch.org" in index:
        return None
    row = torch_row(version)
    return row.pypi_cuda if row else None


def build_in(text: str) -> str | None:
    """ "cu121" of "2.5.1+cu121" or of an index's address; None where neither says it."""
    return next((p for p in text.replace("+", "/").split("/") if p[:2] == "cu" and p[2:].isdigit()), None)


def dotted(build: str) -> str:
    """ "12.1" of "cu121"; "cpu" stays."""
    return f"{build[2:-1]}.{build[-1]}" if build.startswith("cu") else build


def has_cxx11_abi(version: str, build: str | None = None) -> bool | None:
    """Whether this torch was built with the C++11 ABI; ``build`` is "cu126" or None for the PyPI wheel."""
    row = torch_row(version)
    if row is None:
        return None
    if build is None or build == "cpu":
        return row.cxx11_abi
    return build in row.cxx11_abi_builds if row.cxx11_abi_builds else row.cxx11_abi
