"""Nothing uses `modal.Mount` or `mounts=`.

Looks at
    `modal.Mount` and `modal.mount` in every form, and the keyword `mounts=` of functions, classes and sandboxes.
Why it matters
    Both were removed in 1.0.0: an error when the file is imported.
Example
    before   @app.function(mounts=[modal.Mount.from_local_dir("src", remote_path="/root/src")])
    after    image = image.add_local_dir("src", "/root/src")
             @app.function(image=image)
Source
    Modal Python release notes, 1.0.0.
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Recipe,
    Use,
    counted,
    error,
    is_certain,
    is_guarded,
    keyword_where,
    resource_calls,
    rule,
    syntax_of,
    uses_of_modal,
)

REMEDY = "use image.add_local_dir, add_local_file or add_local_python_source"
WHY = "an error when the file is imported: nothing of the app runs"


def applies(recipe: Recipe) -> str:
    return counted(len(uses_of_modal(recipe)), "use of Modal's names", "uses of Modal's names")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax, lines = syntax_of(recipe.source), set()
    if syntax is None:
        return
    for use in uses_of_modal(recipe):
        if _is_mount(use) and not use.is_guarded:
            where = syntax.where(use.node)
            lines.add(where.line)
            yield error(f"{'.'.join(use.name.split('.')[:2])} was removed in 1.0.0", REMEDY, where, why=WHY)
    for call in resource_calls(recipe):
        where = keyword_where(recipe, call, "mounts")
        if "mounts" not in call.kwargs or where.line in lines or call.node is None:
            continue
        if is_certain(recipe, call) and not is_guarded(syntax, call.node):
            yield error("mounts= was removed in 1.0.0", REMEDY, where, why=WHY)


def _is_mount(use: Use) -> bool:
    parts = use.name.split(".")[1:]
    return parts[:1] in (["Mount"], ["mount"])


CHECK = rule(
    id="PRJ741",
    name="dep-mount-removed",
    title="nothing uses modal.Mount or mounts=",
    find=find,
    applies=applies,
)
