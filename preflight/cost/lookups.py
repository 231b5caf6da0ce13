"""The rates as a lookup: Modal's own, or the dated list."""

from __future__ import annotations

from preflight.cost.rates import RateRefused, Rates, listed
from preflight.lookups import Looked, Lookup, LookupFailed
from preflight.problems import Kind, Problem
from preflight.remote.lookups import RATES


async def _current(looked: Looked) -> Rates:
    """The list stands in for rates that could not be had, and never for rates that were had and make no sense."""
    live = looked.tried(RATES)
    if not isinstance(live, LookupFailed):
        return Rates(live, "live")
    cause = live.__cause__
    if isinstance(cause, Problem) and cause.kind is Kind.UNEXPECTED:  # they came, and are not numbers
        raise RateRefused(cause.message)
    return listed()


CURRENT_RATES: Lookup[Rates] = Lookup("the rates", _current, tries=(RATES,))
