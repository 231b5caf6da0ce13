"""The rates as a lookup: Modal's own, or the dated list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from preflight.cost.rates import RateRefused, Rates, listed
from preflight.lookups import Looked, Lookup, LookupFailed
from preflight.problems import Kind, Problem
from preflight.remote.lookups import RATES


@asynccontextmanager
async def _current(looked: Looked) -> AsyncIterator[Rates]:
    """The list stands in for rates that could not be had, and never for rates that were had and make no sense."""
    live = looked.tried(RATES)
    if not isinstance(live, LookupFailed):
        yield Rates(live, "live")
        return
    cause = live.__cause__
    if isinstance(cause, Problem) and cause.kind is Kind.UNEXPECTED:  # they came, and are not numbers
        raise RateRefused(cause.message)
    yield listed()


CURRENT_RATES: Lookup[Rates] = Lookup("the rates", _current, tries=(RATES,))
