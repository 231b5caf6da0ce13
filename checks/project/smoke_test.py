"""The smoke test has passed for this very app.

Looks at: `[tool.preflight.smoke] command`, run in the project's folder: its exit code, its output streamed, its log
    kept. A pass is remembered for exactly these files (those of the project, and those that the app adds from
    elsewhere), settings, variables, Image Builder and client, so that an unchanged app is not paid for twice.
    `[tool.preflight] outputs` names what the command itself writes into the project.
Why it matters: One short epoch on the real image and GPU finds what no static check can: the first batch, the first
    backward, the first checkpoint.
How to fix: Read the first cause in the log: `preflight diagnose LOG` names it and its cure.
Source: The seed checklist (step 7): 1 epoch, about 15 minutes.
"""

from decimal import Decimal
from pathlib import Path

from preflight.api import error
from preflight.app.lookups import RECIPE, NoFunction, function_named
from preflight.app.model import Recipe
from preflight.changes import Group
from preflight.cost.estimate import estimate
from preflight.cost.rates import CURRENT_RATES, RateRefused
from preflight.cost.resources import NotSaid, resources_of
from preflight.diagnosis import first_cause
from preflight.lookups import Looked, LookupFailed
from preflight.model import Answer, Check, NotApplicable, Price, Stage
from preflight.process import run_command
from preflight.remote.lookups import CLIENT, HERE, RESOLVED_BUILDER, WORKSPACE
from preflight.remote.modal_types import Here
from preflight.settings import folder_of
from preflight.state.receipt import Pass, recall, remember
from preflight.state.sources import TooLarge
from preflight.state.vector import can_miss, fingerprint
from preflight.state.watched import watched

SHOWN_LINES = 12
TAIL_LINES = 60  # kept as data: where a log is kept too, it holds them all


async def price(looked: Looked) -> Price | NotApplicable:
    smoke = looked.settings.smoke
    if smoke.command is None:
        return NotApplicable("no command is set in [tool.preflight.smoke]")
    known = _remembered(looked)
    if known is not None:
        return Price(Decimal(0), f"passed on {known.at:%Y-%m-%d %H:%M} UTC for this very app")
    function = function_named(looked.required(RECIPE), smoke.function or looked.settings.budget.function)
    hours = Decimal(str(smoke.minutes)) / 60
    try:
        cost = estimate(resources_of(function), looked[CURRENT_RATES], hours)
    except (RateRefused, NotSaid, NoFunction) as e:
        raise NotSaid(f"{e}; set [tool.preflight.smoke] function") from e
    return Price(cost.usd, f"{smoke.minutes:g} min of {cost.gpu or 'CPU'} at ${cost.usd_per_hour:.2f}/h")


async def run(looked: Looked) -> Answer | NotApplicable:
    settings = looked.settings
    if settings.smoke.command is None:
        return NotApplicable("no command is set in [tool.preflight.smoke]")
    before, why_not = _fingerprint(looked)
    known = _remembered(looked)
    if known is not None:
        said = f"passed on {known.at:%Y-%m-%d %H:%M} UTC for this very app: {known.summary}"
        return Answer(summary=said, seen={"remembered": True, "at": known.at.isoformat()}, spent_usd=Decimal(0))
    ran = await run_command(
        settings.smoke.command,
        cwd=settings.project,
        environ=settings.environ,
        timeout_s=settings.smoke.timeout_s,
        say=looked.say,
        log=_log(looked),
    )
    seen: dict[str, object] = {
        "remembered": False,
        "code": ran.code,
        "seconds": round(ran.seconds, 1),
        "log": ran.log and str(ran.log),
    }
    if ran.code == 0:
        said = f"`{settings.smoke.command}` passed in {ran.seconds:.0f} s"
        after, _ = _fingerprint(looked)
        if before is not None and before != after:
            why_not = "a file of the project changed while it ran ([tool.preflight] outputs names what is no source)"
        if settings.state is None:
            return Answer(summary=said, seen=seen)
        if before is None or before != after:
            return Answer(summary=f"{said}; not remembered: {why_not}", seen=seen)
        try:
            remember(settings.state, settings.project, Pass(CHECK.id, before, looked.now, said))
        except OSError as e:
            said = f"{said}; not remembered: {e}"
        return Answer(summary=said, seen=seen)
    cause = first_cause(ran.tail, ran.log)
    seen["tail"] = list(ran.tail[-TAIL_LINES:])
    read_on = f"preflight diagnose {ran.log}" if ran.log else "read the log's first error"
    finding = error(
        f"`{settings.smoke.command}` {ran.outcome}" + (f": {cause.title}" if cause else ""),
        cause.remedy if cause else read_on,
        why="the long run would end the same way, after the same image build",
        evidence=tuple(cause.excerpt.splitlines()) if cause else ran.tail[-SHOWN_LINES:],
    )
    if cause is not None:
        seen |= {"cause": cause.rule, "line": cause.line}
    return Answer(summary=f"`{settings.smoke.command}` {ran.outcome}", seen=seen, findings=(finding,))


def _remembered(looked: Looked) -> Pass | None:
    now, _ = _fingerprint(looked)
    if looked.settings.state is None or now is None:
        return None
    return recall(looked.settings.state, looked.settings.project, CHECK.id, now)


def _fingerprint(looked: Looked) -> tuple[str | None, str]:
    """None, and why, when a change could be missed: then nothing is remembered, and the test is run."""
    settings = looked.settings
    here, builder, recipe = looked.tried(HERE), looked.tried(RESOLVED_BUILDER), looked.tried(RECIPE)
    for each in (here, builder, recipe):
        if isinstance(each, LookupFailed):
            return None, str(each)
    assert isinstance(here, Here) and isinstance(recipe, Recipe) and settings.app is not None
    app = settings.project / settings.app
    taken = watched(recipe, project=settings.project, app=app, cwd=settings.project, environ=settings.environ)
    missed = can_miss(settings, taken)
    if missed:
        return None, f"{missed}; name it in [tool.preflight] watch"
    client = looked[CLIENT]
    facts = {
        "builder": str(builder),
        "client": settings.interpreter.version if settings.interpreter else client.version,
        "environment": here.name,
        "workspace": looked[WORKSPACE].name,
    }
    try:
        return fingerprint(settings, facts=facts, watched=taken), ""
    except TooLarge as e:
        return None, str(e)


def _log(looked: Looked) -> Path | None:
    state = looked.settings.state
    if state is None:
        return None
    return folder_of(state, looked.settings.project) / f"smoke-{looked.now:%Y%m%d-%H%M%S}.log"


CHECK = Check(
    id="PRJ002",
    step=7,
    stage=Stage.PAID,
    needs=(WORKSPACE, CLIENT, CURRENT_RATES),
    tries=(RECIPE, HERE, RESOLVED_BUILDER),
    run=run,
    runs_project=True,
    price=price,
    timeout_s=4 * 3600.0,
    about=(
        Group.PINS,
        Group.STEPS,
        Group.BUILDER,
        Group.FUNCTIONS,
        Group.SECRETS,
        Group.FILES,
        Group.SETTINGS,
        Group.CLIENT,
    ),
)
