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

from preflight.api import Context, Findings, Recipe, advice, rule
from preflight.rules.subjects import BASES, Started

DEPENDING = BASES.only(lambda i: i.base.is_slim or i.base.adds_python, "image that depends on the builder")


@rule("IMG790", DEPENDING.together(), asks_builder=True)
def find(recipe: Recipe, images: list[Started], context: Context) -> Findings:
    if context.builder is None:
        yield advice(
            "nothing gives the version of the Image Builder",
            "give --builder, or let `preflight run` read it from the workspace",
            images[0].base.step.where,
        )
