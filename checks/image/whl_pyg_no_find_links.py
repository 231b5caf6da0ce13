"""PyG extensions come from PyG's page of wheels.

Looks at
    torch-scatter, torch-sparse, torch-cluster, torch-spline-conv and pyg-lib installed without
    `-f https://data.pyg.org/whl/torch-X.Y.0+cuZZZ.html`.
Why it matters
    PyPI has only their source.  Isolated, the build stops with "No module named 'torch'"; otherwise it
    compiles for 10 to 40 min.
Example
    before   .pip_install("torch-scatter")
    after    .pip_install("torch-scatter", find_links="https://data.pyg.org/whl/torch-2.5.0+cu124.html")
How to fix
    Add `find_links=` with PyG's page for this torch and CUDA.
Source
    The installation page of PyG; brain-go-brr-v2 d47d0167, cured in 93a603d0
"""

from collections.abc import Iterator, Sequence

from preflight.app.model import Recipe
from preflight.build.ext_steps import ExtInstall, names_are
from preflight.build.torch_in import torch_before
from preflight.facts.torch import minor
from preflight.model import Finding, Fix
from preflight.rules.findings import error, warning
from preflight.rules.form import rule
from preflight.rules.rewrites import add_argument, replace_span
from preflight.rules.subjects import EXT_INSTALLS, in_place

ANY_PAGE = "https://data.pyg.org/whl/torch-X.Y.0+cuZZZ.html"


@rule("IMG510", EXT_INSTALLS.only(lambda e: e.row.is_pyg, "PyG extension").by(in_place))
def find(recipe: Recipe, exts: Sequence[ExtInstall]) -> Iterator[Finding]:
    found = [e for e in exts if not e.may_be_wheel and not e.package.url]
    if not found:
        return
    page = _page(found[0])
    say = error if any(e.is_isolated for e in found) else warning
    yield say(
        f"{names_are(found)} installed from PyPI, which has only the source",
        f"add find_links={page or ANY_PAGE} with this torch and CUDA",
        found[0].where,
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
    step, install = found[0].step, found[0].install
    if step.method in ("pip_install", "uv_pip_install"):
        return add_argument(recipe, step, f'find_links="{page}"', is_safe=True) if "**" not in step.kwargs else None
    if any(e.install is not install for e in found):
        return None
    return replace_span(recipe, install.where, install.span, "pip install", f"pip install -f {page}", is_safe=True)
