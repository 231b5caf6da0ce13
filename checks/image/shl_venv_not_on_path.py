"""A virtual environment that the image makes is on PATH, or named where it is used.

Looks at
    `python -m venv`, `virtualenv` and `uv venv` in shell strings whose folder is neither in an `.env({"PATH": …})`
    nor named with `/bin/` anywhere else in the file.
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

from preflight.api import Context, Finding, Link, Recipe, ShellCommand, counted, image_links, program_of, rule, warning


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
        if used.search(link.image.source.text):
            continue
        yield warning(
            f"the environment {folder} is made and never put on PATH",
            f'add .env({{"PATH": "{folder.rstrip("/")}/bin:$PATH"}}) after it',
            command.where,
            why="later steps and the functions run another Python, without its packages",
        )


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
