"""`preflight run` and `preflight check`."""

from __future__ import annotations

from typing import Any

import click

from preflight.cli.running.conduct import conduct
from preflight.cli.running.options import Options, ids_option, run_options, shown_options, stage_option

record_option = click.option(
    "--record", "is_recorded", is_flag=True, help="Also let the real client render the app (runs its top level)."
)
unconfined_option = click.option(
    "--unconfined", "is_unconfined", is_flag=True, help="Rehearse also where it can't be confined."
)


@click.command("run")
@click.argument("app", required=False)
@click.option("--all", "is_for_all", is_flag=True, help="Every Modal app of the project, in one report.")
@ids_option("--only", help="Only these checks: ids or names, by comma or repeated.")
@ids_option("--skip", help="Without these checks.")
@stage_option(help="Go no further than this.  [default: paid, or the configuration]")
@record_option
@unconfined_option
@run_options
@shown_options
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
@record_option
@unconfined_option
@run_options
@shown_options
def check_command(check: str, app: str | None, **given: Any) -> int:
    """Run one check, by id (MOD001), name (modal-auth) or step (2)."""
    return conduct(Options(app=app, only=(check,), **given))
