"""A virtual environment that the image makes is on PATH, or named where it is used.

Looks at
    `python -m venv`, `virtualenv` and `uv venv` in shell strings whose folder is neither in an `.env({"PATH": …})`
    nor named with `/bin/` anywhere else in the file, and that no command of a function activates.
Why it matters
    Activating it in one string is lost in the next: the packages land in one Python and the functions run with
    another.
Example
    before   image.run_commands("python -m venv /opt/venv", "pip install torch")
    after    image.run_commands("python -m venv /opt/venv").env({"PATH": "/opt/venv/bin:$PATH"})
Source
    modal.com/docs/guide/images: each string is a RUN of its own; PATH with $PATH is expanded.
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Link,
    Recipe,
    ShellCommand,
    counted,
    image_links,
    program_of,
    rule,
    strings_in,
    syntax_of,
    warning,
)

SOURCED = re.compile(r"(?:\.|\bsource)\s+[\"']?([\w./~$-]+)/bin/activate\b[\"']?\s*(?:&&|;|\\n|\n)\s*[\w./]")


def applies(recipe: Recipe) -> str:
    return counted(len(_commands(recipe)), "shell command")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for link, command in _commands(recipe):
        folder = _made(command)
        if not folder or not link.image.is_complete:
            continue
        if any("PATH" in s.env or "VIRTUAL_ENV" in s.env or s.method == "uv_sync" for s in link.image.steps):
            continue
        used = re.compile(re.escape(folder.rstrip("/")) + r"/bin/(?!activate)")
        if used.search(link.image.source.text) or _is_sourced(folder, recipe):
            continue
        yield warning(
            f"the environment {folder} is made and never put on PATH",
            f'add .env({{"PATH": "{folder.rstrip("/")}/bin:$PATH"}}) after it',
            command.where,
            why="later steps and the functions run another Python, without its packages",
        )


def _is_sourced(folder: str, recipe: Recipe) -> bool:
    """A function's own command activates it and goes on: `cd /app && . venv/bin/activate && python train.py`."""
    name, syntax = folder.rstrip("/").rsplit("/", 1)[-1], syntax_of(recipe.source)
    calls = [s.call for i in recipe.images for s in i.steps if s.call is not None]
    for node in strings_in(recipe.source.tree) if syntax is not None and recipe.source.tree is not None else ():
        found, span = SOURCED.search(str(node.value)), syntax.span(node) if syntax is not None else None
        in_a_step = span is not None and any(c.start <= span.start < c.end for c in calls)
        if found is not None and found[1].rsplit("/", 1)[-1] == name and not in_a_step:
            return True
    return False


def _commands(recipe: Recipe) -> list[tuple[Link, ShellCommand]]:
    return [(link, c) for link in image_links(recipe) for c in link.step.shell]


def _made(command: ShellCommand) -> str:
    """The folder of the environment that the command makes; "" for other commands."""
    name, rest = program_of(command)
    if name.startswith("python") and rest[:2] == ("-m", "venv"):
        rest = rest[2:]
    elif name == "uv" and rest[:1] == ("venv",):
        rest = rest[1:]
    elif name != "virtualenv":
        return ""
    values = {"--python", "-p", "--prompt", "--index-url"}
    words = [w for n, w in enumerate(rest) if not w.startswith("-") and (n == 0 or rest[n - 1] not in values)]
    return words[0] if words else (".venv" if name == "uv" else "")


CHECK = rule(
    id="IMG872",
    name="shl-venv-not-on-path",
    title="a virtual environment that the image makes is on PATH",
    find=find,
    applies=applies,
)
