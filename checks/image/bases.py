"""The base image, its Python, and the Image Builder that makes it."""

import re
from collections.abc import Iterator

from preflight.api import Context, Findings, Image, Link, Recipe, Where, advice, app, build, error, facts, rule, warning
from preflight.rules.subjects import BASES, IMAGES, NAMING_PYTHON, STEPS, WHEELS, Started

CUDA_BASES = BASES.only(
    lambda i: i.base.reference is not None and i.base.reference.startswith(("nvidia/cuda", "nvcr.io/")), "CUDA base"
)
WITH_APT = STEPS.only(
    lambda link: link.step.apt or any(map(build.apt_words, link.step.shell)), "step with apt packages"
)
OLDEST_TODAY = (2024, 10)
DEPENDING = BASES.only(lambda i: i.base.is_slim or i.base.adds_python, "image that depends on the builder")
END, NEXT = "3.10", "3.11"
KEYWORDS = ("python_version", "add_python")
NUMBER = re.compile(r"(?<![\w.])[\d.]+$")
MICRO = re.compile(r"(\d+\.\d+)\.\d+")
SERIES = re.compile(r"(\d+\.\d+)(?:\.\d+)?t?")
SAFE = "3.11"  # on every builder from 2023.12 to 2026.10


@rule("IMG220", BASES.only(lambda i: i.base.adds_python, "image with add_python"))
def tool_add_python_over_existing(recipe: Recipe, started: Started) -> Findings:
    """add_python is not put over an image's own Python.

    Looks at: `from_registry(…, add_python=…)` of pytorch/pytorch, nvcr.io/nvidia/pytorch and python images.
    Why it matters: The image then has two Pythons. pip installs into the added one, and the image's torch (several GB)
        stands in the other, where nothing of yours can import it.
    Example:
        before   modal.Image.from_registry("pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel", add_python="3.11")
        after    modal.Image.from_registry("pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel")
    How to fix: Leave `add_python` out, or start from an nvidia/cuda image.
    Source: modal.com/docs/guide/existing-images
    """
    base = started.base
    if base.row is None or base.row.is_served or "python" not in base.row.holds:
        return
    has = "Python and torch" if "torch" in base.row.holds else "Python"
    yield warning(
        f"{base.reference} has its own {has}, and add_python puts a second Python in front of it",
        "leave add_python out, or start from an nvidia/cuda image",
        app.argument_where(recipe, base.step, "add_python", 1),
        why="packages land in one Python and torch sits in the other",
        fix=app.remove_keyword(recipe, base.step, "add_python", is_safe=True),
    )


@rule("IMG230", CUDA_BASES)
def tool_entrypoint(recipe: Recipe, started: Started) -> Findings:
    """The entrypoint of a CUDA base is cleared.

    Looks at: nvidia/cuda and nvcr.io bases without `.entrypoint([])`.
    Why it matters: Their entrypoint prints a licence banner into the log of every container.  It does no harm.
    Example:
        before   from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
        after    from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").entrypoint([])
    How to fix: Add `.entrypoint([])` after the base.
    Source: modal.com/docs/guide/existing-images
    """
    image, base = started.image, started.base
    if image.is_complete and not any(s.method in ("entrypoint", "dockerfile_commands") for s in image.steps):
        yield advice(
            f"{base.reference} keeps its entrypoint, which prints a banner into every log",
            "add .entrypoint([]) after the base",
            base.step.where,
        )


@rule("IMG410", WITH_APT, asks_builder=True)
def ver_apt_gone(recipe: Recipe, link: Link, context: Context) -> Findings:
    """The distribution has the apt packages that are asked for.

    Looks at: `apt_install` and `apt-get install` against packages that Debian trixie (Image Builder 2026.10) or Ubuntu
        24.04 no longer have.
    Why it matters: apt stops with "Unable to locate package"; an image that was built last year is not built again.
    Example:
        before   modal.Image.debian_slim().apt_install("libgl1-mesa-glx")
        after    modal.Image.debian_slim().apt_install("libgl1")
    How to fix: Install the package that took its place, which the message names.
    Source: The apt index of trixie, 2026-11-23; packages.ubuntu.com
    """
    base, step = build.base_of(link.image), link.step
    if base is None:
        return
    distribution = build.distribution_of(link.image, context.builder)
    is_guess = distribution is None and base.is_slim and facts.builder(context.builder or "") is None
    asked = "trixie" if is_guess else distribution
    say = warning if is_guess else error
    for package, where in _packages(recipe, step):
        row = facts.apt_gone(package)
        if row is not None and asked in row.gone_in:
            whose = "Debian trixie, which Image Builder 2026.10 uses," if is_guess else f"{asked}"
            new = row.successor
            fixes = (
                app.replace_span(recipe, step.where, step.link, f"{q}{package}{q}", f"{q}{new}{q}", is_safe=True)
                for q in "\"'"
            )
            yield say(
                f"{whose} has no apt package {package}",
                f"install {new} in its place" if new else f"leave {package} out, or keep an older base",
                where,
                why="apt stops with: Unable to locate package",
                fix=next(filter(None, fixes), None) if new else None,
            )


def _packages(recipe: Recipe, step: app.Step) -> Iterator[tuple[str, Where]]:
    yield from ((package, app.word_where(recipe, step, package)) for package in step.apt)
    yield from ((package, command.where) for command in step.shell for package in build.apt_words(command))


@rule("IMG420", BASES.only(lambda i: i.base.cuda_tag, "CUDA base"))
def ver_cuda_tag(recipe: Recipe, started: Started) -> Findings:
    """The tag of nvidia/cuda is one that was published.

    Looks at: Tags of nvidia/cuda without a patch number, a flavour (base, runtime, devel) or a distribution, and
        `latest`, which is gone.
    Why it matters: The registry answers "manifest unknown", and the image build stops at its first line.
    Example:
        before   from_registry("nvidia/cuda:12.4-devel-ubuntu22.04")
        after    from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04")
    How to fix: Use a whole tag, such as `nvidia/cuda:12.4.1-devel-ubuntu22.04`.
    Source: NVIDIA's container-images repository: supported and unsupported tags
    """
    base, tag = started.base, started.base.cuda_tag
    if tag is not None and tag.problem:
        is_old = tag.version.split(".")[0] in ("9", "10", "11")  # their tags were less regular
        say = warning if is_old else error
        yield say(
            f"{base.reference} {tag.problem}",
            "use a tag such as nvidia/cuda:12.4.1-devel-ubuntu22.04",
            app.argument_where(recipe, base.step, "tag", 0),
            why="the image build stops at its first line: manifest unknown",
        )


@rule("IMG791", IMAGES.together(), asks_builder=True)
def bld_legacy(recipe: Recipe, images: list[Image], context: Context) -> Findings:
    """The image is not built by a legacy Image Builder.

    Looks at: The Image Builder's version, where the configuration, the environment or `--builder` gives it: 2023.12 and
        2024.04.
    Why it matters: Modal prints "Using legacy Image Builder version" and will retire them; they pin old pip and old
        client packages into the image, and have no Python newer than 3.12.
    Example:
        before   MODAL_IMAGE_BUILDER_VERSION=2023.12
        after    modal workspace settings set image-builder-version 2025.06
    How to fix: Run `modal workspace settings set image-builder-version` with a version of today.
    Source: modal.com/docs/guide/images, Image Builder versions; modal 1.6.4, builder/*.txt.
    """
    links = build.image_links(recipe)
    if context.builder is not None and links and facts.version_number(context.builder) < OLDEST_TODAY:
        newest = facts.builders()[-1].version
        yield warning(
            f"Image Builder {context.builder} is a legacy version",
            f"run `modal workspace settings set image-builder-version {newest}`",
            links[0].step.where,
            why="its base layers are old, and Modal will stop building with it",
        )


@rule("IMG790", DEPENDING.together(), asks_builder=True)
def bld_version_unset(recipe: Recipe, images: list[Started], context: Context) -> Findings:
    """The Image Builder's version is given somewhere.

    Looks at: Images whose content depends on the builder, `debian_slim` and `add_python=`, and whether `--builder`,
        MODAL_IMAGE_BUILDER_VERSION or, in `preflight run`, Modal gives the version.
    Why it matters: The workspace's setting decides the Debian release, the Pythons on offer and whether `wheel` is
        there. The same file builds another image in another workspace, and some rules here can only warn.
    Example:
        before   preflight lint app.py
        after    preflight lint app.py --builder 2025.06
    How to fix: Give `--builder`, set `image-builder` in [tool.preflight], or let `preflight run` read it from the
        workspace.
    Source: modal 1.6.4, base-images.json and Image._dockerfile_commands per builder version.
    """
    if context.builder is None:
        yield advice(
            "nothing gives the version of the Image Builder",
            "give --builder, or let `preflight run` read it from the workspace",
            images[0].base.step.where,
        )


@rule("IMG360", NAMING_PYTHON, asks_builder=True)
def ver_python_eol(recipe: Recipe, started: Started, context: Context) -> Findings:
    """The image's Python is not at its end on Modal.

    Looks at: `python_version=` and `add_python=` of 3.10.
    Why it matters: Since 2026-11-04 the client warns about Python 3.10, client 1.7 will not deploy it, and builder
        2026.10 has none.
    Example:
        before   modal.Image.debian_slim(python_version="3.10")
        after    modal.Image.debian_slim(python_version="3.11")
    How to fix: Use Python 3.11, and the wheels of that Python.
    Source: modal/_image.py 1.6.4; release notes of the Modal client
    """
    base = started.base
    row = facts.builder(context.builder) if context.builder else None
    if build.python_of(started.image) != END or base.python is None or (row is not None and END not in row.pythons):
        return  # what the builder does not have is the finding of ver-python-unsupported
    keyword, position = base.asks_python, 1 if base.adds_python else 0
    span = base.step.kwarg_spans.get(keyword)
    yield warning(
        f'{keyword}="{base.python}": Modal warns about Python {END} since 2026-11-04; client 1.7 will not deploy it',
        f'use {keyword}="{NEXT}", and the wheels of that Python',
        app.argument_where(recipe, base.step, keyword, position),
        why="the next client or builder refuses the image",
        fix=app.replace_span(recipe, base.step.where, span, base.python, NEXT, is_safe=False),
    )


@rule("IMG370", BASES.only(lambda i: {*KEYWORDS} & i.base.step.kwargs.keys(), "image with a named Python"))
def ver_python_type(recipe: Recipe, started: Started) -> Findings:
    """The Python version is a string of two numbers.

    Looks at: `python_version=3.11` (a number: TypeError; and 3.10 is 3.1), and `add_python="3.11.5"` (InvalidError).
    Why it matters: The client refuses the file, or asks for Python 3.1.
    Example:
        before   modal.Image.debian_slim(python_version=3.11)
        after    modal.Image.debian_slim(python_version="3.11")
    How to fix: Write two numbers in quotes: `python_version="3.11"`.
    Source: modal/_image.py 1.6.4, tried
    """
    step = started.base.step
    for keyword in KEYWORDS:
        given, span = step.kwargs.get(keyword), step.kwarg_spans.get(keyword)
        where = app.argument_where(recipe, step, keyword)
        if isinstance(given, float | int) and not isinstance(given, bool):
            right, source = "3.10" if given == 3.1 else str(given), app.source_of(recipe, step.where)
            written = NUMBER.search(source.text, span.start, span.end) if source and span else None
            number = written and app.Span(written.start(), written.end())
            yield error(
                f"{keyword}={given} is a number; 3.10 would be 3.1",
                f'write {keyword}="{right}"',
                where,
                why="the client refuses the file before anything is built",
                fix=app.replaced(step.where.path, number, f'"{right}"', is_safe=True),
            )
        elif keyword == "add_python" and isinstance(given, str) and (found := MICRO.fullmatch(given)):
            yield error(
                f'add_python="{given}" names a patch release; Modal takes two numbers',
                f'write add_python="{found[1]}"',
                where,
                why="the client refuses the image",
                fix=app.replace_span(recipe, step.where, span, given, found[1], is_safe=True),
            )


@rule("IMG380", BASES.only(lambda i: i.base.is_slim, "debian_slim image"))
def ver_python_unset(recipe: Recipe, started: Started) -> Findings:
    """The image names its Python.

    Looks at: `debian_slim()` without `python_version`, and wheels of one Python (cp311) in the same image.
    Why it matters: Modal then takes the Python of the machine that runs `modal deploy`: another laptop, another image.
    Example:
        before   modal.Image.debian_slim().pip_install("https://…-cp311-cp311-linux_x86_64.whl")
        after    modal.Image.debian_slim(python_version="3.11").pip_install("https://…-cp311-cp311-linux_x86_64.whl")
    How to fix: Write `debian_slim(python_version="3.11")`, with the Python of your wheels.
    Source: modal/_image.py 1.6.4
    """
    step = started.base.step
    if step.args or {"python_version", "**"} & step.kwargs.keys():
        return
    wheel = next((w for p in WHEELS.of(recipe) if p.image is started.image and (w := p.wheel) and w.python), None)
    right = wheel.python if wheel is not None else "3.11"
    say = warning if wheel else advice
    yield say(
        "debian_slim takes the Python of whoever deploys"
        + (f", and the wheel of {wheel.name} is for Python {wheel.python}" if wheel else ""),
        f'write debian_slim(python_version="{right}")',
        step.where,
        why="another machine builds another image, and wheels of one Python do not install",
        fix=app.add_argument(recipe, step, f'python_version="{right}"', is_safe=False) if wheel else None,
    )


@rule("IMG350", NAMING_PYTHON, asks_builder=True)
def ver_python_unsupported(recipe: Recipe, started: Started, context: Context) -> Findings:
    """The Image Builder has the Python that is asked for.

    Looks at: `python_version=` of debian_slim and micromamba, and `add_python=` of from_registry, against the builder's
        list; without a known builder, against the lists of all builders.
    Why it matters: The client accepts any version; the image build refuses it. 3.8 and 3.9 are on no builder, 3.10 is
        not on 2026.10.
    Example:
        before   modal.Image.debian_slim(python_version="3.8")
        after    modal.Image.debian_slim(python_version="3.11")
    How to fix: Use a Python that the message lists.
    Source: modal/_image.py 1.6.4, SUPPORTED_PYTHON_SERIES
    """
    base = started.base
    found = SERIES.fullmatch(base.python or "")
    row = facts.builder(context.builder) if context.builder else None
    lists = [row] if row else list(facts.builders())
    if found is None or any(found[1] in b.pythons for b in lists):
        return
    answer = f"Image Builder {row.version} has no" if row else "no Image Builder has"
    keyword, position = base.asks_python, 1 if base.adds_python else 0
    span = base.step.kwarg_spans.get(keyword)
    yield error(
        f"{keyword}={base.python!r}: {answer} Python {found[1]}; it goes from {lists[0].pythons[0]} "
        f"to {lists[-1].pythons[-1]}",
        f'use {keyword}="{SAFE}"',
        app.argument_where(recipe, base.step, keyword, position),
        why="the image is refused before its first step",
        fix=app.replace_span(recipe, base.step.where, span, base.python or "", SAFE, is_safe=False),
    )
