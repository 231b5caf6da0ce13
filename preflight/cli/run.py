"""`preflight run` and `preflight check`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

import click

from preflight.cli.running.conduct import Options, conduct
from preflight.cli.running.options import given_words, output_options, parse_dollars, split_ids, wanted_outputs
from preflight.cli.running.outputs import Output
from preflight.model import Stage, Status

F = TypeVar("F", bound=Callable[..., Any])


def run_options(command: F) -> F:
    """What `run` and `check` share."""
    for option in (
        click.option("-e", "--environment", metavar="ENV", help="Modal environment."),
        click.option(
            "--fail-on",
            type=click.Choice(["warn", "fail"]),
            default="fail",
            help="What makes the exit code 1.  [default: fail, or the configuration]",
        ),
        click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds for the whole run."),
        click.option(
            "--wait",
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
        click.option("--record", is_flag=True, help="Also let the real client render the app (runs its top level)."),
        click.option("--scenario", metavar="NAME", help="The sandbox's world; see `preflight sandbox --list`."),
        click.option("--sandbox", "use_sandbox", is_flag=True, help="Against a local Modal and S3; no account needed."),
        click.option("--unconfined", "is_unconfined", is_flag=True, help="Rehearse also where it can't be confined."),
    ):
        command = option(command)
    return output_options(command)


@click.command("run")
@click.argument("app", required=False)
@click.option("--all", "is_for_all", is_flag=True, help="Every Modal app of the project, in one report.")
@click.option("--only", metavar="IDS", multiple=True, help="Only these checks: ids or names, by comma or repeated.")
@click.option("--skip", metavar="IDS", multiple=True, help="Without these checks.")
@click.option("--stage", type=click.Choice([s.value for s in Stage]), default="paid", help="Go no further than this.")
@run_options
def run_command(
    app: str | None, is_for_all: bool, only: tuple[str, ...], skip: tuple[str, ...], stage: str, **rest: Any
) -> int:
    """Work through the whole checklist for APP, and say READY or the one next command.

    APP is the app's Python file; without it, `[tool.preflight] app`, or the one Modal app of the project.
    """
    if is_for_all and app is not None:
        raise click.UsageError(f"--all takes every app of the project; leave out {app}, or --all")
    options = _options(app, only=split_ids(only), skip=split_ids(skip), stage=Stage(stage), **rest)
    return conduct(replace(options, is_for_all=is_for_all))


@click.command("check")
@click.argument("check", metavar="ID_OR_NAME")
@click.argument("app", required=False)
@run_options
def check_command(check: str, app: str | None, **rest: Any) -> int:
    """Run one check, by id (MOD001) or name (modal-auth)."""
    return conduct(_options(app, only=(check,), **rest))


def _options(
    app: str | None,
    *,
    use_sandbox: bool,
    is_unconfined: bool,
    scenario: str | None,
    spend_max: Decimal | None,
    wait: float,
    timeout: float | None,
    fail_on: str,
    environment: str | None,
    record: bool,
    outputs: tuple[Output, ...],
    as_json: bool,
    verbose: bool,
    quiet: bool,
    baseline: str | None,
    write_baseline: str | None,
    exit_zero: bool,
    only: tuple[str, ...] = (),
    skip: tuple[str, ...] = (),
    stage: Stage = Stage.PAID,
) -> Options:
    if scenario is not None and not use_sandbox:
        raise click.UsageError("--scenario belongs to --sandbox")
    return Options(
        app=app,
        is_sandbox=use_sandbox,
        is_unconfined=is_unconfined,
        scenario=scenario,
        only=only,
        skip=skip,
        stage=stage,
        spend_max=spend_max,
        wait_s=wait,
        timeout_s=timeout,
        fail_on=Status(fail_on),
        environment=environment,
        record=record,
        outputs=wanted_outputs(outputs, as_json),
        is_verbose=verbose,
        is_quiet=quiet,
        baseline=baseline,
        write_baseline=write_baseline,
        is_exit_zero=exit_zero,
        given=given_words(),
    )
