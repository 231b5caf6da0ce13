"""What the shell may complete: names of checks, scenarios, and functions behind APP::.  Nothing it does may fail."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click
from click.shell_completion import CompletionItem


def checks(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names and ids, also behind a comma."""
    from preflight.engine import index

    before, comma, word = incomplete.rpartition(",")
    with contextlib.suppress(Exception):
        return [
            CompletionItem(f"{before}{comma}{name}", help=check.title)
            for check in index.listed()
            for name in (check.name, check.id)
            if name.startswith(word)
        ]
    return []


def scenarios(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    with contextlib.suppress(Exception):
        from preflight.sandbox import worlds

        return [CompletionItem(name) for name in worlds.names() if name.startswith(incomplete)]
    return []


def functions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """``app.py::tr`` → ``app.py::train``; before the colons, files."""
    app, colons, word = incomplete.partition("::")
    if not colons:
        return [CompletionItem(incomplete, type="file")]
    with contextlib.suppress(Exception):
        from preflight.app import reader

        recipe = reader.read(Path(app), project=Path.cwd())
        return [CompletionItem(f"{app}::{f.name}") for f in recipe.functions if f.name.startswith(word)]
    return []


def wire(command: click.Command) -> None:
    """By the parameter's name: every command that has one completes it."""
    kinds = {"check": checks, "only": checks, "skip": checks, "scenario": scenarios, "target": functions}
    for param in command.params:
        if param.name in kinds:
            param._custom_shell_complete = kinds[param.name]
