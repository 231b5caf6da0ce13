"""The pinned torch exists for its index and Python.

Looks at
    Exact pins of torch, their +cu part or PyTorch index, and the image's Python.
Why it matters
    pip stops with "ERROR: No matching distribution found for torch==2.8.0+cu118".
Example
    before   .pip_install("torch==2.8.0", index_url="https://download.pytorch.org/whl/cu118")
    after    .pip_install("torch==2.8.0", index_url="https://download.pytorch.org/whl/cu128")
How to fix
    Take a version, a CUDA build or a Python that the message lists.
Source
    The PyTorch index and the wheels of each torch in the table
"""

from collections.abc import Iterator

from preflight.app.model import PipInstall, Recipe
from preflight.build.ext_steps import is_known_index
from preflight.build.surroundings import python_of
from preflight.facts.torch import newest_torch, number, torch_row
from preflight.facts.types import TorchRow
from preflight.model import Finding
from preflight.rules.findings import error
from preflight.rules.form import rule
from preflight.rules.subjects import PACKAGES, Package


@rule("IMG300", PACKAGES.only(lambda p: p.name == "torch" and p.package.pin is not None, "pin of torch"))
def find(recipe: Recipe, torch: Package) -> Iterator[Finding]:
    version = torch.package.pin or ""
    row = torch_row(version)
    problem, remedy = _problem(version, row, torch.pip, python_of(torch.image)) if row is not None else ("", "")
    if problem:
        yield error(
            f"torch {version} {problem}", remedy, torch.where, why="pip stops with: No matching distribution found"
        )


def _problem(version: str, row: TorchRow, install: PipInstall, python: str | None) -> tuple[str, str]:
    """What is missing, and what there is in its place; empty when nothing is."""
    public, _, local = version.partition("+")
    on_index = install.index_url or ""
    if "nightly" in on_index or (on_index and not is_known_index(on_index)):
        return "", ""
    build = local or next((p for p in on_index.split("/") if p[:2] == "cu" and p[2:].isdigit()), "")
    if python is not None and python not in row.python:
        return f"has no wheel for Python {python}", f"take Python {row.python[0]} to {row.python[-1]}"
    is_closed = number(row.minor)[1] <= number(newest_torch().minor)[1] - 2  # newer minors may get another patch
    if is_closed and public.count(".") == 2 and public not in row.patches:
        return "was never released", f"take one of {', '.join(row.patches)}"
    if build.startswith("cu") and row.builds_known and build not in row.builds:
        return f"was never built for {build}", f"take one of {', '.join(row.builds)}"
    return "", ""
