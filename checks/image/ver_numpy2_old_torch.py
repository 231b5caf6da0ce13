"""numpy stays below 2 beside a torch older than 2.3.

Looks at   an exact pin of torch below 2.3, and whether numpy is capped in the same image.
Why        torch 2.2 and older are compiled against numpy 1.  With numpy 2, `tensor.numpy()` and every DataLoader
           that takes arrays fail with "Numpy is not available".
Before     .pip_install("torch==2.2.2")
After      .pip_install("torch==2.2.2", "numpy<2")
Source     numpy symbols in libtorch_python.so of torch 2.2.2 and 2.3.0
"""

from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from preflight.api import (
    Context,
    Edit,
    Finding,
    Fix,
    Held,
    Image,
    PipPackage,
    Recipe,
    TorchIn,
    counted,
    is_known_before,
    over_images,
    package_where,
    python_of_install,
    rule,
    source_of,
    torch_at_end,
    torch_row,
    version_number,
    warning,
)

OLDEST_OF_NUMPY_2 = (3, 9)  # numpy 2.0.0 has no release for an older Python


def applies(recipe: Recipe) -> str:
    return counted(
        sum(torch_at_end(i).version is not None for i in recipe.images),
        "image with a torch version",
        "images with a torch version",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    torch = torch_at_end(image)
    row = torch_row(torch.version) if torch.version else None
    if row is None or row.numpy2 or torch.held is not Held.PINNED:
        return
    python = python_of_install(image, torch.n, torch.install) if torch.install is not None else None
    if python is not None and version_number(python) < OLDEST_OF_NUMPY_2:
        return
    packages = [p for _, i in image.pip_installs() for p in i.packages]
    if any(p.name == "numpy" and not _allows_2(p) for p in packages):
        return
    if any({"-c", "--constraint"} & {*i.options} for _, i in image.pip_installs()):
        return
    if not is_known_before(image, len(image.steps)):
        return
    numpy = next(((n, i, p) for n, i in image.pip_installs() for p in i.packages if p.name == "numpy"), None)
    yield warning(
        f"torch {torch.version} was built for numpy 1, and nothing keeps numpy below 2",
        'add "numpy<2" to the step that installs torch',
        package_where(image.steps[numpy[0]], *numpy[1:]) if numpy else torch.where(image),
        why="the first tensor.numpy() fails with: Numpy is not available",
        fix=_cap(recipe, torch),
    )


def _allows_2(package: PipPackage) -> bool:
    try:
        return SpecifierSet(package.specifier).contains("2.3.0")
    except InvalidSpecifier:
        return False


def _cap(recipe: Recipe, torch: TorchIn) -> Fix | None:
    package = torch.package
    source = source_of(recipe, package.where) if package is not None and package.where is not None else None
    if package is None or package.span is None or source is None:
        return None
    end = package.span.end
    quote = source.text[end - 1 : end]
    if quote not in ("'", '"'):
        return None
    return Fix(edits=(Edit(source.path, end, end, f", {quote}numpy<2{quote}"),), is_safe=True)


CHECK = rule(
    id="IMG340",
    name="ver-numpy2-old-torch",
    title="numpy is capped below 2 beside a torch older than 2.3",
    find=find,
    applies=applies,
)
