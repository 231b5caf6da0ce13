"""Nothing asks for a GPU while the image is built, unless the step has one.

Looks at   commands of `run_commands` and the body of `run_function` without `gpu=`.
Why        build steps run on machines without a GPU.  `assert torch.cuda.is_available()`, `nvidia-smi` or
           `.cuda()` fail there, after the minutes that the steps before took.
Before     .run_commands("python -c 'import torch; assert torch.cuda.is_available()'")
After      .run_commands("python -c 'import torch; print(torch.version.cuda)'")
           or .run_commands("…", gpu="T4") when the step must see a card
Source     modal.com/docs/guide/images, "Attach GPUs during setup"; brain-go-brr-v2 632da264, undone in c80b1d2b
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import Context, Finding, Image, Recipe, ShellCommand, Step, counted, error, over_images, rule

ASSERTED = re.compile(r"\bassert\s+(?:\(\s*)?torch\.cuda\.is_available\(\)")
NEEDS_GPU = re.compile(
    r"torch\.cuda\.(?:get_device_\w+|current_device|mem_get_info|synchronize|set_device)\(|\.cuda\(\)"
    r"|\.to\(\s*['\"]cuda(?::\d)?['\"]\s*\)|device\s*=\s*['\"]cuda(?::\d)?['\"]"
)
GUARD = re.compile(r"\bif\b.*is_available\(\)|is_available\(\)\s+(?:and|else)|\bexcept\b", re.DOTALL)


def applies(recipe: Recipe) -> str:
    n = sum(s.method in ("run_commands", "run_function") for i in recipe.images for s in i.steps)
    return counted(n, "step that runs code", "steps that run code")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for step in image.steps:
        if step.method not in ("run_commands", "run_function") or step.kwargs.get("gpu") or "**" in step.kwargs:
            continue
        asking = next(((n, c.where) for c in step.shell if (n := _of_command(c))), ("", step.where))
        needs = asking[0] or _of_function(step)
        if needs:
            yield error(
                f"{step.method} has no gpu=, and it needs one: {needs}",
                'leave this out of the build, or give the step gpu="T4"',
                asking[1],
                why="the image build stops at this step; the steps before it have been paid for in minutes",
            )


def _of_command(command: ShellCommand) -> str:
    if command.operator == "||" or not command.words:
        return ""
    program = command.words[0].rsplit("/", 1)[-1]
    if program == "nvidia-smi":
        return "nvidia-smi"
    if not program.startswith("python"):
        return ""
    return _of_code(" ".join(command.words[1:]))


def _of_function(step: Step) -> str:
    node = getattr(step.args[0], "node", None) if step.args else None
    if step.method != "run_function" or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    return _of_code(ast.unparse(node))


def _of_code(code: str) -> str:
    asserted = ASSERTED.search(code)
    if asserted:
        return asserted[0]
    found = NEEDS_GPU.search(code)
    return found[0] if found and not GUARD.search(code) else ""


CHECK = rule(
    id="IMG060",
    name="ord-gpu-check-at-build",
    title="no build step without gpu= needs a GPU",
    find=find,
    applies=applies,
)
