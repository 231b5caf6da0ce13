"""No build step without gpu= needs a GPU.

Looks at
    Commands of `run_commands` and the body of `run_function` without `gpu=`.
Why it matters
    Build steps run on machines without a GPU. `assert torch.cuda.is_available()`, `nvidia-smi` or `.cuda()` fail
    there, after the minutes that the steps before took.
Example
    before   .run_commands("python -c 'import torch; assert torch.cuda.is_available()'")
    after    .run_commands("python -c 'import torch; print(torch.version.cuda)'")
             or .run_commands("…", gpu="T4") when the step must see a card
How to fix
    Leave the check out of the build, or give the step `gpu="T4"`.
Source
    modal.com/docs/guide/images, "Attach GPUs during setup"; brain-go-brr-v2 632da264, undone in c80b1d2b
"""

import ast
import re

from preflight.api import Findings, Link, Recipe, app, error, rule
from preflight.app.syntax import Def
from preflight.rules.subjects import STEPS

ASSERTED = re.compile(r"\bassert\s+(?:\(\s*)?torch\.cuda\.is_available\(\)")
NEEDS_GPU = re.compile(
    r"torch\.cuda\.(?:get_device_\w+|current_device|mem_get_info|synchronize|set_device)\(|\.cuda\(\)"
    r"|\.to\(\s*['\"]cuda(?::\d)?['\"]\s*\)|device\s*=\s*['\"]cuda(?::\d)?['\"]"
)
GUARD = re.compile(r"\bif\b.*is_available\(\)|is_available\(\)\s+(?:and|else)|\bexcept\b", re.DOTALL)
RUNNING = STEPS.only(lambda k: k.step.method in ("run_commands", "run_function"), "step that runs code")


@rule("IMG060", RUNNING)
def find(recipe: Recipe, link: Link) -> Findings:
    step = link.step
    if step.kwargs.get("gpu") or "**" in step.kwargs:
        return
    needs, where = next(((n, c.where) for c in step.shell if (n := _of_command(c))), (_of_function(step), step.where))
    if needs:
        yield error(
            f"{step.method} has no gpu=, and it needs one: {needs}",
            'leave this out of the build, or give the step gpu="T4"',
            where,
            why="the image build stops at this step; the steps before it have been paid for in minutes",
        )


def _of_command(command: app.ShellCommand) -> str:
    if command.operator == "||" or not command.words:
        return ""
    program = command.words[0].rsplit("/", 1)[-1]
    if program == "nvidia-smi":
        return program
    return _of_code(" ".join(command.words[1:])) if program.startswith("python") else ""


def _of_function(step: app.Step) -> str:
    node = getattr(step.args[0], "node", None) if step.args else None
    return _of_code(ast.unparse(node)) if step.method == "run_function" and isinstance(node, Def) else ""


def _of_code(code: str) -> str:
    asserted = ASSERTED.search(code)
    if asserted:
        return asserted[0]
    found = NEEDS_GPU.search(code)
    return found[0] if found and not GUARD.search(code) else ""
