"""What depends on the Image Builder's version."""

from preflight.api import Context, Findings, Image, Recipe, advice, build, facts, rule, warning
from preflight.rules.subjects import BASES, IMAGES, Started

OLDEST_TODAY = (2024, 10)


@rule("IMG791", IMAGES.together(), asks_builder=True)
def bld_legacy(recipe: Recipe, images: list[Image], context: Context) -> Findings:
    """The image is not built by a legacy Image Builder.

    Looks at
        The Image Builder's version, where the configuration, the environment or `--builder` gives it: 2023.12 and
        2024.04.
    Why it matters
        Modal prints "Using legacy Image Builder version" and will retire them; they pin old pip and old client packages
        into the image, and have no Python newer than 3.12.
    Example
        before   MODAL_IMAGE_BUILDER_VERSION=2023.12
        after    modal workspace settings set image-builder-version 2025.06
    How to fix
        Run `modal workspace settings set image-builder-version` with a version of today.
    Source
        modal.com/docs/guide/images, Image Builder versions; modal 1.6.4, builder/*.txt.
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

    Looks at
        Images whose content depends on the builder, `debian_slim` and `add_python=`, and whether `--builder`,
        MODAL_IMAGE_BUILDER_VERSION or, in `preflight run`, Modal gives the version.
    Why it matters
        The workspace's setting decides the Debian release, the Pythons on offer and whether `wheel` is there. The same
        file builds another image in another workspace, and some rules here can only warn.
    Example
        before   preflight lint app.py
        after    preflight lint app.py --builder 2025.06
    How to fix
        Give `--builder`, set `image-builder` in [tool.preflight], or let `preflight run` read it from the workspace.
    Source
        modal 1.6.4, base-images.json and Image._dockerfile_commands per builder version.
    """
    if context.builder is None:
        yield advice(
            "nothing gives the version of the Image Builder",
            "give --builder, or let `preflight run` read it from the workspace",
            images[0].base.step.where,
        )
