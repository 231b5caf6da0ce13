"""The budget left covers the planned run.

Looks at
    What the planned run costs: its function's GPU, cores and memory at Modal's live rates, for
    `[tool.preflight.budget] hours`, or epochs and their measured or given minutes; the environment's budget and
    spend limit, what has been spent of them this cycle, and `[tool.preflight.budget] usd` if you set one.
    Whether the plan fits into the function's time limit.
Why it matters
    A run that reaches the spend limit is stopped where it stands; without a checkpoint its hours are lost.
How to fix
    Raise the environment's budget on Modal's usage page, or plan fewer hours.
    `preflight estimate` shows the whole reckoning.
    Modal publishes no remaining credit balance, by no call: this check never claims to know one.
Source
    Modal client 1.6.4: `Workspace.billing.rates`, budget fields of the environment list (measured 2026-11-23).
"""

from preflight.api import (
    ASKED,
    CURRENT_RATES,
    ENVIRONMENT,
    PLANNED_FUNCTION,
    RATES,
    SPEND,
    Allowance,
    Answer,
    Check,
    Environment,
    Estimate,
    Finding,
    Finishes,
    Group,
    Looked,
    Outlook,
    Reckoning,
    Severity,
    Stage,
    reckon,
)


async def run(looked: Looked) -> Answer:
    environment = looked[ENVIRONMENT]
    reckoned = reckon(looked)
    price, left, needed = reckoned.price, reckoned.allowance, reckoned.needed_usd
    seen = {
        "environment": environment.name,
        "spent_usd": None if left.spent_usd is None else float(left.spent_usd),
        "left_usd": None if left.left_usd is None else float(left.left_usd),
        "needed_usd": None if needed is None else float(needed),
        "upper_bound_usd": None if price is None else float(price.upper_bound_usd),
        "rates": None if price is None else price.rates_source,
        "usd_per_hour": None if price is None else {k: float(v) for k, v in price.rates.items()},
        "finishes": None if reckoned.outlook is None else reckoned.outlook.finishes.value,
        "spend_limit_reached": environment.is_spend_limit_reached,
    }
    needs = f"the run needs about ${needed:,.2f} ({_basis(price)})" if price else reckoned.refused
    findings = [*_limit(environment), *_money(reckoned)]
    if reckoned.outlook is not None:
        findings += _time(reckoned.outlook)
    return Answer(said=f"{left.said}; {needs}", seen=seen, findings=tuple(findings))


def _limit(environment: Environment) -> list[Finding]:
    if not environment.is_spend_limit_reached:
        return []
    return [
        Finding(
            severity=Severity.ERROR,
            message=f"environment {environment.name} has reached its spend limit",
            remedy="raise the limit on Modal's usage and billing page, or wait for the next cycle",
            why="Modal starts no container there until then",
            can_clear=True,
        )
    ]


def _money(reckoned: Reckoning) -> list[Finding]:
    price, needed, left = reckoned.price, reckoned.needed_usd, reckoned.allowance
    if price is None or needed is None:
        return [
            Finding(
                severity=Severity.WARNING,
                message=f"what the run will cost is not known: {reckoned.refused}",
                remedy="set function and hours in [tool.preflight.budget]",
                why="the budget can't be compared with it",
            )
        ]
    findings = []
    if left.left_usd is None:
        findings.append(
            Finding(
                severity=Severity.WARNING,
                message=f"no budget is set, so ${needed:,.2f} can't be compared with one",
                remedy="set [tool.preflight.budget] usd, or a budget for the environment on Modal's usage page",
                why="Modal does not publish how much credit is left",
            )
        )
    elif reckoned.over_usd:
        findings.append(
            Finding(
                severity=Severity.ERROR,
                message=f"{left.said}; the run needs about ${needed:,.2f} ({_basis(price)})",
                remedy=f"raise the budget by ${reckoned.over_usd:,.2f}, or plan fewer hours",
                why="Modal stops the run where it stands when the limit is reached",
                can_clear=True,
            )
        )
    elif left.left_usd < price.upper_bound_usd:
        findings.append(_not_the_worst_case(left, price))
    if price.rates_source != "live":
        findings.append(
            Finding(
                severity=Severity.WARNING,
                message=f"the price is from {price.rates_source}: live rates can't be had",
                remedy="modal billing rates",
            )
        )
    return findings


def _not_the_worst_case(left: Allowance, price: Estimate) -> Finding:
    return Finding(
        severity=Severity.INFO,
        message=f"{left.said}, and the time limit of every attempt together costs ${price.upper_bound_usd:,.2f}",
        remedy="lower timeout= or retries=, or raise the budget",
    )


def _time(outlook: Outlook) -> list[Finding]:
    """What does not fit is a warning; what may just not fit, advice."""
    if outlook.finishes not in (Finishes.NO, Finishes.TOO_CLOSE):
        return []
    return [
        Finding(
            severity=Severity.WARNING if outlook.finishes is Finishes.NO else Severity.INFO,
            message=outlook.why,
            remedy=outlook.remedy,
            why="the run is cut off before its end",
        )
    ]


def _basis(price: Estimate) -> str:
    return f"{price.hours:.4g} h of {price.gpu or 'CPU'} at ${price.usd_per_hour:.2f}/h"


CHECK = Check(
    id="MOD003",
    name="credits",
    title="the budget left covers the planned run",
    step=5,
    stage=Stage.REMOTE,
    needs=(ENVIRONMENT,),
    tries=ASKED,
    run=run,
    timeout_s=40.0,
    explains=(RATES, SPEND, CURRENT_RATES, PLANNED_FUNCTION),
    about=(Group.ACCOUNT, Group.RATES, Group.FUNCTIONS, Group.SETTINGS),
)
