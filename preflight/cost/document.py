"""A reckoning as the document ``preflight.estimate/1``, with the exit code it ends in."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from preflight.cost.plan import Finishes
from preflight.cost.reckoning import Reckoning
from preflight.model import Exit, Json

SCHEMA = "preflight.estimate/1"


def exit_of(reckoned: Reckoning) -> Exit:
    """1 over a limit, refused by Modal, or will not finish; 3 no price, or no saying whether it finishes.  A limit
    that is reached is known without a price.
    """
    seen = reckoned.outlook
    if reckoned.impossible or reckoned.allowance.is_limit_reached or reckoned.over_usd:
        return Exit.FINDINGS
    if seen is not None and seen.finishes is Finishes.NO:
        return Exit.FINDINGS
    if seen is None or seen.finishes is Finishes.UNKNOWN or reckoned.allowance.is_unclear:
        return Exit.INCOMPLETE
    return Exit.READY


def document(reckoned: Reckoning, *, app: str | None, sandbox: str | None = None) -> dict[str, Json]:
    """Keys are only ever added; null is not known."""
    price, seen = reckoned.price, reckoned.outlook
    return {
        "schema": SCHEMA,
        "app": app,
        "function": reckoned.function,
        "gpu": None if price is None else price.gpu,
        "hours": None if price is None else float(price.hours),
        "usd_per_hour": None if price is None else float(price.usd_per_hour),
        "usd": None if price is None else float(price.usd),
        "upper_bound_usd": None if price is None else float(price.upper_bound_usd),
        "rates": {} if price is None else {key: float(usd) for key, usd in price.rates.items()},
        "rates_source": None if price is None else price.rates_source,
        "finishes": (Finishes.UNKNOWN if seen is None else seen.finishes).value,
        "plan": _plan(reckoned),
        "budget": _budget(reckoned),
        "assumptions": list(reckoned.assumptions),
        "reason": _reason(reckoned),
        "remedy": _remedy(reckoned),
        "exit": int(exit_of(reckoned)),
        "sandbox": sandbox,
    }


def _plan(reckoned: Reckoning) -> dict[str, Json] | None:
    work, seen = reckoned.work, reckoned.outlook
    if work is None or seen is None:
        return None
    return {
        "basis": work.basis,
        "epochs": work.epochs,
        "epoch_minutes": None if work.epoch_hours is None else _number(work.epoch_hours * 60),
        "startup_minutes": _number(work.startup * 60),
        "limit_hours": _number(seen.limit_hours),
        "attempts": seen.attempts,
        "sessions": seen.sessions,
        "hours": _number(seen.hours),
        "usd": _dollars(seen.usd),
        "lost_hours_per_preemption": _number(seen.lost_hours),
        "resumes": seen.keeping.resumes.value,
        "resumes_why": seen.keeping.why,
        "reason": seen.why,
    }


def _budget(reckoned: Reckoning) -> dict[str, Json]:
    left = reckoned.allowance
    return {
        "environment": left.environment,
        "needed_usd": _dollars(reckoned.needed_usd),
        "spent_usd": _dollars(left.spent_usd),
        "left_usd": _dollars(left.left_usd),
        "of": left.of or None,
        "over_usd": float(reckoned.over_usd),
        "spend_limit_reached": left.is_limit_reached if not left.unknown else None,
        "reason": left.unknown or left.text,
    }


def _reason(reckoned: Reckoning) -> str:
    """What decided the exit code, in one line."""
    left, seen = reckoned.allowance, reckoned.outlook
    if reckoned.impossible:
        return reckoned.impossible
    if left.is_limit_reached:
        return f"environment {left.environment} has reached its spend limit"
    if left.is_unclear:
        return left.unknown
    if reckoned.over_usd:
        return f"the run needs ${reckoned.needed_usd:,.2f}, ${reckoned.over_usd:,.2f} more than there is: {left.text}"
    return reckoned.refused if seen is None else seen.why


def _remedy(reckoned: Reckoning) -> str:
    left, seen = reckoned.allowance, reckoned.outlook
    if reckoned.impossible:
        return reckoned.remedy
    if left.is_limit_reached:
        return "raise the limit on Modal's usage and billing page, or wait for the next cycle"
    if reckoned.over_usd:
        return f"raise the budget by ${reckoned.over_usd:,.2f}, or plan fewer hours"
    return reckoned.remedy if seen is None else seen.remedy


def _number(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 6)


def _dollars(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
