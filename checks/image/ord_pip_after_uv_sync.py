"""Steps after `uv_sync` use uv.

Looks at   `pip_install` and `pip` commands after `uv_sync`, unless uv.lock locks pip.
Why        uv_sync puts its own environment first on PATH, and uv puts no pip into it: "No module named pip".
Before     .uv_sync().pip_install("einops")
After      .uv_sync().uv_pip_install("einops")
Source     modal/_image.py 1.6.4, uv_sync
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    Step,
    counted,
    over_images,
    package_where,
    replace_span,
    rule,
    warning,
)

LOCKS_PIP = re.compile(r'^name = "pip"$', re.MULTILINE)


def applies(recipe: Recipe) -> str:
    return counted(sum(s.method == "uv_sync" for i in recipe.images for s in i.steps), "uv_sync", "uv_syncs")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    synced = next((n for n, s in enumerate(image.steps) if s.method == "uv_sync"), None)
    if synced is None or _locks_pip(image.steps[synced], context):
        return
    for step in image.steps[synced + 1 :]:
        if any("ensurepip" in c.text for c in step.shell) or any(p.name == "pip" for i in step.pip for p in i.packages):
            return
        called = next((i for i in step.pip if i.tool == "pip"), None)
        if called is not None:
            in_shell = step.method == "run_commands"
            yield warning(
                f"{step.method} calls pip after uv_sync (line {image.steps[synced].where.line}), where there is none",
                "use uv pip install" if in_shell else "use uv_pip_install",
                package_where(step, called),
                why="the image build stops with: No module named pip",
                fix=None
                if in_shell or step.method != "pip_install"
                else replace_span(recipe, step.where, step.link, ".pip_install(", ".uv_pip_install(", is_safe=True),
            )


def _locks_pip(step: Step, context: Context) -> bool:
    """uv.lock below the project holds pip; an unreadable place is taken for one that does."""
    given = step.kwargs.get("uv_project_dir", step.args[0] if step.args else "./")
    if not isinstance(given, str):
        return True
    try:
        return LOCKS_PIP.search((context.project / given / "uv.lock").read_text("utf-8")) is not None
    except (OSError, ValueError):
        return True


CHECK = rule(
    id="IMG070",
    name="ord-pip-after-uv-sync",
    title="pip is there when a step after uv_sync calls it",
    find=find,
    applies=applies,
)
