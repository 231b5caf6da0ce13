"""No build step comes after files that are only mounted.

Looks at
    Every `add_local_file`, `add_local_dir` and `add_local_python_source` without `copy=True`, and the
    steps after it in the same chain.
Why it matters
    Such files are mounted when a container starts, so nothing can be built on top of them. The client refuses the
    image (InvalidError) as soon as it is built: nothing runs.
Example
    before   .add_local_dir("src", "/root/src").pip_install("einops")
    after    .pip_install("einops").add_local_dir("src", "/root/src")
             or, when a later step reads the files: .add_local_dir("src", "/root/src", copy=True)
How to fix
    Move the step to the end of the chain. Give it `copy=True` when a later step reads the files.
Source
    modal/_image.py 1.6.4, `_assert_no_mount_layers`
"""

from preflight.api import Findings, Link, Recipe, app, error, rule
from preflight.rules.subjects import STEPS

LOCAL = frozenset({"add_local_file", "add_local_dir", "add_local_python_source"})
BUILDS = frozenset(
    "pip_install uv_pip_install pip_install_from_requirements pip_install_from_pyproject poetry_install_from_file "
    "uv_sync pip_install_private_repos apt_install run_commands run_function dockerfile_commands micromamba_install "
    "env workdir entrypoint cmd shell".split()
)


@rule("IMG010", STEPS.only(lambda link: link.step.method in LOCAL, "step with local files"))
def find(recipe: Recipe, link: Link) -> Findings:
    step = link.step
    after = next((s for s in link.after if s.method in BUILDS), None)
    if after is None or step.kwargs.get("copy", False) is not False or "**" in step.kwargs:
        return
    yield error(
        f"{step.method} mounts files, and {after.method} (line {after.where.line}) builds on top of them",
        f"move {step.method} to the end of the chain, or give it copy=True when {after.method} reads the files",
        step.where,
        why="the client refuses the image: nothing is built",
        fix=app.add_argument(recipe, step, "copy=True", is_safe=True) if "copy" not in step.kwargs else None,
    )
