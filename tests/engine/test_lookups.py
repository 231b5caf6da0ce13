"""Lookups are made once, closed newest first, bounded, and cancelled when the run ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from preflight.lookups import Looked, Lookup, LookupFailed, Lookups, World
from preflight.settings import Settings
from preflight.testing import NOON

WORLD = World(now=NOON, settings=Settings())
events: list[str] = []


@asynccontextmanager
async def _first(looked: Looked) -> AsyncIterator[str]:
    events.append("first made")
    yield "first"
    events.append("first closed")


@asynccontextmanager
async def _second(looked: Looked) -> AsyncIterator[str]:
    events.append(f"second made of {looked[FIRST]}")
    yield "second"
    events.append("second closed")


@asynccontextmanager
async def _endless(looked: Looked) -> AsyncIterator[str]:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        events.append("cancelled")
        raise
    yield ""


@asynccontextmanager
async def _broken(looked: Looked) -> AsyncIterator[str]:
    events.append("tried")
    raise ValueError("no")
    yield ""


FIRST: Lookup[str] = Lookup("first", _first, is_fixed=True)
SECOND: Lookup[str] = Lookup("second", _second, needs=(FIRST,))
ENDLESS: Lookup[str] = Lookup("endless", _endless)
SLOW: Lookup[str] = Lookup("slow", _endless, timeout_s=0.05)
BROKEN: Lookup[str] = Lookup("broken", _broken)


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


def test_each_is_made_once_and_closed_newest_first() -> None:
    async def go() -> None:
        async with Lookups(WORLD) as lookups:
            both = await asyncio.gather(lookups.see("a", (SECOND,)), lookups.see("b", (FIRST, SECOND)))
            assert [looked[SECOND] for looked in both] == ["second", "second"]

    asyncio.run(go())
    assert events == ["first made", "second made of first", "second closed", "first closed"]


def test_what_is_under_way_when_the_run_ends_is_cancelled_and_not_waited_for() -> None:
    async def go() -> None:
        async with Lookups(WORLD) as lookups:
            waiting = asyncio.create_task(lookups.see("a", (ENDLESS,)))
            await asyncio.sleep(0.01)
            waiting.cancel()

    began = time.monotonic()
    asyncio.run(go())
    assert events == ["cancelled"] and time.monotonic() - began < 10


def test_one_that_is_waited_for_by_two_survives_the_end_of_one_of_them() -> None:
    async def go() -> str:
        async with Lookups(WORLD) as lookups:
            one = asyncio.create_task(lookups.see("a", (FIRST,)))
            two = asyncio.create_task(lookups.see("b", (FIRST,)))
            await asyncio.sleep(0)
            one.cancel()
            return (await two)[FIRST]

    assert asyncio.run(go()) == "first"


def test_one_that_does_not_answer_in_time_fails_in_words() -> None:
    async def go() -> None:
        async with Lookups(WORLD) as lookups:
            await lookups.see("a", (SLOW,))

    with pytest.raises(LookupFailed, match=r"slow: no answer after 0\.05 s"):
        asyncio.run(go())


def test_a_failure_is_kept_until_it_is_forgotten_and_what_is_fixed_is_not_made_again() -> None:
    async def go() -> None:
        async with Lookups(WORLD) as lookups:
            for _ in range(2):
                tried = (await lookups.see("a", (SECOND,), (BROKEN,))).tried(BROKEN)
                assert isinstance(tried, LookupFailed) and tried.why == "no" and isinstance(tried.__cause__, ValueError)
            lookups.forget((SECOND, BROKEN))
            await lookups.see("a", (SECOND,), (BROKEN,))

    asyncio.run(go())
    assert (events.count("tried"), events.count("second made of first"), events.count("first made")) == (2, 2, 1)


def test_what_was_not_declared_is_no_silent_call() -> None:
    async def go() -> None:
        async with Lookups(WORLD) as lookups:
            looked = await lookups.see("a", (FIRST,))
            with pytest.raises(KeyError, match="not in the needs of a"):
                looked[SECOND]
            with pytest.raises(KeyError, match="not in the tries of a"):
                looked.tried(FIRST)

    asyncio.run(go())


def test_a_given_value_stands_in_and_a_given_failure_fails() -> None:
    failure = LookupFailed(BROKEN, "given")

    async def go() -> None:
        async with Lookups(WORLD, {FIRST: "mine", BROKEN: failure}) as lookups:
            assert (await lookups.see("a", (FIRST,), (BROKEN,))).tried(BROKEN) is failure
            assert (await lookups.see("a", (SECOND,)))[SECOND] == "second"
            with pytest.raises(LookupFailed):
                await lookups.see("a", (BROKEN,))

    asyncio.run(go())
    assert "second made of mine" in events and "tried" not in events
