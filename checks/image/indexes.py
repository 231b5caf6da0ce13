"""Where pip looks for packages."""

import re

from preflight.api import ExtInstall, Findings, Recipe, app, build, error, facts, rule, warning
from preflight.build.torch_in import Held
from preflight.rules.subjects import EXT_INSTALLS, PIP_INSTALLS, Install, in_place
from preflight.wording import is_or_are

ALONE = PIP_INSTALLS.only(
    lambda i: "download.pytorch.org" in (i.pip.index_url or "") and not i.pip.extra_index_urls and not i.pip.find_links,
    "install from the PyTorch index alone",
)


@rule("IMG330", ALONE)
def ver_index_hides_pypi(recipe: Recipe, install: Install) -> Findings:
    """What PyPI holds is not asked of the PyTorch index alone.

    Looks at: `index_url=` of download.pytorch.org without an extra index, and the packages of the same call.
    Why it matters: index_url replaces PyPI.  The PyTorch index holds torch and what torch needs, not transformers:
        "No matching distribution found".
    Example:
        before   .pip_install("torch==2.4.1", "transformers", index_url="https://download.pytorch.org/whl/cu121")
        after    .pip_install("torch==2.4.1", "transformers", extra_index_url="https://download.pytorch.org/whl/cu121")
    How to fix: Use `extra_index_url=`, or install the package in a call of its own.
    Source: Folders of download.pytorch.org/whl
    """
    pip, step = install.pip, install.step
    strangers = [p.name for p in pip.packages if p.name and not p.url and not facts.is_on_pytorch_index(p.name)]
    if not strangers:
        return
    is_certain = any(facts.is_only_on_pypi(s) for s in strangers)
    say = error if is_certain else warning
    span = step.kwarg_spans.get("index_url")
    rename = app.replace_span(recipe, step.where, span, "index_url", "extra_index_url", is_safe=True)
    yield say(
        f"{', '.join(strangers)} {is_or_are(strangers)} asked of {pip.index_url} alone, which "
        f"{'does' if is_certain else 'may'} not hold {'it' if len(strangers) == 1 else 'them'}",
        "use extra_index_url, or install it in a call of its own",
        app.argument_where(recipe, step, "index_url") if "index_url" in step.kwargs else pip.where,
        why="pip stops with: No matching distribution found",
        fix=rename if "extra_index_url" not in step.kwargs else None,
    )


DATED = re.compile(r"\.?dev20\d{6}")
KEYWORDS = ("index_url", "extra_index_url", "find_links")


@rule("IMG390", PIP_INSTALLS.only(lambda i: i.pip.packages))
def ver_nightly_pin(recipe: Recipe, install: Install) -> Findings:
    """Nothing depends on a nightly build.

    Looks at: Pins such as `torch==2.9.0.dev20250801`, and installs from …/whl/nightly/….
    Why it matters: Dated nightlies are deleted after some weeks: the image can't be built again. Without a date, every
        build gets another torch.
    Example:
        before   .pip_install("torch", pre=True, index_url="https://download.pytorch.org/whl/nightly/cu128")
        after    .pip_install("torch==2.9.1", index_url="https://download.pytorch.org/whl/cu128")
    How to fix: Pin a release.
    Source: The PyTorch nightly index
    """
    pip, step = install.pip, install.step
    dated = [p for p in pip.packages if DATED.search(p.specifier) or DATED.search(p.url or "")]
    builds = [p.written for p in dated] or [u for u in (*install.urls, *pip.find_links) if "/nightly" in u]
    if builds:
        index = next((k for k in KEYWORDS if "nightly" in str(step.kwargs.get(k))), "")
        of_index = app.argument_where(recipe, step, index) if index else install.where
        yield warning(
            f"{', '.join(builds)} {'is a nightly build' if len(builds) == 1 else 'are nightly builds'}",
            "pin a release",
            app.package_where(step, pip, dated[0]) if dated else of_index,
            why="dated nightlies are deleted, undated ones change every day: the image can't be built again",
        )


ROOT = re.compile(r"^https?://download\.pytorch\.org/whl(?:/(?:cu\d+|cpu|rocm[\d.]+|nightly/\w+))?/?$")


@rule("IMG320", PIP_INSTALLS.only(lambda i: i.pip.find_links, "install with a page of links"))
def ver_pytorch_find_links(recipe: Recipe, install: Install) -> Findings:
    """The PyTorch index is given as an index.

    Looks at: `find_links=` and `-f` that name a folder of download.pytorch.org/whl.
    Why it matters: The folder holds no links to files, so pip finds nothing there and takes PyPI's torch, of another
        CUDA, without a message.
    Example:
        before   .pip_install("torch==2.2.2", find_links="https://download.pytorch.org/whl/cu121")
        after    .pip_install("torch==2.2.2", index_url="https://download.pytorch.org/whl/cu121")
    How to fix: Write `index_url=` (or `extra_index_url=`) in place of `find_links=`.
    Source: pip's --find-links; brain-go-brr-v2 f06dc41
    """
    pip, step = install.pip, install.step
    url = next((u for u in pip.find_links if ROOT.match(u)), None)
    if url is None:
        return
    is_hosted = all(p.name is not None and facts.is_on_pytorch_index(p.name) for p in pip.packages)
    keyword, span = "index_url" if is_hosted else "extra_index_url", step.kwarg_spans.get("find_links")
    fix = app.replace_span(recipe, step.where, span, "find_links", keyword, is_safe=True)
    yield warning(
        f"{url} is an index, and find_links finds nothing there",
        f"write {keyword}= in place of find_links=",
        app.argument_where(recipe, step, "find_links") if span is not None else pip.where,
        why="PyPI's torch is taken without a message, of another CUDA than was meant",
        fix=fix if keyword not in step.kwargs else None,
    )


PAGE = re.compile(r"data\.pyg\.org/whl/torch-(\d+\.\d+)(?:\.\d+)?(?:\+|%2B)(cu\d+|cpu)")


@rule("IMG520", PIP_INSTALLS.only(lambda i: any("data.pyg.org" in u for u in i.pip.find_links), "page of PyG wheels"))
def whl_pyg_index_mismatch(recipe: Recipe, install: Install) -> Findings:
    """PyG's page of wheels is that of the image's torch.

    Looks at: data.pyg.org/whl/torch-X.Y.Z+cuNNN.html against the pinned torch. The page of X.Y.0 serves all X.Y.
    Why it matters: Wheels of another torch install and then fail at import with "undefined symbol".
    Example:
        before   .pip_install("torch==2.5.1") … find_links="https://data.pyg.org/whl/torch-2.4.0+cu121.html"
        after    .pip_install("torch==2.5.1") … find_links="https://data.pyg.org/whl/torch-2.5.0+cu124.html"
    How to fix: Use the page that the message names.
    Source: The installation page of PyG
    """
    step, torch = install.step, build.torch_with(install.image, install.n, install.pip)
    found = next((m for u in install.pip.find_links if (m := PAGE.search(u))), None)
    if found is None or torch.version is None or torch.held not in (Held.PINNED, Held.BASE):
        return
    page_cuda = facts.cuda_dotted(found[2])
    has = torch.cuda or page_cuda
    if found[1] != facts.minor(torch.version) or page_cuda.split(".")[0] != has.split(".")[0]:
        yield error(
            f"the page of torch {found[1]}, CUDA {page_cuda}; the image has torch {torch.version}, CUDA {has}",
            f"use {_page_of(torch.version, has)}",
            install.where if step.shell else app.argument_where(recipe, step, "find_links"),
            why="the import fails with: undefined symbol",
        )


ANY_PAGE = "https://data.pyg.org/whl/torch-X.Y.0+cuZZZ.html"


@rule("IMG510", EXT_INSTALLS.only(lambda e: e.row.is_pyg, "PyG extension").by(in_place))
def whl_pyg_no_find_links(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """PyG extensions come from PyG's page of wheels.

    Looks at: torch-scatter, torch-sparse, torch-cluster, torch-spline-conv and pyg-lib installed without
        `-f https://data.pyg.org/whl/torch-X.Y.0+cuZZZ.html`.
    Why it matters: PyPI has only their source. Isolated, the build stops with "No module named 'torch'"; otherwise it
        compiles for 10 to 40 min.
    Example:
        before   .pip_install("torch-scatter")
        after    .pip_install("torch-scatter", find_links="https://data.pyg.org/whl/torch-2.5.0+cu124.html")
    How to fix: Add `find_links=` with PyG's page for this torch and CUDA.
    Source: The installation page of PyG; brain-go-brr-v2 d47d0167, cured in 93a603d0
    """
    found = [e for e in exts if not e.may_be_wheel and not e.package.url]
    if not found:
        return
    first = found[0]
    torch = build.torch_before(first.image, first.n, first.install)
    page = f"https://data.pyg.org/whl/{_page_of(torch.version, torch.cuda)}" if torch.version and torch.cuda else ""
    say = error if any(e.is_isolated for e in found) else warning
    fix = None
    if first.step.method in ("pip_install", "uv_pip_install"):
        if "**" not in first.step.kwargs:
            fix = app.add_argument(recipe, first.step, f'find_links="{page}"', is_safe=True)
    elif all(e.install is first.install for e in found):
        where, span, old = first.install.where, first.install.span, "pip install"
        fix = app.replace_span(recipe, where, span, old, f"{old} -f {page}", is_safe=True)
    yield say(
        f"{build.names_are(found)} installed from PyPI, which has only the source",
        f"add find_links={page or ANY_PAGE} with this torch and CUDA",
        first.where,
        why="the image build stops, or compiles for 10 to 40 min",
        fix=fix if page else None,
    )


def _page_of(torch: str, cuda: str) -> str:
    """PyG's page of wheels for it: that of X.Y.0 serves all X.Y."""
    return f"torch-{facts.minor(torch)}.0+{'cpu' if cuda == 'cpu' else 'cu' + cuda.replace('.', '')}.html"
