"""`preflight run` and `preflight check`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from preflight.cli.running.conduct import Options, conduct
from preflight.cli.running.options import parse_dollars, shown_options, split
from preflight.model import Stage, Status

F = TypeVar("F", bound=Callable[..., Any])


def run_options(command: F) -> F:
    """What `run` and `check` share: fields of Options, by their names."""
    for option in (
        click.option("-e", "--environment", metavar="ENV", help="Modal environment."),
        click.option(
            "--fail-on",
            type=click.Choice(["warn", "fail"]),
            callback=lambda ctx, param, value: value and Status(value),
            help="What makes the exit code 1.  [default: fail, or the configuration]",
        ),
        click.option(
            "--timeout", "timeout_s", type=click.FloatRange(min=0, min_open=True), help="Seconds for the whole run."
        ),
        click.option(
            "--wait",
            "wait_s",
            type=click.FloatRange(min=0),
            default=0.0,
            help="Seconds to go on asking what may become true by itself.",
        ),
        click.option(
            "--spend-max",
            metavar="USD",
            callback=parse_dollars,
            help="Dollars that paid checks may spend.  [default: 2.00]",
        ),
        click.option(
            "--record",
            "is_recorded",
            is_flag=True,
            help="Also let the real client render the app (runs its top level).",
        ),
        click.option("--scenario", metavar="NAME", help="The sandbox's world; see `preflight sandbox --list`."),
        click.option("--sandbox", "is_sandbox", is_flag=True, help="Against a local Modal and S3; no account needed."),
        click.option("--unconfined", "is_unconfined", is_flag=True, help="Rehearse also where it can't be confined."),
    ):
        command = option(command)
    return shown_options(command)


@click.command("run")
@click.argument("app", required=False)
@click.option("--all", "is_for_all", is_flag=True, help="Every Modal app of the project, in one report.")
@click.option(
    "--only",
    metavar="IDS",
    multiple=True,
    callback=split,
    help="Only these checks: ids or names, by comma or repeated.",
)
@click.option("--skip", metavar="IDS", multiple=True, callback=split, help="Without these checks.")
@click.option(
    "--stage",
    type=click.Choice([s.value for s in Stage]),
    callback=lambda ctx, param, value: value and Stage(value),
    help="Go no further than this.  [default: paid, or the configuration]",
)
@run_options
def run_command(app: str | None, is_for_all: bool, **given: Any) -> int:
    """Work through the whole checklist for APP, and say READY or the one next command.

    APP is the app's Python file; without it, `[tool.preflight] app`, or the one Modal app of the project.
    """
    if is_for_all and app is not None:
        raise click.UsageError(f"--all takes every app of the project; leave out {app}, or --all")
    return conduct(Options(app=app, is_for_all=is_for_all, **given))


@click.command("check")
@click.argument("check", metavar="ID_OR_NAME")
@click.argument("app", required=False)
@run_options
def check_command(check: str, app: str | None, **given: Any) -> int:
    """Run one check, by id (MOD001), name (modal-auth) or step (2)."""
    return conduct(Options(app=app, only=(check,), **given))
