"""numpy is kept below 2 beside a torch that was built for numpy 1.

Looks at
    An exact pin of such a torch (below 2.3), and whether numpy is limited in the same image.
Why it matters
    torch 2.2 and older are compiled against numpy 1.  With numpy 2, `tensor.numpy()` and every DataLoader
    that takes arrays fail with "Numpy is not available".
Example
    before   .pip_install("torch==2.2.2")
    after    .pip_install("torch==2.2.2", "numpy<2")
How to fix
    Add "numpy<2" to the step that installs torch.
Source
    Numpy symbols in libtorch_python.so of torch 2.2.2 and 2.3.0
"""

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from preflight.api import Findings, Fix, Image, Recipe, app, build, facts, rule, warning
from preflight.rules.subjects import IMAGES, PACKAGES, PIP_INSTALLS

OLDEST_OF_NUMPY_2 = (3, 9)  # numpy 2.0.0 has no release for an older Python


@rule("IMG340", IMAGES.only(lambda i: build.torch_at_end(i).version is not None, "image with a torch version"))
def find(recipe: Recipe, image: Image) -> Findings:
    torch = build.torch_at_end(image)
    row = facts.torch_row(torch.version) if torch.version else None
    if (
        row is None
        or row.numpy2
        or torch.held is not build.Held.PINNED
        or not build.is_known_before(image, len(image.steps))
    ):
        return
    python = build.python_of_install(image, torch.n, torch.install) if torch.install is not None else None
    if python is not None and facts.version_number(python) < OLDEST_OF_NUMPY_2:
        return
    installs = [i for i in PIP_INSTALLS.of(recipe) if i.image is image]
    if any({"-c", "--constraint"} & {*i.pip.options} for i in installs):
        return
    numpy = [p for p in PACKAGES.of(recipe) if p.image is image and p.name == "numpy"]
    if all(_allows_2(p.package) for p in numpy):
        yield warning(
            f"torch {torch.version} was built for numpy 1, and nothing keeps numpy below 2",
            'add "numpy<2" to the step that installs torch',
            numpy[0].where if numpy else torch.where(image),
            why="the first tensor.numpy() fails with: Numpy is not available",
            fix=_cap(recipe, torch),
        )


def _allows_2(package: app.PipPackage) -> bool:
    try:
        return SpecifierSet(package.specifier).contains("2.3.0")
    except InvalidSpecifier:
        return False


def _cap(recipe: Recipe, torch: build.TorchIn) -> Fix | None:
    package = torch.package
    source = app.source_of(recipe, package.where) if package is not None and package.where is not None else None
    if package is None or package.span is None or source is None:
        return None
    end = package.span.end
    quote = source.text[end - 1 : end]
    if quote not in ("'", '"'):
        return None
    return app.replaced(source.path, app.Span(end, end), f", {quote}numpy<2{quote}", is_safe=True)
