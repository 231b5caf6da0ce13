"""The project's code is copied into the image after the heavy steps.

Looks at   `add_local_dir` and `add_local_python_source` with `copy=True` before a step that installs torch or
           compiles an extension, where that step does not need the code.
Why        every edit of the code changes the layer, and all layers after it are built again: torch is downloaded
           and mamba-ssm compiled (minutes to an hour) for each saved file.
Before     .add_local_dir("src", "/root/src", copy=True).pip_install("torch==2.4.1")
After      .pip_install("torch==2.4.1").add_local_dir("src", "/root/src", copy=True)
Source     modal.com/docs/guide/images, "define frequently changing layers last"
"""

from collections.abc import Iterator

from preflight.api import Context, Finding, Image, Recipe, Step, counted, extension, over_images, rule, warning


def applies(recipe: Recipe) -> str:
    return counted(
        sum(s.kwargs.get("copy") is True for i in recipe.images for s in i.steps),
        "step that copies files",
        "steps that copy files",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, step in enumerate(image.steps):
        if step.method not in ("add_local_dir", "add_local_python_source") or step.kwargs.get("copy") is not True:
            continue
        target = _target(step)
        heavy = None
        for later in image.steps[n + 1 :]:
            if _uses(later, target):
                heavy = None
                break
            is_heavy = any(p.name and (p.name == "torch" or extension(p.name)) for i in later.pip for p in i.packages)
            heavy = heavy or (later if is_heavy else None)
        if heavy is not None:
            yield warning(
                f"{step.method} copies code before {heavy.method} (line {heavy.where.line}) installs heavy packages",
                f"move {step.method} below it",
                step.where,
                why="each edit of the code downloads and compiles everything below again",
            )


def _target(step: Step) -> str:
    given = step.args[1] if len(step.args) > 1 else step.kwargs.get("remote_path", "/root")
    return str(given).rstrip("/") or "/"


def _uses(step: Step, target: str) -> bool:
    """A later step that names the folder, or works in it, or may run anything of it."""
    if step.method in ("workdir", "run_function", "uv_sync", "dockerfile_commands"):
        return True
    texts = [c.text for c in step.shell]
    return any(target in t or " ." in t or "cd " in t or ".sh" in t for t in texts) or any(
        p.is_editable or (p.url or "").startswith((".", "/")) for i in step.pip for p in i.packages
    )


CHECK = rule(
    id="IMG080",
    name="ord-copy-source-before-deps",
    title="code is copied after the heavy steps",
    find=find,
    applies=applies,
)
