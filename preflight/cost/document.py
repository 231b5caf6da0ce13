"""A reckoning as the document ``preflight.estimate/1``, with the exit code it ends in."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from preflight.cost.plan import Finishes
from preflight.cost.reckoning import Reckoning
from preflight.model import Exit, Json

SCHEMA = "preflight.estimate/1"


def decided(reckoned: Reckoning) -> tuple[Exit, str, str]:
    """The exit code, what decided it in one line, and its remedy.

    1 over a limit, refused by Modal, or will not finish; 3 no price, or no saying whether it finishes.  A limit
    that is reached is known without a price.
    """
    left, seen = reckoned.allowance, reckoned.outlook
    if reckoned.impossible:
        return Exit.FINDINGS, reckoned.impossible, reckoned.remedy
    if left.is_limit_reached:
        remedy = "raise the limit on Modal's usage and billing page, or wait for the next cycle"
        return Exit.FINDINGS, f"environment {left.environment} has reached its spend limit", remedy
    why, remedy = (reckoned.refused, reckoned.remedy) if seen is None else (seen.why, seen.remedy)
    if reckoned.over_usd:
        over = f"${reckoned.over_usd:,.2f}"
        code, remedy = Exit.FINDINGS, f"raise the budget by {over}, or plan fewer hours"
        why = f"the run needs ${reckoned.needed_usd:,.2f}, {over} more than there is: {left.text}"
    elif seen is not None and seen.finishes is Finishes.NO:
        code = Exit.FINDINGS
    elif seen is None or seen.finishes is Finishes.UNKNOWN or left.is_unclear:
        code = Exit.INCOMPLETE
    else:
        code = Exit.READY
    return code, left.unknown if left.is_unclear else why, remedy


def document(reckoned: Reckoning, *, app: str | None, sandbox: str | None = None) -> dict[str, Json]:
    """Keys are only ever added; null is not known."""
    price, seen = reckoned.price, reckoned.outlook
    code, reason, remedy = decided(reckoned)
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
        "reason": reason,
        "remedy": remedy,
        "exit": int(code),
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


def _number(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 6)


def _dollars(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
