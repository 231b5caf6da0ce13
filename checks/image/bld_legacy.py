"""The image is not built by a legacy Image Builder.

Looks at
    The builder's version, where the configuration, the environment or `--builder` says it: 2023.12 and 2024.04.
Why it matters
    Modal prints "Using legacy Image Builder version" and will retire them; they pin old pip and old client packages
    into the image, and have no Python newer than 3.12.
Example
    before   MODAL_IMAGE_BUILDER_VERSION=2023.12
    after    modal workspace settings set image-builder-version 2025.06
Source
    modal.com/docs/guide/images, Image Builder versions; modal 1.6.4, builder/*.txt.
"""

from collections.abc import Iterator

from preflight.api import Context, Finding, Recipe, counted, image_links, rule, version_number, warning

OLDEST_TODAY = (2024, 10)


def applies(recipe: Recipe) -> str:
    return counted(len(recipe.images), "image")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    links = image_links(recipe)
    if context.builder is not None and links and version_number(context.builder) < OLDEST_TODAY:
        yield warning(
            f"Image Builder {context.builder} is a legacy version",
            "run `modal workspace settings set image-builder-version 2025.06`",
            links[0].step.where,
            why="its base layers are old, and Modal will stop building with it",
        )


CHECK = rule(
    id="IMG791",
    name="bld-legacy",
    title="the image is not built by a legacy Image Builder",
    find=find,
    applies=applies,
    asks_builder=True,
)
