"""The pinned torch exists, on its index and for its Python.

Looks at   exact pins of torch, their +cu part or PyTorch index, and the image's Python.
Why        "ERROR: No matching distribution found for torch==2.8.0+cu118".
Before     .pip_install("torch==2.8.0", index_url="https://download.pytorch.org/whl/cu118")
After      .pip_install("torch==2.8.0", index_url="https://download.pytorch.org/whl/cu128")
Source     the PyTorch index and the wheels of torch 2.0 to 2.15
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    PipInstall,
    Recipe,
    TorchRow,
    counted,
    error,
    is_known_index,
    newest_torch,
    over_images,
    package_where,
    python_of,
    rule,
    torch_row,
    version_number,
)


def applies(recipe: Recipe) -> str:
    return counted(
        sum(
            p.name == "torch" and p.pin is not None
            for i in recipe.images
            for _, s in i.pip_installs()
            for p in s.packages
        ),
        "pin of torch",
        "pins of torch",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        for package in install.packages:
            version = package.pin if package.name == "torch" else None
            row = torch_row(version) if version else None
            if version is None or row is None:
                continue
            problem, remedy = _problem(version, row, install, python_of(image))
            if problem:
                yield error(
                    f"torch {version} {problem}",
                    remedy,
                    package_where(image.steps[n], install, package),
                    why="pip stops with: No matching distribution found",
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
    is_closed = (
        version_number(row.minor)[1] <= version_number(newest_torch().minor)[1] - 2
    )  # newer minors may get another patch
    if is_closed and public.count(".") == 2 and public not in row.patches:
        return "was never released", f"take one of {', '.join(row.patches)}"
    if build.startswith("cu") and row.builds_known and build not in row.builds:
        return f"was never built for {build}", f"take one of {', '.join(row.builds)}"
    return "", ""


CHECK = rule(
    id="IMG300",
    name="ver-torch-not-on-index",
    title="the pinned torch exists for its index and Python",
    find=find,
    applies=applies,
)
