"""What a shell string sets is used in that string.

Looks at
    Strings of `run_commands` that do nothing but `export`, `cd` or activate an environment.
Why it matters
    Each string has a shell of its own: what it sets is gone when the next one starts.
Example
    before   image.run_commands("export CC=gcc", "pip install mamba-ssm")
    after    image.env({"CC": "gcc"}).run_commands("pip install mamba-ssm")
How to fix
    Set variables with `.env({…})`, the folder with `.workdir(…)`, and join what belongs together with `&&`.
Source
    modal 1.6.4 _image.py: each string becomes a RUN of its own.
"""

import re

from preflight.api import Findings, Fix, Link, Recipe, app, build, rule, warning
from preflight.rules.subjects import SHELL_STRINGS

SETS = frozenset({"export", "cd", "pushd", "source", ".", "conda", "set", "alias", "ulimit"})
LITERAL = re.compile(r"[^$`\\'\"]*")
REMEDIES = {
    "export": ("the variable", "set it with .env({…}) before the steps that need it"),
    "cd": ("the folder", "use .workdir(…), or `cd … &&` in the string that needs it"),
    "pushd": ("the folder", "use .workdir(…), or `cd … &&` in the string that needs it"),
}
OTHERWISE = ("it", "put it in the string that needs it, with &&")


@rule("IMG871", SHELL_STRINGS)
def find(recipe: Recipe, string: tuple[Link, tuple[app.ShellCommand, ...]]) -> Findings:
    link, commands = string
    if not all(_only_sets(c) for c in commands):
        return
    first = commands[0]
    what, remedy = REMEDIES.get(first.words[0], OTHERWISE)
    yield warning(
        f"`{' '.join(first.text.split())[:60]}` stands alone in its string: {what} is gone in the next one",
        remedy,
        first.where,
        why="the steps after it run without it, and fail or build something else",
        fix=_fix(link, commands),
    )


def _only_sets(command: app.ShellCommand) -> bool:
    words = command.words
    if not words or words[0] not in SETS or command.redirects:
        return False
    if words[0] == "conda":
        return words[1:2] == ("activate",)
    return words[0] not in ("source", ".") or any("activate" in w for w in words[1:])


def _fix(link: Link, commands: tuple[app.ShellCommand, ...]) -> Fix | None:
    """``.run_commands("export A=1")`` becomes ``.env({"A": "1"})`` when that is all the step does."""
    step, source = link.step, link.image.source
    if step.method != "run_commands" or len(step.arg_spans) != 1 or step.kwargs or step.link is None:
        return None
    if step.where.path != source.path or not source.text.startswith(".", step.link.start):
        return None
    if "#" in source.text[step.link.start : step.link.end] or len(list(build.shell_strings(step))) != 1:
        return None
    pairs = []
    for command in commands:
        if command.words[0] != "export" or len(command.words) < 2:
            return None
        for word in command.words[1:]:
            name, equals, value = word.partition("=")
            if not equals or not LITERAL.fullmatch(value):
                return None
            pairs.append(f'"{name}": "{value}"')
    return app.replaced(source.path, step.link, f".env({{{', '.join(pairs)}}})", is_safe=True)
