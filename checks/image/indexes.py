"""Where packages come from: pip's indexes, and wheels that are given by their address."""

import re

from preflight.api import ExtInstall, Findings, Recipe, app, build, error, facts, rule, warning
from preflight.build.torch_in import Held
from preflight.rules.subjects import EXT_INSTALLS, PIP_INSTALLS, WHEELS, Install, Package, in_place
from preflight.wording import is_or_are

ALONE = PIP_INSTALLS.only(
    lambda i: "download.pytorch.org" in (i.pip.index_url or "") and not i.pip.extra_index_urls and not i.pip.find_links,
    "install from the PyTorch index alone",
)
DATED = re.compile(r"\.?dev20\d{6}")
KEYWORDS = ("index_url", "extra_index_url", "find_links")
ROOT = re.compile(r"^https?://download\.pytorch\.org/whl(?:/(?:cu\d+|cpu|rocm[\d.]+|nightly/\w+))?/?$")
PAGE = re.compile(r"data\.pyg\.org/whl/torch-(\d+\.\d+)(?:\.\d+)?(?:\+|%2B)(cu\d+|cpu)")
ANY_PAGE = "https://data.pyg.org/whl/torch-X.Y.0+cuZZZ.html"
OTHER_MANAGERS = ("uv_sync", "micromamba_install")
ELSEWHERE = frozenset({"--python", "-p", "--target", "-t", "--prefix"})


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


@rule("IMG500", WHEELS.only(lambda p: p.wheel and p.wheel.abi, "wheel with an ABI in its name"))
def whl_abi_mismatch(recipe: Recipe, package: Package) -> Findings:
    """A wheel's C++ ABI is torch's.

    Looks at: `cxx11abiTRUE` or `cxx11abiFALSE` in the address of a wheel, against the torch in the same name.
    Why it matters: torch up to 2.6 from PyPI was built with the old ABI, from 2.7 with the new one. The wrong file
        fails at import: "undefined symbol: …__cxx1112basic_string…".
    Example:
        before   flash_attn-2.7.4.post1+cu12torch2.5cxx11abiTRUE-…
        after    flash_attn-2.7.4.post1+cu12torch2.5cxx11abiFALSE-…
    How to fix: Take the file whose name has torch's ABI.
    Source: torch._C._GLIBCXX_USE_CXX11_ABI of each torch in the table; MaxiRuess 4f10e96c
    """
    wheel, torch = package.wheel, build.torch_at_end(package.image)
    if wheel is None or wheel.torch is None or wheel.torch == "2.6":
        return  # both ABIs of 2.6 exist, by CUDA build
    if torch.held is Held.BASE and torch.version and facts.minor(torch.version) == wheel.torch:
        return  # a base image may have its own build of torch
    wanted, row = facts.has_cxx11_abi(wheel.torch), facts.release(wheel.name, wheel.version)
    if wanted is None or wanted == (wheel.abi == "TRUE"):
        return
    files = row.wheels if row is not None and wanted and wheel.name != "flash-attn" else ()
    if any(wheel.torch in each.torch and {"TRUE", "FALSE"} <= {*each.abi} for each in files):
        return  # both files of this release were built alike
    right, wrong = ("TRUE", "FALSE") if wanted else ("FALSE", "TRUE")
    where, span = package.package.where, package.package.span or package.pip.span
    yield error(
        f"the wheel of {wheel.name} has cxx11abi{wrong}, and torch {wheel.torch} was built with cxx11abi{right}",
        f"take the file that says cxx11abi{right}",
        package.where,
        why="the import fails on the GPU with: undefined symbol",
        fix=app.replace_span(recipe, where, span, f"cxx11abi{wrong}", f"cxx11abi{right}", is_safe=True),
    )


@rule("IMG490", WHEELS)
def whl_cuda_mismatch(recipe: Recipe, package: Package) -> Findings:
    """A wheel's CUDA major is torch's.

    Looks at: cu11, cu12 or cu13 in the address of a wheel, against the CUDA that the image's torch was built for.
    Why it matters: The wheel asks for another CUDA runtime: "libcudart.so.11.0: cannot open shared object file".
    Example:
        before   torch 2.11.0 (CUDA 13) with flash_attn-…+cu12torch2.11…
        after    flash_attn-…+cu13torch2.11…
    How to fix: Take the file of torch's CUDA, or a torch of the wheel's CUDA.
    Source: METADATA of each torch in the table
    """
    wheel, torch = package.wheel, build.torch_at_end(package.image)
    if torch.held not in (Held.PINNED, Held.BASE, Held.LOOSE) or torch.cuda in (None, "cpu") or wheel is None:
        return
    major = (torch.cuda or "").split(".")[0]
    if wheel.cuda in (None, major):
        return
    say = error if torch.version else warning
    yield say(
        f"the wheel of {wheel.name} is for CUDA {wheel.cuda}, and torch {torch.version or torch.expected} "
        f"is built for CUDA {torch.cuda}",
        f"take the file that says cu{major}, or a torch of CUDA {wheel.cuda}",
        package.where,
        why="the import fails on the GPU: libcudart is not found",
    )


@rule("IMG480", WHEELS)
def whl_python_mismatch(recipe: Recipe, package: Package) -> Findings:
    """A wheel's Python is the Python of the image.

    Looks at: Addresses of wheels whose name has cpXY, and the Python of the image. abi3 and py3 wheels fit any.
    Why it matters: pip stops with "ERROR: …-cp310-cp310-linux_x86_64.whl is not a supported wheel on this platform".
    Example:
        before   debian_slim(python_version="3.11").pip_install("https://…-cp310-cp310-linux_x86_64.whl")
        after    debian_slim(python_version="3.11").pip_install("https://…-cp311-cp311-linux_x86_64.whl")
    How to fix: Take the file of the image's Python, or that Python for the image.
    Source: PEP 425, compatibility tags; pip 25, "is not a supported wheel on this platform"
    """
    wheel, python, base = package.wheel, build.python_of(package.image), build.base_of(package.image)
    if python is None or base is None or not (base.is_slim or base.adds_python) or package.package.marker:
        return
    if any(s.method in OTHER_MANAGERS for s in package.image.steps[: package.n]) or ELSEWHERE & {*package.pip.options}:
        return
    if wheel is not None and wheel.python is not None and wheel.python != python:
        yield error(
            f"the wheel of {wheel.name} is for Python {wheel.python}, and the image has Python {python}",
            f"take the file that says cp{python.replace('.', '')}, or Python {wheel.python} for the image",
            package.where,
            why="pip stops with: is not a supported wheel on this platform",
        )


@rule("IMG470", WHEELS.only(lambda p: p.wheel and p.wheel.torch, "wheel with a torch in its name"))
def whl_torch_mismatch(recipe: Recipe, package: Package) -> Findings:
    """A wheel's torch is the torch of the image.

    Looks at: Addresses of wheels whose name has torchX.Y, and the torch that the image ends up with; where a later
        package makes that unknown, the torch of the step itself.
    Why it matters: Such a wheel loads under one minor of torch. Under another it fails at import with "undefined
        symbol".
    Example:
        before   .pip_install("torch==2.11.0", "https://…/flash_attn-2.7.4.post1+cu12torch2.6cxx11abiFALSE-cp311-….whl")
        after    a wheel that says torch2.11, or torch==2.6.0
    How to fix: Take a wheel for the image's torch, or pin torch to the wheel's.
    Source: C++ symbols of each torch in the table; SWE-Qwen 0dd44ff2
    """
    wheel, torch = package.wheel, build.torch_for_wheel(package.image, package.n, package.pip)
    version = torch.version or torch.expected
    if wheel is None or version is None or facts.minor(version) == wheel.torch:
        return
    say = error if torch.version else warning
    has = f"torch {version}" if torch.version else f"torch without a pin (today {version})"
    yield say(
        f"the wheel of {wheel.name} is for torch {wheel.torch}, and the image has {has}",
        f"take a wheel that says torch{facts.minor(version)}, or pin torch to {wheel.torch}",
        package.where,
        why="the import fails on the GPU with: undefined symbol",
    )
