"""The Image Builder's version is said somewhere.

Looks at
    Images whose content depends on the builder, `debian_slim` and `add_python=`, and whether `--builder`,
    MODAL_IMAGE_BUILDER_VERSION or, in `preflight run`, Modal says the version.
Why it matters
    The workspace's setting decides the Debian release, the Pythons on offer and whether `wheel` is there; the same
    file builds another image in another workspace, and some rules here can only warn.
Example
    before   preflight lint app.py
    after    preflight lint app.py --builder 2025.06
Source
    modal 1.6.4, base-images.json and Image._dockerfile_commands per builder version.
"""

from collections.abc import Iterator

from preflight.api import Context, Finding, Image, Recipe, advice, base_of, counted, rule


def applies(recipe: Recipe) -> str:
    return counted(len(_depending(recipe)), "image that depends on the builder", "images that depend on the builder")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    images = _depending(recipe)
    if context.builder is None and images and images[0].base is not None:
        yield advice(
            "nothing says which Image Builder builds this",
            "give --builder, or let `preflight run` read it from the workspace",
            images[0].base.where,
        )


def _depending(recipe: Recipe) -> list[Image]:
    bases = [(i, base_of(i)) for i in recipe.images]
    return [i for i, base in bases if base is not None and (base.is_slim or base.adds_python)]


CHECK = rule(
    id="IMG790",
    name="bld-version-unset",
    title="the Image Builder's version is said somewhere",
    find=find,
    applies=applies,
    asks_builder=True,
)
