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

from preflight.api import Findings, Recipe, app, build, error, facts, rule
from preflight.rules.subjects import PACKAGES, Package


@rule("IMG300", PACKAGES.only(lambda p: p.name == "torch" and p.package.pin is not None, "pin of torch"))
def find(recipe: Recipe, torch: Package) -> Findings:
    version = torch.package.pin or ""
    row = facts.torch_row(version)
    problem, remedy = _problem(version, row, torch.pip, build.python_of(torch.image)) if row is not None else ("", "")
    if problem:
        yield error(
            f"torch {version} {problem}", remedy, torch.where, why="pip stops with: No matching distribution found"
        )


def _problem(version: str, row: facts.TorchRow, install: app.PipInstall, python: str | None) -> tuple[str, str]:
    """What is missing, and what there is in its place; empty when nothing is."""
    public, _, local = version.partition("+")
    on_index = install.index_url or ""
    if "nightly" in on_index or (on_index and not build.is_known_index(on_index)):
        return "", ""
    wanted = local or next((p for p in on_index.split("/") if p[:2] == "cu" and p[2:].isdigit()), "")
    if python is not None and python not in row.python:
        return f"has no wheel for Python {python}", f"take Python {row.python[0]} to {row.python[-1]}"
    is_closed = (
        facts.version_number(row.minor)[1] <= facts.version_number(facts.newest_torch().minor)[1] - 2
    )  # newer minors may get another patch
    if is_closed and public.count(".") == 2 and public not in row.patches:
        return "was never released", f"take one of {', '.join(row.patches)}"
    if wanted.startswith("cu") and row.builds_known and wanted not in row.builds:
        return f"was never built for {wanted}", f"take one of {', '.join(row.builds)}"
    return "", ""
