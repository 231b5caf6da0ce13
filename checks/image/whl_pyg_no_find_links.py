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

from preflight.api import ExtInstall, Findings, Fix, Recipe, app, build, error, facts, rule, warning
from preflight.rules.subjects import EXT_INSTALLS, in_place

ANY_PAGE = "https://data.pyg.org/whl/torch-X.Y.0+cuZZZ.html"


@rule("IMG510", EXT_INSTALLS.only(lambda e: e.row.is_pyg, "PyG extension").by(in_place))
def find(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    found = [e for e in exts if not e.may_be_wheel and not e.package.url]
    if not found:
        return
    page = _page(found[0])
    say = error if any(e.is_isolated for e in found) else warning
    yield say(
        f"{build.names_are(found)} installed from PyPI, which has only the source",
        f"add find_links={page or ANY_PAGE} with this torch and CUDA",
        found[0].where,
        why="the image build stops, or compiles for 10 to 40 min",
        fix=_fix(recipe, found, page) if page else None,
    )


def _page(ext: ExtInstall) -> str:
    torch = build.torch_before(ext.image, ext.n, ext.install)
    if torch.version is None or torch.cuda is None:
        return ""
    tag = "cpu" if torch.cuda == "cpu" else "cu" + torch.cuda.replace(".", "")
    return f"https://data.pyg.org/whl/torch-{facts.minor(torch.version)}.0+{tag}.html"


def _fix(recipe: Recipe, found: list[ExtInstall], page: str) -> Fix | None:
    step, install = found[0].step, found[0].install
    if step.method in ("pip_install", "uv_pip_install"):
        return app.add_argument(recipe, step, f'find_links="{page}"', is_safe=True) if "**" not in step.kwargs else None
    if any(e.install is not install for e in found):
        return None
    return app.replace_span(recipe, install.where, install.span, "pip install", f"pip install -f {page}", is_safe=True)
