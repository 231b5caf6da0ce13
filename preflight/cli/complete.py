"""What the shell may complete: checks, scenarios, tables, GPUs, files, and functions behind APP::."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

Words = Callable[[str], Iterator[CompletionItem]]


def checks(incomplete: str) -> Iterator[CompletionItem]:
    """Names and ids, also behind a comma."""
    from preflight.engine import index

    before, comma, word = incomplete.rpartition(",")
    for check in index.listed():
        for name in (check.name, check.id):
            if name.lower().startswith(word.lower()):
                yield CompletionItem(f"{before}{comma}{name}", help=check.title)


def scenarios(incomplete: str) -> Iterator[CompletionItem]:
    from preflight.sandbox import worlds

    yield from (CompletionItem(name) for name in worlds.names() if name.startswith(incomplete))


def functions(incomplete: str) -> Iterator[CompletionItem]:
    """``app.py::tr`` → ``app.py::train``; before the colons, files."""
    app, colons, word = incomplete.partition("::")
    if not colons:
        yield from files(incomplete)
        return
    from preflight.app import reader

    recipe = reader.read(Path(app), project=Path.cwd())
    yield from (CompletionItem(f"{app}::{f.name}") for f in recipe.functions if f.name.startswith(word))


def files(incomplete: str) -> Iterator[CompletionItem]:
    yield CompletionItem(incomplete, type="file")


def gpus(incomplete: str) -> Iterator[CompletionItem]:
    from preflight.facts.gpus import gpu_names

    yield from (CompletionItem(name) for name in gpu_names() if name.startswith(incomplete.upper()))


def tables(incomplete: str) -> Iterator[CompletionItem]:
    from preflight.facts.types import TABLES

    yield from (CompletionItem(table.name) for table in TABLES if table.name.startswith(incomplete))


BY_PARAMETER: dict[str, Words] = {
    **dict.fromkeys(("check", "only", "skip"), checks),
    "scenario": scenarios,
    "target": functions,
    **dict.fromkeys(("app", "apps", "logs", "files", "baseline", "write_baseline"), files),
    **dict.fromkeys(("gpu", "gpus"), gpus),
    "name": tables,
}


class Bash(BashComplete):
    """For bash `:` and `=` end a word: `app.py::tr` comes as three, and only what follows the colons is replaced."""

    def get_completion_args(self) -> tuple[list[str], str]:
        try:
            words = shlex.split(os.environ["COMP_WORDS"])
        except ValueError:  # a quotation mark that is still open
            words = os.environ["COMP_WORDS"].split()
        joined: list[str] = []
        for word in [*words, ""][: int(os.environ["COMP_CWORD"]) + 1]:
            if word == "=":
                continue
            if joined and ((word and not word.strip(":")) or joined[-1].endswith("::")):
                joined[-1] += word
            else:
                joined.append(word)
        return joined[1:-1], joined[-1]

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type},{item.value.rpartition('::')[2] if item.type == 'plain' else item.value}"


def register() -> None:
    add_completion_class(Bash)


def wire(command: click.Command) -> None:
    """By the parameter's name: every command that has one completes it."""
    for param in command.params:
        words = BY_PARAMETER.get(param.name or "")
        if words is not None and not (command.name == "diagnose" and isinstance(param, click.Option)):
            param._custom_shell_complete = _safely(words)


def _safely(words: Words) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        with contextlib.suppress(Exception):
            return [*words(incomplete)]
        return []

    return complete
