"""What a shell string sets is used in that string.

Looks at
    Strings of `run_commands` that do nothing but `export`, `cd` or activate an environment.
Why it matters
    Each string has a shell of its own: what it sets is gone when the next one starts.
Example
    before   image.run_commands("export CC=gcc", "pip install mamba-ssm")
    after    image.env({"CC": "gcc"}).run_commands("pip install mamba-ssm")
Source
    modal 1.6.4 _image.py: each string becomes a RUN of its own.
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Fix,
    Link,
    Recipe,
    ShellCommand,
    counted,
    image_links,
    replaced,
    rule,
    shell_strings,
    warning,
)

SETS = frozenset({"export", "cd", "pushd", "source", ".", "conda", "set", "alias", "ulimit"})
LITERAL = re.compile(r"[^$`\\'\"]*")


def applies(recipe: Recipe) -> str:
    return counted(len(_strings(recipe)), "shell string")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for link, commands in _strings(recipe):
        if not all(_only_sets(c) for c in commands):
            continue
        first = commands[0]
        what = {"export": "the variable", "cd": "the folder", "pushd": "the folder"}.get(first.words[0], "it")
        yield warning(
            f"`{' '.join(first.text.split())[:60]}` stands alone in its string: {what} is gone in the next one",
            _remedy(first),
            first.where,
            why="the steps after it run without it, and fail or build something else",
            fix=_fix(link, commands),
        )


def _strings(recipe: Recipe) -> list[tuple[Link, tuple[ShellCommand, ...]]]:
    return [(link, c) for link in image_links(recipe) for c in shell_strings(link.step)]


def _only_sets(command: ShellCommand) -> bool:
    words = command.words
    if not words or words[0] not in SETS or command.redirects:
        return False
    if words[0] == "conda":
        return words[1:2] == ("activate",)
    if words[0] in ("source", "."):
        return any("activate" in w for w in words[1:])
    return True


def _remedy(command: ShellCommand) -> str:
    if command.words[0] == "export":
        return "set it with .env({…}) before the steps that need it"
    if command.words[0] in ("cd", "pushd"):
        return "use .workdir(…), or `cd … &&` in the string that needs it"
    return "put it in the string that needs it, with &&"


def _fix(link: Link, commands: tuple[ShellCommand, ...]) -> Fix | None:
    """``.run_commands("export A=1")`` becomes ``.env({"A": "1"})`` when that is all the step does."""
    step, source = link.step, link.image.source
    if step.method != "run_commands" or len(step.arg_spans) != 1 or step.kwargs or step.link is None:
        return None
    if step.where.path != source.path or not source.text.startswith(".", step.link.start):
        return None
    if "#" in source.text[step.link.start : step.link.end] or len(list(shell_strings(step))) != 1:
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
    return replaced(source.path, step.link, f".env({{{', '.join(pairs)}}})", is_safe=True)


CHECK = rule(
    id="IMG871",
    name="shl-export-lost",
    title="what a shell string sets is used in that string",
    find=find,
    applies=applies,
)
