"""The base image, what it holds, and the Image Builder that makes it."""

from collections.abc import Iterator

from preflight.api import Context, Findings, Image, Link, Recipe, Where, advice, app, build, error, facts, rule, warning
from preflight.rules.subjects import BASES, IMAGES, STEPS, Started


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


CUDA_BASES = BASES.only(
    lambda i: i.base.reference is not None and i.base.reference.startswith(("nvidia/cuda", "nvcr.io/")), "CUDA base"
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


WITH_APT = STEPS.only(
    lambda link: link.step.apt or any(map(build.apt_words, link.step.shell)), "step with apt packages"
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


OLDEST_TODAY = (2024, 10)


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


DEPENDING = BASES.only(lambda i: i.base.is_slim or i.base.adds_python, "image that depends on the builder")


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
