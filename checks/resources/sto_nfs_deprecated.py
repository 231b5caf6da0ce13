"""No NetworkFileSystem is in use.

Looks at
    Every `modal.NetworkFileSystem`.
Why it matters
    It is deprecated since 2026-09-16 and will be removed; Volumes take its place, and are faster for training data.
Example
    before   modal.NetworkFileSystem.from_name("data", create_if_missing=True)
    after    modal.Volume.from_name("data", create_if_missing=True)
Source
    Modal Python release notes, 2026-09-16.
"""

from collections.abc import Iterator

from preflight.api import Context, Finding, Recipe, Use, counted, rule, syntax_of, uses_of_modal, warning


def applies(recipe: Recipe) -> str:
    return counted(len(uses_of_modal(recipe)), "use of Modal's names", "uses of Modal's names")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    found = [u for u in uses_of_modal(recipe) if _is_nfs(u)]
    used = [u for u in found if not u.is_import] or found  # the import alone speaks when nothing else does
    for use in used:
        if syntax is not None and not use.is_guarded:
            yield warning(
                "modal.NetworkFileSystem is deprecated since 2026-09-16",
                "use modal.Volume; `modal nfs get` and `modal volume put` move the data",
                syntax.where(use.node),
                why="a later client refuses it",
            )


def _is_nfs(use: Use) -> bool:
    return use.name.split(".")[1:2] == ["NetworkFileSystem"] or ".network_file_system." in f"{use.name}."


CHECK = rule(
    id="RES711",
    name="sto-nfs-deprecated",
    title="no NetworkFileSystem is in use",
    find=find,
    applies=applies,
)
