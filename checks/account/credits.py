"""The budget left covers the planned run.

Looks at
    What the planned run costs: its function's GPU, cores and memory at Modal's live rates, for
    `[tool.preflight.budget] hours`; the environment's budget and spend limit, what has been spent of them
    this cycle, and `[tool.preflight.budget] usd` if you set one.
Why it matters
    A run that reaches the spend limit is stopped where it stands; without a checkpoint its hours are lost.
How to fix
    Raise the environment's budget on Modal's usage page, or plan fewer hours.
    Modal publishes no remaining credit balance, by no call: this check never claims to know one.
Source
    Modal client 1.6.4: `Workspace.billing.rates`, budget fields of the environment list (measured 2026-11-23).
"""

from decimal import Decimal

from preflight.api import (
    CURRENT_RATES,
    ENVIRONMENT,
    PLANNED_FUNCTION,
    SPEND,
    Answer,
    Check,
    Environment,
    Estimate,
    Finding,
    Looked,
    LookupFailed,
    NotSaid,
    RateRefused,
    Severity,
    Stage,
    estimate,
    resources_of,
)

LONGEST_H = Decimal(24)  # Modal's own most for one call


async def run(looked: Looked) -> Answer:
    environment = looked[ENVIRONMENT]
    plan, why_not = _plan(looked)
    left, of = _left(environment, looked.settings.budget.usd)
    spend = looked.tried(SPEND)
    spent = environment.spent_usd if isinstance(spend, LookupFailed) else max(environment.spent_usd, spend.metered_usd)
    seen = {
        "environment": environment.name,
        "spent_usd": float(spent),
        "left_usd": None if left is None else float(left),
        "needed_usd": None if plan is None else float(plan.usd),
        "upper_bound_usd": None if plan is None else float(plan.upper_bound_usd),
        "rates": None if plan is None else plan.rates_source,
        "spend_limit_reached": environment.is_spend_limit_reached,
    }
    needs = f"the run needs about ${plan.usd:,.2f} ({_basis(plan)})" if plan else why_not
    have = f"${left:,.2f} left of {of}" if left is not None else f"${spent:,.2f} spent this cycle, no budget is set"
    said = f"{have}; {needs}"
    return Answer(said=said, seen=seen, findings=tuple(_wrong(environment, plan, why_not, left, of)))


def _wrong(
    environment: Environment, plan: Estimate | None, why_not: str, left: Decimal | None, of: str
) -> list[Finding]:
    findings = []
    if environment.is_spend_limit_reached:
        findings.append(
            Finding(
                severity=Severity.ERROR,
                message=f"environment {environment.name} has reached its spend limit",
                remedy="raise the limit on Modal's usage and billing page, or wait for the next cycle",
                why="Modal starts no container there until then",
                can_clear=True,
            )
        )
    if plan is None:
        findings.append(
            Finding(
                severity=Severity.WARNING,
                message=f"what the run will cost is not known: {why_not}",
                remedy="set function and hours in [tool.preflight.budget]",
                why="the budget can't be compared with it",
            )
        )
        return findings
    if left is None:
        findings.append(
            Finding(
                severity=Severity.WARNING,
                message=f"no budget is set, so ${plan.usd:,.2f} can't be compared with one",
                remedy="set [tool.preflight.budget] usd, or a budget for the environment on Modal's usage page",
                why="Modal does not publish how much credit is left",
            )
        )
    elif left < plan.usd:
        findings.append(
            Finding(
                severity=Severity.ERROR,
                message=f"${left:,.2f} is left of {of}; the run needs about ${plan.usd:,.2f} ({_basis(plan)})",
                remedy=f"raise the budget by ${plan.usd - left:,.2f}, or plan fewer hours",
                why="Modal stops the run where it stands when the limit is reached",
                can_clear=True,
            )
        )
    if plan.rates_source != "live":
        findings.append(
            Finding(
                severity=Severity.WARNING,
                message=f"the price is from {plan.rates_source}: live rates can't be had",
                remedy="modal billing rates",
            )
        )
    return findings


def _plan(looked: Looked) -> tuple[Estimate | None, str]:
    function, rates = looked.tried(PLANNED_FUNCTION), looked.tried(CURRENT_RATES)
    budget = looked.settings.budget
    if isinstance(function, LookupFailed):
        return None, function.why
    if isinstance(rates, LookupFailed):
        return None, rates.why
    hours = budget.hours
    if hours is None and budget.epochs is not None and budget.epoch_minutes is not None:
        hours = budget.epochs * budget.epoch_minutes / 60
    if hours is None:
        return None, "how long it will take is not set"
    try:
        return estimate(resources_of(function), rates, hours), ""
    except (RateRefused, NotSaid, ValueError) as e:
        return None, str(e)


def _left(environment: Environment, allowed: Decimal | None) -> tuple[Decimal | None, str]:
    """The least of what may still be spent, and of what: None when nothing limits it."""
    limits = []
    if environment.budget_usd is not None:
        limits.append((environment.budget_usd - environment.spent_usd, f"the ${environment.budget_usd:,.2f} budget"))
    if environment.spend_limit_usd is not None:
        left = environment.spend_limit_usd - environment.spent_usd
        limits.append((left, f"the ${environment.spend_limit_usd:,.2f} spend limit"))
    if allowed is not None:
        limits.append((allowed, f"the ${allowed:,.2f} you allow"))
    return min(limits) if limits else (None, "")


def _basis(plan: Estimate) -> str:
    return f"{plan.hours:g} h of {plan.gpu or 'CPU'} at ${plan.usd_per_hour:.2f}/h"


CHECK = Check(
    id="MOD003",
    name="credits",
    title="the budget left covers the planned run",
    step=5,
    stage=Stage.REMOTE,
    needs=(ENVIRONMENT,),
    tries=(PLANNED_FUNCTION, CURRENT_RATES, SPEND),
    run=run,
    timeout_s=25.0,
)
