"""The whole answer to "what will it cost, and will it finish": one reckoning for the command and for MOD003."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from preflight.app.lookups import PLANNED_FUNCTION, RECIPE, NoFunction, function_named
from preflight.app.model import Function, Known, Recipe, Unresolved
from preflight.cost.estimate import HOUR_S, Estimate, estimate
from preflight.cost.keeping import Keeping, Resumes, keeping_of
from preflight.cost.plan import STARTUP_MINUTES, Outlook, Work, fits_one_attempt, outlook
from preflight.cost.rates import CURRENT_RATES, RateRefused
from preflight.cost.resources import NotSaid, resources_of
from preflight.facts.gpus import gpu as gpu_row
from preflight.facts.gpus import gpu_names
from preflight.facts.images import limit
from preflight.lookups import Looked, LookupFailed
from preflight.remote.lookups import ENVIRONMENT, RATES, SPEND
from preflight.remote.modal_types import Environment, Spend
from preflight.settings import BudgetSettings, Settings


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """Dollars of the running cycle.  ``left_usd`` is None when nothing that is known limits it; ``of`` names the
    limit that leaves least.  ``spent_usd`` is the greater of the environment's and the workspace's.  ``unknown`` says
    why it could not be asked.
    """

    environment: str | None = None
    spent_usd: Decimal | None = None
    left_usd: Decimal | None = None
    of: str = ""
    is_limit_reached: bool = False
    unknown: str = ""
    is_unclear: bool = False  # it was asked, and its amounts are none

    @property
    def text(self) -> str:
        if self.left_usd is not None and self.left_usd < 0:
            return f"nothing is left of {self.of}, ${-self.left_usd:,.2f} more is spent"
        if self.left_usd is not None:
            return f"${self.left_usd:,.2f} left of {self.of}"
        spent = "" if self.spent_usd is None else f"${self.spent_usd:,.2f} spent this cycle, "
        return f"{spent}no budget is set" if not self.unknown else "the budget could not be read"


def allowance(
    environment: Environment | LookupFailed, spend: Spend | LookupFailed, allowed_usd: Decimal | None
) -> Allowance:
    """The least of the environment's budget, the workspace's spend limit and what the user allows.

    A spend limit below the environment's budget is the workspace's: all that its environments have spent counts.
    """
    limits = [] if allowed_usd is None else [(allowed_usd, f"the ${allowed_usd:,.2f} you allow")]
    unknown = environment.why if isinstance(environment, LookupFailed) else ""
    if not isinstance(environment, LookupFailed) and environment.unclear:
        unknown = f"the amounts of environment {environment.name} make no sense: {environment.unclear}"
    if isinstance(environment, LookupFailed) or unknown:
        left, of = min(limits, default=(None, ""))
        name = None if isinstance(environment, LookupFailed) else environment.name
        return Allowance(environment=name, left_usd=left, of=of, unknown=unknown, is_unclear=name is not None)
    budget, limit, spent = environment.budget_usd, environment.spend_limit_usd, environment.spent_usd
    if budget is not None:
        limits.append((budget - spent, f"the ${budget:,.2f} budget"))
    if limit is not None and (budget is None or limit < budget):
        of_all = max(spent, environment.workspace_spent_usd)
        limits.append((limit - of_all, f"the ${limit:,.2f} spend limit of the workspace"))
    left, of = min(limits, default=(None, ""))
    return Allowance(
        environment=environment.name,
        spent_usd=spent if isinstance(spend, LookupFailed) else max(spent, spend.metered_usd),
        left_usd=left,
        of=of,
        is_limit_reached=environment.is_spend_limit_reached,
    )


ASKED = (RECIPE, PLANNED_FUNCTION, CURRENT_RATES, RATES, ENVIRONMENT, SPEND)
HOW_LONG = "give --hours, or --epochs with --epoch-minutes; or set hours in [tool.preflight.budget]"


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """``price`` is None when ``refused`` says why there is none, and ``remedy`` what to do about it.

    ``impossible`` says why Modal will refuse the function, whatever it costs.
    """

    function: str | None = None
    price: Estimate | None = None
    work: Work | None = None
    outlook: Outlook | None = None
    allowance: Allowance = field(default_factory=Allowance)
    assumptions: tuple[str, ...] = ()
    refused: str = ""
    remedy: str = ""
    impossible: str = ""
    at_most: Estimate | None = None  # where only the length is not known: every attempt to its time limit

    @property
    def needed_usd(self) -> Decimal | None:
        """The plan with the start-ups and the repeated work of every attempt that it takes."""
        if self.price is None:
            return None
        whole = None if self.outlook is None else self.outlook.usd
        return self.price.usd if whole is None else max(whole, self.price.usd)

    @property
    def over_usd(self) -> Decimal:
        """By how much the plan is more than what is left; 0 when it fits, or when nothing limits it."""
        if self.needed_usd is None or self.allowance.left_usd is None:
            return Decimal(0)
        return max(Decimal(0), self.needed_usd - self.allowance.left_usd)


def reckon(looked: Looked, *, gpu: str | None = None, is_brief: bool = False) -> Reckoning:
    """From lookups that were tried (``ASKED``); ``gpu`` is asked for instead of the function's own.

    ``is_brief`` leaves it open whether a run resumes that is over well within one attempt.
    """
    reckoned = _reckoned(looked, gpu, is_brief=is_brief)
    function, most_s = looked.tried(PLANNED_FUNCTION), limit("timeout_s").most
    if isinstance(function, Function) and isinstance(function.timeout_s, Known) and function.timeout_s.value > most_s:
        given = f"timeout= of {function.name} is {function.timeout_s.value / 3600:g} h"
        message = f"{given}; Modal's limit is {most_s / 3600:g} h: the deploy is refused"
        return replace(reckoned, impossible=message, remedy=f"set timeout={most_s:g}, and resume from a checkpoint")
    return reckoned


def _reckoned(looked: Looked, gpu: str | None, *, is_brief: bool) -> Reckoning:
    settings = looked.settings
    environment, spend = looked.tried(ENVIRONMENT), looked.tried(SPEND)
    left = allowance(environment, spend, settings.budget.usd)
    function, recipe = looked.tried(PLANNED_FUNCTION), looked.tried(RECIPE)
    if isinstance(function, LookupFailed) or isinstance(recipe, LookupFailed):
        why = function.why if isinstance(function, LookupFailed) else "the app was not read"
        return Reckoning(allowance=left, refused=why, remedy="name the function: preflight estimate APP::FUNCTION")
    rates = looked.tried(CURRENT_RATES)
    if isinstance(rates, LookupFailed):
        message = f"there is no price: {rates.why}"
        return Reckoning(function=function.name, allowance=left, refused=message, remedy="modal billing rates")
    work = work_of(settings, function, recipe, gpu)
    try:
        resources = resources_of(function, gpu=gpu, recipe=recipe)
        if isinstance(work, str):
            bound = estimate(resources, rates, Fraction(resources.timeout_s) / HOUR_S * resources.attempts)
            return Reckoning(function=function.name, allowance=left, refused=work, remedy=HOW_LONG, at_most=bound)
        price = estimate(resources, rates, work.hours)
    except RateRefused as e:
        unknown = next((k for k, _ in resources.gpus if gpu_row(k) is None), None)
        if unknown is not None:
            message, near = f"Modal has no GPU {unknown!r}", difflib.get_close_matches(unknown, gpu_names(), n=1)
            remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(gpu_names())}"
            return Reckoning(function=function.name, allowance=left, refused=message, remedy=remedy)
        return Reckoning(function=function.name, allowance=left, refused=str(e), remedy="modal billing rates")
    except (NotSaid, ValueError) as e:
        remedy = "write the value into the decorator" + (
            ", or give --gpu" if isinstance(function.gpu, Unresolved) else ""
        )
        return Reckoning(function=function.name, allowance=left, refused=str(e), remedy=remedy)
    given = () if gpu is None else (f"the run takes as long on {gpu} as was planned for the function's own GPU",)
    is_over = is_brief and fits_one_attempt(work, resources)
    keeping = Keeping(Resumes.UNKNOWN, "not looked at") if is_over else keeping_of(function, recipe, settings.project)
    seen = outlook(work, resources, keeping, price.exact_usd_per_hour)
    return Reckoning(
        function=function.name,
        price=price,
        work=work,
        outlook=seen,
        allowance=left,
        assumptions=(*price.assumptions, *given, *seen.assumptions),
    )


def work_of(settings: Settings, function: Function, recipe: Recipe, gpu: str | None) -> Work | str:
    """How long the run will take, as it was given or measured; or why that is not known."""
    budget = settings.budget
    try:
        startup, assumed = _startup(budget)
        if budget.epochs is not None and budget.epochs < 1:
            return f"{budget.epochs} epochs; wanted at least 1"
        if budget.hours is not None:
            hours = _checked(budget.hours, "hours")
            return Work(
                hours=hours,
                basis=f"{_plain(budget.hours)} h as given",
                epochs=budget.epochs,
                epoch_hours=hours / budget.epochs if budget.epochs else None,
                has_startup=True,
                startup_hours=startup,
                assumptions=assumed,
            )
        if budget.epochs is None:
            return "how long it will take is not set"
        epoch_hours, basis, more = _epoch(budget, settings, function, recipe, gpu)
        return Work(
            hours=epoch_hours * budget.epochs,
            basis=f"{budget.epochs:,} epochs of {basis}",
            epochs=budget.epochs,
            epoch_hours=epoch_hours,
            startup_hours=startup,
            assumptions=(*assumed, *more),
        )
    except ValueError as e:
        return str(e)


def _startup(budget: BudgetSettings) -> tuple[Fraction, tuple[str, ...]]:
    """Hours of every attempt before its first step.  Raises NotSaid."""
    given = budget.startup_minutes
    if given is None:
        return Fraction(STARTUP_MINUTES) / 60, (f"every attempt takes {STARTUP_MINUTES} min before its first step",)
    return (_checked(given, "minutes of start-up") if given else Fraction(0)) / 60, ()


def _epoch(
    budget: BudgetSettings, settings: Settings, function: Function, recipe: Recipe, gpu: str | None
) -> tuple[Fraction, str, tuple[str, ...]]:
    """Hours of an epoch, how that is known, and what it takes for granted.  Raises NotSaid."""
    if budget.epoch_minutes is not None:
        minutes = _checked(budget.epoch_minutes, "minutes of an epoch")
        return minutes / 60, f"{_plain(budget.epoch_minutes)} min as given", ()
    from preflight.cost.pace import NoPace, measured  # its patterns cost 30 ms, and most plans need none of them

    found = measured(settings)
    if isinstance(found, NoPace):
        raise NotSaid(f"how long an epoch takes is not known: {found.why}")
    _same_gpu(settings, function, recipe, gpu)
    seconds = found.pace.epoch_s
    basis = f"{found.pace.basis} of {found.log.name}"
    if seconds is None:
        assert found.pace.step_s is not None
        if not budget.steps_per_epoch:
            raise NotSaid(f"{basis} shows the time of a step; set steps-per-epoch in [tool.preflight.budget]")
        seconds = found.pace.step_s * budget.steps_per_epoch
    text = f"{float(seconds / 60):.3g} min, measured on {found.at:%Y-%m-%d} ({basis})"
    return seconds / 3600, text, ("every epoch takes what the smoke test's log shows, validation and saving included",)


def _same_gpu(settings: Settings, function: Function, recipe: Recipe, gpu: str | None) -> None:
    """Raises NotSaid when the smoke test is known to run on another GPU than the plan."""
    name = settings.smoke.function
    try:
        smoke = function if name is None else function_named(recipe, name)
        ran, planned = resources_of(smoke).gpus, resources_of(function, gpu=gpu).gpus
    except (NoFunction, NotSaid):
        return
    if set(ran) != set(planned):
        raise NotSaid(
            f"the smoke test runs on {_gpus(ran)}, the plan on {_gpus(planned)}: its pace says nothing about that one"
        )


def _gpus(found: tuple[tuple[str, int], ...]) -> str:
    return " or ".join(f"{kind}:{count}" if count > 1 else kind for kind, count in found) or "no GPU"


def _checked(number: Decimal, what: str) -> Fraction:
    if not 0 < number <= 100_000 or number.adjusted() < -6:
        raise NotSaid(f"{number} {what}; wanted more than 0, and 100,000 at most")
    return Fraction(number)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
