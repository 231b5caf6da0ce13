"""pip is there when a step after uv_sync calls it.

Looks at
    `pip_install` and `pip` commands after `uv_sync`, unless uv.lock locks pip.
Why it matters
    uv_sync puts its own environment first on PATH, and uv installs no pip in it: "No module named pip".
Example
    before   .uv_sync().pip_install("einops")
    after    .uv_sync().uv_pip_install("einops")
How to fix
    Use `uv_pip_install` or `uv pip install` after `uv_sync`.
Source
    modal/_image.py 1.6.4, uv_sync
"""

import re

from preflight.api import Context, Findings, Link, Recipe, app, rule, warning
from preflight.rules.subjects import STEPS

LOCKS_PIP = re.compile(r'^name = "pip"$', re.MULTILINE)


@rule("IMG070", STEPS.only(lambda link: link.step.method == "uv_sync", "step with uv_sync"))
def find(recipe: Recipe, link: Link, context: Context) -> Findings:
    if any(s.method == "uv_sync" for s in link.before) or _locks_pip(link.step, context):
        return
    for step in link.after:
        if any("ensurepip" in c.text for c in step.shell) or any(p.name == "pip" for i in step.pip for p in i.packages):
            return
        called = next((i for i in step.pip if i.tool == "pip"), None)
        if called is not None:
            rename = app.replace_span(recipe, step.where, step.link, ".pip_install(", ".uv_pip_install(", is_safe=True)
            yield warning(
                f"{step.method} calls pip after uv_sync (line {link.step.where.line}), where there is none",
                "use uv pip install" if step.method == "run_commands" else "use uv_pip_install",
                app.package_where(step, called),
                why="the image build stops with: No module named pip",
                fix=rename if step.method == "pip_install" else None,
            )


def _locks_pip(step: app.Step, context: Context) -> bool:
    """uv.lock below the project holds pip; an unreadable place is taken for one that does."""
    given = step.kwargs.get("uv_project_dir", step.args[0] if step.args else "./")
    if not isinstance(given, str):
        return True
    try:
        return LOCKS_PIP.search((context.project / given / "uv.lock").read_text("utf-8")) is not None
    except (OSError, ValueError):
        return True
