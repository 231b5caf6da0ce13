"""No build step holds a GPU to download.

Looks at
    `gpu=` on `run_commands` whose commands only fetch (curl, wget, git, huggingface-cli download, pip) and on
    `run_function` of a function of the file whose body only downloads.
Why it matters
    Builds with a GPU wait for one and are billed for it; a download does not use it.
Example
    before   image.run_function(download_weights, gpu="B200")
    after    image.run_function(download_weights)
How to fix
    Leave `gpu=` out of the step, or move the part that needs the GPU into a step of its own.
Source
    modal.com/docs/guide/images, "Attach GPUs during setup": for steps that need one.
"""

import ast
import re

from preflight.api import Call, Findings, Recipe, app, rule, warning
from preflight.rules.subjects import IMAGE_CALLS

FETCHES = frozenset({"curl", "wget", "git", "huggingface-cli", "hf", "gdown", "aws", "gsutil", "aria2c"})
BESIDE = frozenset({"mkdir", "cd", "echo", "export", "mv", "cp", "tar", "unzip", "ls", "rm", "chmod", "ln", "set"})
DOWNLOADS = re.compile(
    r"(?:^|\.)(?:snapshot_download|hf_hub_download|from_pretrained|urlretrieve|download\w*|load_model)$"
)
BESIDE_CALL = re.compile(
    r"^(?:print|str|len|open|range|Path|os\.\w[\w.]*|shutil\.\w+|pathlib\.Path|time\.\w+|logging\.\w+)$"
    r"|(?:move_cache|login|mkdir|exists|write|read|format|join|info)$"
)
STEPS_WITH_GPU = IMAGE_CALLS.only(
    lambda c: c.name.endswith((".run_commands", ".run_function")) and c.kwargs.get("gpu"), "build step with a GPU"
)


@rule("RES641", STEPS_WITH_GPU)
def find(recipe: Recipe, call: Call) -> Findings:
    method = call.name.rpartition(".")[2]
    fetched = (_commands_fetch if method == "run_commands" else _function_fetches)(recipe, call)
    if fetched:
        yield warning(
            f"{method} has a GPU and only downloads ({fetched})",
            "leave gpu= out of the step",
            app.keyword_where(recipe, call, "gpu"),
            why="the build waits for a GPU and is billed for it while it downloads",
            fix=app.keyword_dropped(recipe.source, call, "gpu", is_safe=True),
        )


def _commands_fetch(recipe: Recipe, call: Call) -> str:
    commands: tuple[app.ShellCommand, ...] = next(
        (s.shell for i in recipe.images for s in i.steps if s.node is call.node and s.is_complete), ()
    )
    programs = [c.words[0].rsplit("/", 1)[-1] for c in commands if c.words]
    fetched = [p for p in programs if p in FETCHES]
    if not fetched or any(p not in FETCHES and p not in BESIDE for p in programs):
        return ""
    return fetched[0]


def _function_fetches(recipe: Recipe, call: Call) -> str:
    if not isinstance(call.node, ast.Call) or not call.node.args or recipe.source.tree is None:
        return ""
    first = call.node.args[0]
    bodies = {n.name: n for n in recipe.source.tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    body = bodies.get(first.id) if isinstance(first, ast.Name) else None
    if body is None or "cuda" in ast.unparse(body):
        return ""
    fetched = ""
    for inner in app.calls_in(body):
        name = app.dotted(inner.func)
        if DOWNLOADS.search(name):
            fetched = fetched or name
        elif not BESIDE_CALL.search(name):
            return ""
    return fetched
