"""`preflight estimate`: what a planned run will cost, and whether it will finish."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import click

from preflight.app.lookups import PLANNED_FUNCTION, RECIPE, NoFunction
from preflight.cli.running.options import Options, document_option, parse_dollars, print_document
from preflight.cli.running.rehearsal import standing
from preflight.cli.running.stderr import redactor
from preflight.cli.running.target import resolve_app, typed_here
from preflight.cost.document import document
from preflight.cost.pace import PatternRefused, pattern_of
from preflight.cost.reckoning import ASKED, reckon
from preflight.cost.resources import NotSaid, gpu_named
from preflight.discover.recorder import FILLED_RECIPE
from preflight.lookups import Looked, LookupFailed, Lookups, World
from preflight.remote.lookups import ENVIRONMENT, RATES, NoSuchEnvironment
from preflight.report.redacted import cleaned
from preflight.settings import BudgetSettings, Settings

MOST = 100_000  # hours, or minutes of an epoch


def _parse_amount(ctx: click.Context, param: click.Parameter, value: str | None) -> Decimal | None:
    """An option callback: a number above 0."""
    if value is None:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise click.BadParameter(f"{value!r} is not a number") from None
    if not number.is_finite() or not 0 < number <= MOST or number.adjusted() < -6:
        raise click.BadParameter(f"{value!r}; wanted more than 0, and {MOST:,} at most")
    return number


@click.command("estimate", short_help="What a run will cost, and whether it will finish.")
@click.argument("target", required=False, metavar="[APP[::FUNCTION]]")
@click.option("--hours", metavar="H", callback=_parse_amount, help="How long the run takes, start-up included.")
@click.option("--epochs", metavar="N", type=click.IntRange(1, 10**9), help="Instead: how many epochs it trains.")
@click.option(
    "--epoch-minutes",
    metavar="M",
    callback=_parse_amount,
    help="Minutes of one epoch; without it, what the smoke test's log shows.",
)
@click.option("--max-cost", metavar="USD", callback=parse_dollars, help="Dollars the run may cost: more is exit 1.")
@click.option("--gpu", metavar="TYPE", help="Priced instead of the function's own: A100-80GB, H100:8 …")
@click.option("-e", "--environment", metavar="ENV", help="Modal environment.")
@click.option("--sandbox", "is_sandbox", is_flag=True, help="Ask the local Modal; no account needed.")
@click.option("--scenario", metavar="NAME", help="The sandbox's world.")
@document_option("preflight.estimate/1")
def estimate_command(
    target: str | None,
    hours: Decimal | None,
    epochs: int | None,
    epoch_minutes: Decimal | None,
    max_cost: Decimal | None,
    gpu: str | None,
    environment: str | None,
    is_sandbox: bool,
    scenario: str | None,
    is_json: bool,
) -> int:
    """What a run of APP's FUNCTION will cost at Modal's live rates, and whether it fits its limits of money and time.

    Exit codes: 0 it fits, 1 over a limit or will not finish, 3 a rate, the request or the length is not known.
    """
    if hours is not None and (epochs is not None or epoch_minutes is not None):
        raise click.UsageError("--hours is the whole run; give it, or --epochs with --epoch-minutes")
    try:
        _ = gpu and gpu_named(gpu)
    except NotSaid as e:
        raise click.UsageError(f"--gpu: {e}") from e
    named, _, function = (target or "").partition("::")
    options = Options(app=named or None, environment=environment, is_sandbox=is_sandbox, scenario=scenario)
    with standing(options) as ground:
        settings = ground.settings
        budget = _budget(settings.budget, hours, epochs, epoch_minutes)
        budget = replace(
            budget,
            function=function or budget.function,
            usd=budget.usd if max_cost is None else max_cost,
        )
        settings = replace(settings, app=resolve_app(settings, options.app), budget=budget)
        _check_pattern(settings)
        looked = asyncio.run(_look(settings))
        _check_names(looked)
        app = settings.app if is_json or settings.app is None else typed_here(settings, settings.app)
        given = document(reckon(looked, gpu=gpu), app=app, sandbox=settings.sandbox)
        text = redactor().text
        live = looked.tried(RATES)
        if is_json:
            print_document(cleaned(given, text))
        else:
            from preflight.report.plain_console import stdout_console
            from preflight.report.screens.estimate import show

            why = text(live.why) if isinstance(live, LookupFailed) else ""
            show(stdout_console(), cleaned(given, text), rates_why=why)
        return int(given["exit"])


def _budget(
    budget: BudgetSettings, hours: Decimal | None, epochs: int | None, epoch_minutes: Decimal | None
) -> BudgetSettings:
    """The configured plan with the command line on top: --hours is all of it, --epochs puts away configured hours."""
    if hours is not None:
        return replace(budget, hours=hours, epochs=None, epoch_minutes=None)
    if epochs is None and epoch_minutes is None:
        return budget
    return replace(
        budget,
        hours=None,
        epochs=budget.epochs if epochs is None else epochs,
        epoch_minutes=budget.epoch_minutes if epoch_minutes is None else epoch_minutes,
    )


async def _look(settings: Settings) -> Looked:
    async with Lookups(World(now=datetime.now(UTC), settings=settings, instead={RECIPE: FILLED_RECIPE})) as lookups:
        return await lookups.see("estimate", (), ASKED)


def _check_pattern(settings: Settings) -> None:
    if settings.smoke.epoch_pattern is not None:
        try:
            pattern_of(settings.smoke.epoch_pattern)
        except PatternRefused as e:
            raise click.UsageError(f"{settings.read_from}: tool.preflight.smoke.{e}") from e


def _check_names(looked: Looked) -> None:
    """A function or an environment that is not there is the user's to name."""
    function, environment = looked.tried(PLANNED_FUNCTION), looked.tried(ENVIRONMENT)
    if isinstance(function, LookupFailed) and isinstance(function.__cause__, NoFunction):
        raise click.UsageError(function.why)
    if isinstance(environment, LookupFailed) and isinstance(environment.__cause__, NoSuchEnvironment):
        raise click.UsageError(environment.why)
