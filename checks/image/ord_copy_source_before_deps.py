"""The project's code is copied into the image after the heavy steps.

Looks at
    `add_local_dir` and `add_local_python_source` with `copy=True` before a step that installs torch or
    compiles an extension, where that step does not need the code.
Why it matters
    Every edit of the code changes the layer, and all layers after it are built again: torch is downloaded
    and mamba-ssm compiled (minutes to an hour) for each saved file.
Example
    before   .add_local_dir("src", "/root/src", copy=True).pip_install("torch==2.4.1")
    after    .pip_install("torch==2.4.1").add_local_dir("src", "/root/src", copy=True)
How to fix
    Move the step that copies the code below those that install.
Source
    modal.com/docs/guide/images, "define frequently changing layers last"
"""

from preflight.api import Findings, Link, Recipe, app, facts, rule, warning
from preflight.rules.subjects import STEPS

COPIES = STEPS.only(
    lambda k: k.step.method in ("add_local_dir", "add_local_python_source") and k.step.kwargs.get("copy") is True,
    "step that copies code",
)


@rule("IMG080", COPIES)
def find(recipe: Recipe, link: Link) -> Findings:
    step, heavy = link.step, None
    given = step.args[1] if len(step.args) > 1 else step.kwargs.get("remote_path", "/root")
    target = str(given).rstrip("/") or "/"
    for later in link.after:
        if _uses(later, target):
            return
        heavy = heavy or (later if _is_heavy(later) else None)
    if heavy is not None:
        yield warning(
            f"{step.method} copies code before {heavy.method} (line {heavy.where.line}) installs heavy packages",
            f"move {step.method} below it",
            step.where,
            why="each edit of the code downloads and compiles everything below again",
        )


def _is_heavy(step: app.Step) -> bool:
    return any(p.name and (p.name == "torch" or facts.extension(p.name)) for i in step.pip for p in i.packages)


def _uses(step: app.Step, target: str) -> bool:
    """A later step that names the folder, or works in it, or may run anything of it."""
    if step.method in ("workdir", "run_function", "uv_sync", "dockerfile_commands"):
        return True
    texts = [c.text for c in step.shell]
    return any(target in t or " ." in t or "cd " in t or ".sh" in t for t in texts) or any(
        p.is_editable or (p.url or "").startswith((".", "/")) for i in step.pip for p in i.packages
    )
