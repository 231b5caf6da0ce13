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

from preflight.api import Context, Findings, Image, Recipe, build, facts, rule, warning
from preflight.rules.subjects import IMAGES

OLDEST_TODAY = (2024, 10)


@rule("IMG791", IMAGES.together(), asks_builder=True)
def find(recipe: Recipe, images: list[Image], context: Context) -> Findings:
    links = build.image_links(recipe)
    if context.builder is not None and links and facts.version_number(context.builder) < OLDEST_TODAY:
        newest = facts.builders()[-1].version
        yield warning(
            f"Image Builder {context.builder} is a legacy version",
            f"run `modal workspace settings set image-builder-version {newest}`",
            links[0].step.where,
            why="its base layers are old, and Modal will stop building with it",
        )
