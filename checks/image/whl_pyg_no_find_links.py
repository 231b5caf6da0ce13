"""The PyG extensions come from PyG's own page of wheels.

Looks at   torch-scatter, torch-sparse, torch-cluster, torch-spline-conv and pyg-lib installed without
           `-f https://data.pyg.org/whl/torch-X.Y.0+cuZZZ.html`.
Why        PyPI has only their source.  Isolated, the build stops with "No module named 'torch'"; otherwise it
           compiles for 10 to 40 min.
Before     .pip_install("torch-scatter")
After      .pip_install("torch-scatter", find_links="https://data.pyg.org/whl/torch-2.5.0+cu124.html")
Source     installation page of PyG; brain-go-brr-v2 d47d0167, cured in 93a603d0
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    ExtInstall,
    Finding,
    Fix,
    Image,
    Recipe,
    Where,
    add_argument,
    counted,
    error,
    minor,
    names_are,
    over_images,
    replace_span,
    rule,
    source_builds,
    torch_before,
    warning,
)


def applies(recipe: Recipe) -> str:
    return counted(
        sum(e.row.is_pyg for i in recipe.images for e in source_builds(i)),
        "PyG extension from source",
        "PyG extensions from source",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    places: dict[Where, list[ExtInstall]] = {}
    for ext in source_builds(image):
        if ext.row.is_pyg and not ext.package.url:
            places.setdefault(ext.where, []).append(ext)
    for where, found in places.items():
        page = _page(found[0])
        say = error if any(e.is_isolated for e in found) else warning
        yield say(
            f"{names_are(found)} installed from PyPI, which has only the source",
            f"add find_links={page or 'https://data.pyg.org/whl/torch-X.Y.0+cuZZZ.html'} with this torch and CUDA",
            where,
            why="the image build stops, or compiles for 10 to 40 min",
            fix=_fix(recipe, found, page) if page else None,
        )


def _page(ext: ExtInstall) -> str:
    torch = torch_before(ext.image, ext.n, ext.install)
    if torch.version is None or torch.cuda is None:
        return ""
    build = "cpu" if torch.cuda == "cpu" else "cu" + torch.cuda.replace(".", "")
    return f"https://data.pyg.org/whl/torch-{minor(torch.version)}.0+{build}.html"


def _fix(recipe: Recipe, found: list[ExtInstall], page: str) -> Fix | None:
    step = found[0].step
    if step.method in ("pip_install", "uv_pip_install"):
        return add_argument(recipe, step, f'find_links="{page}"', is_safe=True) if "**" not in step.kwargs else None
    install = found[0].install
    if any(e.install is not install for e in found):
        return None
    return replace_span(recipe, install.where, install.span, "pip install", f"pip install -f {page}", is_safe=True)


CHECK = rule(
    id="IMG510",
    name="whl-pyg-no-find-links",
    title="PyG extensions come from PyG's page of wheels",
    find=find,
    applies=applies,
)
