"""A virtual environment that the image makes is on PATH.

Looks at
    `python -m venv`, `virtualenv` and `uv venv` in shell strings whose folder is neither in an `.env({"PATH": …})`
    nor named with `/bin/` anywhere else in the file, and that no command of a function activates.
Why it matters
    Activating it in one string is lost in the next. The packages are installed in one Python and the functions run
    with another.
Example
    before   image.run_commands("python -m venv /opt/venv", "pip install torch")
    after    image.run_commands("python -m venv /opt/venv").env({"PATH": "/opt/venv/bin:$PATH"})
How to fix
    Add `.env({"PATH": "/opt/venv/bin:$PATH"})` after the step that makes it.
Source
    modal.com/docs/guide/images: each string is a RUN of its own; PATH with $PATH is expanded.
"""

import ast
import re

from preflight.api import Findings, Recipe, app, build, rule, warning
from preflight.rules.subjects import SHELL_COMMANDS, Shell, syntax

SOURCED = re.compile(r"(?:\.|\bsource)\s+[\"']?([\w./~$-]+)/bin/activate\b[\"']?\s*(?:&&|;|\\n|\n)\s*[\w./]")
VALUED = frozenset({"--python", "-p", "--prompt", "--index-url"})


@rule("IMG872", SHELL_COMMANDS)
def find(recipe: Recipe, shell: Shell) -> Findings:
    folder, image = _made(shell.command), shell.link.image
    if not folder or not image.is_complete:
        return
    if any("PATH" in s.env or "VIRTUAL_ENV" in s.env or s.method == "uv_sync" for s in image.steps):
        return
    used = re.compile(re.escape(folder.rstrip("/")) + r"/bin/(?!activate)")
    if not used.search(image.source.text) and not _is_sourced(folder, recipe):
        yield warning(
            f"the environment {folder} is made and never put on PATH",
            f'add .env({{"PATH": "{folder.rstrip("/")}/bin:$PATH"}}) after it',
            shell.command.where,
            why="later steps and the functions run another Python, without its packages",
        )


def _is_sourced(folder: str, recipe: Recipe) -> bool:
    """A function's own command activates it and goes on: `cd /app && . venv/bin/activate && python train.py`."""
    name, tree = folder.rstrip("/").rsplit("/", 1)[-1], syntax(recipe)
    calls = [s.call for i in recipe.images for s in i.steps if s.call is not None]
    for node in tree.every(ast.Constant):
        found = SOURCED.search(node.value) if isinstance(node.value, str) else None
        span = tree.span(node) if found is not None else None
        in_a_step = span is not None and any(c.start <= span.start < c.end for c in calls)
        if found is not None and found[1].rsplit("/", 1)[-1] == name and not in_a_step:
            return True
    return False


def _made(command: app.ShellCommand) -> str:
    """The folder of the environment that the command makes; "" for other commands."""
    name, rest = build.program_of(command)
    if name.startswith("python") and rest[:2] == ("-m", "venv"):
        rest = rest[2:]
    elif name == "uv" and rest[:1] == ("venv",):
        rest = rest[1:]
    elif name != "virtualenv":
        return ""
    words = [w for n, w in enumerate(rest) if not w.startswith("-") and (n == 0 or rest[n - 1] not in VALUED)]
    return words[0] if words else (".venv" if name == "uv" else "")
