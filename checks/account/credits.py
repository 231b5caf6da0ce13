"""The budget left covers the planned run, and the plan fits in its time limit.

Looks at: What the planned run costs: its function's GPU, cores and memory at Modal's live rates, for
    `[tool.preflight.budget] hours`, or epochs and their measured or given minutes; the environment's budget and spend
    limit, what has been spent of them this cycle, and `[tool.preflight.budget] usd` if you set one. Whether the plan
    fits into the function's time limit.
Why it matters: A run that reaches the spend limit is stopped where it stands; without a checkpoint its hours are lost.
How to fix: Raise the environment's budget on Modal's usage page, or plan fewer hours.
    `preflight estimate` shows the whole reckoning.
    Modal publishes no remaining credit balance, by no call: this check never claims to know one.
Source: Modal client 1.6.4: `Workspace.billing.rates`, budget fields of the environment list (measured 2026-11-23).
"""

from preflight.api import Findings, Kind, Looked, LookupFailed, Problem, advice, error, warning
from preflight.app.lookups import PLANNED_FUNCTION
from preflight.changes import Group
from preflight.cost.estimate import Estimate
from preflight.cost.plan import Finishes
from preflight.cost.rates import CURRENT_RATES
from preflight.cost.reckoning import ASKED, Reckoning, reckon
from preflight.model import Answer, Check, Finding, Stage, Unknown
from preflight.remote.lookups import ENVIRONMENT, RATES, SPEND

MAY_BE_REFUSED = (Kind.FORBIDDEN, Kind.UNSUPPORTED)  # the list of environments, for whoever may run all the same


async def run(looked: Looked) -> Answer | Unknown:
    environment = looked.tried(ENVIRONMENT)
    is_reached = None
    if not isinstance(environment, LookupFailed):
        is_reached = environment.is_spend_limit_reached
    elif not isinstance(environment.__cause__, Problem) or environment.__cause__.kind not in MAY_BE_REFUSED:
        raise environment
    reckoned = reckon(looked, is_brief=True)
    price, left, needed, bound = reckoned.price, reckoned.allowance, reckoned.needed_usd, reckoned.at_most
    amounts = {
        "spent_usd": left.spent_usd,
        "left_usd": left.left_usd,
        "needed_usd": needed,
        "upper_bound_usd": None if price is None else price.upper_bound_usd,
    }
    seen = {
        "environment": left.environment,
        **{name: None if usd is None else float(usd) for name, usd in amounts.items()},
        "rates": None if price is None else price.rates_source,
        "usd_per_hour": None if price is None else {k: float(v) for k, v in price.rates.items()},
        "finishes": None if reckoned.outlook is None else reckoned.outlook.finishes.value,
        "spend_limit_reached": is_reached,
    }
    findings, needs, cost = list[Finding](), reckoned.refused, ""
    if is_reached:
        findings.append(
            error(
                f"environment {left.environment} has reached its spend limit",
                "raise the limit on Modal's usage and billing page, or wait for the next cycle",
                why="Modal starts no container there until then",
                can_clear=True,
            )
        )
    if price is not None and needed is not None:
        of = f"{price.hours:.4g} h of {price.gpu or 'CPU'} at ${price.usd_per_hour:.2f}/h"
        needs, cost = f"the run needs about ${needed:,.2f} ({of})", f"${needed:,.2f}"
    elif bound is not None:
        needs = f"at most ${bound.upper_bound_usd:,.2f} by its time limit: {reckoned.refused}"
        cost = f"the ${bound.upper_bound_usd:,.2f} of its time limit"
    if cost and left.left_usd is None and not left.is_unclear:
        is_set = "no budget is set" if not left.unknown else f"the budget can't be read ({left.unknown})"
        findings.append(
            warning(
                f"{is_set}, so {cost} can't be compared with one",
                "set [tool.preflight.budget] usd, or a budget for the environment on Modal's usage page",
                why="Modal does not publish how much credit is left",
            )
        )
    if price is not None and needed is not None:
        findings += _of_the_plan(reckoned, price, needs)
    why, remedy = _open(reckoned)
    if why:
        findings += [warning(why, remedy)] if remedy else []
        return Unknown(reason=f"{left.text}; {why}", seen=seen, findings=tuple(findings))
    return Answer(summary=f"{left.text}; {needs}", seen=seen, findings=tuple(findings))


def _open(reckoned: Reckoning) -> tuple[str, str]:
    """What keeps the question open, and its remedy; "" for nothing."""
    left, bound = reckoned.allowance, reckoned.at_most
    if left.is_unclear:
        return left.unknown, "modal environment list --json"
    if bound is not None:
        if left.left_usd is None or bound.upper_bound_usd <= left.left_usd:
            return "", ""
        return f"its time limit costs ${bound.upper_bound_usd:,.2f}, and {reckoned.refused}", reckoned.remedy
    if reckoned.price is None:
        return f"what the run will cost is not known: {reckoned.refused}", reckoned.remedy
    if reckoned.outlook is not None and reckoned.outlook.finishes is Finishes.UNKNOWN:
        return f"whether it finishes is not known: {reckoned.outlook.why}", reckoned.outlook.remedy
    return "", ""


def _of_the_plan(reckoned: Reckoning, price: Estimate, needs: str) -> Findings:
    left, outlook = reckoned.allowance, reckoned.outlook
    if reckoned.over_usd:
        yield error(
            f"{left.text}; {needs}",
            f"raise the budget by ${reckoned.over_usd:,.2f}, or plan fewer hours",
            why="at a limit of Modal the run stops where it stands; at one of yours nothing stops it",
            can_clear=True,
        )
    elif left.left_usd is not None and left.left_usd < price.upper_bound_usd:
        yield advice(
            f"{left.text}, and the time limit of every attempt together costs ${price.upper_bound_usd:,.2f}",
            "lower timeout= or retries=, or raise the budget",
        )
    if price.rates_source != "live":
        yield warning(f"the price is from {price.rates_source}: live rates can't be had", "modal billing rates")
    if outlook is not None and outlook.finishes in (Finishes.NO, Finishes.TOO_CLOSE):
        say = error if outlook.finishes is Finishes.NO else advice  # what may just not fit is no error
        yield say(outlook.why, outlook.remedy, why="the run is cut off before its end")


CHECK = Check(
    id="MOD003",
    step=5,
    stage=Stage.REMOTE,
    tries=ASKED,
    run=run,
    timeout_s=40.0,
    explains=(RATES, SPEND, CURRENT_RATES, PLANNED_FUNCTION),
    about=(Group.ACCOUNT, Group.RATES, Group.FUNCTIONS, Group.SETTINGS),
)
