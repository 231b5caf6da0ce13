"""Build steps come before local files, or the files are copied into a layer.

Looks at   every `add_local_file`, `add_local_dir` and `add_local_python_source` without `copy=True`, and the
           steps after it in the same chain.
Why        such files are mounted when a container starts, so nothing can be built on top of them.  The client
           refuses the image (InvalidError) as soon as it is built: nothing runs.
Before     .add_local_dir("src", "/root/src").pip_install("einops")
After      .pip_install("einops").add_local_dir("src", "/root/src")
           or, when a later step reads the files: .add_local_dir("src", "/root/src", copy=True)
Source     modal/_image.py 1.6.4, `_assert_no_mount_layers`
"""

from collections.abc import Iterator

from preflight.api import Context, Finding, Image, Recipe, add_argument, counted, error, over_images, rule

LOCAL = frozenset({"add_local_file", "add_local_dir", "add_local_python_source"})
BUILDS = frozenset(
    "pip_install uv_pip_install pip_install_from_requirements pip_install_from_pyproject poetry_install_from_file "
    "uv_sync pip_install_private_repos apt_install run_commands run_function dockerfile_commands micromamba_install "
    "env workdir entrypoint cmd shell".split()
)


def applies(recipe: Recipe) -> str:
    return counted(
        sum(s.method in LOCAL for i in recipe.images for s in i.steps),
        "step with local files",
        "steps with local files",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, step in enumerate(image.steps):
        if step.method not in LOCAL or step.kwargs.get("copy", False) is not False or "**" in step.kwargs:
            continue
        after = next((s for s in image.steps[n + 1 :] if s.method in BUILDS), None)
        if after is not None:
            yield error(
                f"{step.method} mounts files, and {after.method} (line {after.where.line}) builds on top of them",
                f"move {step.method} to the end of the chain, or give it copy=True when {after.method} reads the files",
                step.where,
                why="the client refuses the image: nothing is built",
                fix=add_argument(recipe, step, "copy=True", is_safe=True) if "copy" not in step.kwargs else None,
            )


CHECK = rule(
    id="IMG010",
    name="ord-add-local-then-build",
    title="no build step comes after files that are only mounted",
    find=find,
    applies=applies,
)
