"""Shared lookups: made at most once a run, closed when the run ends.

A ``Lookup`` is a key and its recipe in one.  It holds no state, so a module
can define one at import time; what it made lives in the ``Lookups`` of one run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

if TYPE_CHECKING:
    from preflight.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Lookup(Generic[T]):
    """``make`` gives the value, or a context manager around it, which is closed when the run ends.

    ``is_fixed``: asking again in the same run can't give another answer, so --wait does not.
    """

    name: str
    make: Callable[[Looked], Awaitable[T] | AbstractAsyncContextManager[T]] = field(repr=False)
    needs: tuple[Lookup[Any], ...] = ()
    tries: tuple[Lookup[Any], ...] = ()
    timeout_s: float = 10.0
    is_fixed: bool = False


class LookupFailed(Exception):
    """A lookup could not be made; ``lookup`` is the first one that failed, ``__cause__`` its error."""

    def __init__(self, lookup: Lookup[Any], why: str) -> None:
        super().__init__(f"{lookup.name}: {why}")
        self.lookup = lookup
        self.why = why


@dataclass(frozen=True)
class World:
    """What a run is given from outside: the clock, the settings, and where a long step says how far it is.

    ``made`` is told of every lookup that was made, with its value; ``instead`` names lookups that others stand in for.
    """

    now: datetime
    settings: Settings
    progress: Callable[[str, str], None] = field(default=lambda name, text: None, repr=False)
    made: Callable[[Lookup[Any], object], None] = field(default=lambda key, value: None, repr=False)
    instead: Mapping[Lookup[Any], Lookup[Any]] = field(default_factory=dict, repr=False)


class Looked:
    """What one check or lookup may see: the world, and the lookups it declared."""

    def __init__(
        self,
        world: World,
        name: str,
        values: Mapping[Lookup[Any], Any],
        tried: Mapping[Lookup[Any], Any],
    ) -> None:
        self._world = world
        self._name = name
        self._values = values
        self._tried = tried

    @property
    def now(self) -> datetime:
        return self._world.now

    @property
    def settings(self) -> Settings:
        return self._world.settings

    def say(self, text: str) -> None:
        """One line of progress of a long step; it is shown, not kept."""
        self._world.progress(self._name, text)

    def tried(self, key: Lookup[T]) -> T | LookupFailed:
        """The value, or why there is none, for a key in ``tries``."""
        try:
            return cast("T | LookupFailed", self._tried[key])
        except KeyError:
            raise KeyError(f"lookup {key.name!r} is not in the tries of {self._name}") from None

    def required(self, key: Lookup[T]) -> T:
        """The value of a key in ``tries``; raises its LookupFailed where there is none."""
        value = self.tried(key)
        if isinstance(value, LookupFailed):
            raise value
        return value

    def __getitem__(self, key: Lookup[T]) -> T:
        try:
            return cast(T, self._values[key])
        except KeyError:
            raise KeyError(f"lookup {key.name!r} is not in the needs of {self._name}") from None


class Lookups:
    """The lookups of one run: an async context manager that closes what it made, newest first.

    ``common`` gives the lookups that make a key in place of these: for all apps of a run what is no app's own.
    """

    def __init__(
        self,
        world: World,
        given: Mapping[Lookup[Any], Any] | None = None,
        common: Callable[[Lookup[Any]], Lookups | None] = lambda key: None,
    ) -> None:
        self._world = world
        self._given = dict(given or {})
        self._common = common
        self._tasks: dict[Lookup[Any], asyncio.Task[Any]] = {}
        self._stack = AsyncExitStack()

    @property
    def world(self) -> World:
        return self._world

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._stack.aclose()

    def forget(self, keys: Iterable[Lookup[Any]]) -> None:
        """Makes these, and what they need, anew when they are asked next: all but the fixed that were made."""
        for key in keys:
            if (common := self._common(key)) is not None:
                common.forget((key,))
                continue
            task = self._tasks.get(key)
            if task is not None and task.done() and not (key.is_fixed and task.exception() is None):
                del self._tasks[key]
            self.forget((*key.needs, *key.tries))

    async def see(self, name: str, needs: tuple[Lookup[Any], ...], tries: tuple[Lookup[Any], ...] = ()) -> Looked:
        """All at once.  Raises LookupFailed for the first of ``needs``, in their order, that can't be had."""
        keys = (*needs, *tries)
        if all(key in self._given for key in keys):  # nothing to wait for, so no tasks
            got = [self._given[key] for key in keys]
        else:
            got = await asyncio.gather(*(self._try(key) for key in keys))
        made, attempts = got[: len(needs)], got[len(needs) :]
        for value in made:
            if isinstance(value, LookupFailed):
                raise value
        return Looked(
            self._world,
            name,
            dict(zip(needs, made, strict=True)),
            dict(zip(tries, attempts, strict=True)),
        )

    async def _try(self, key: Lookup[T]) -> T | LookupFailed:
        try:
            return await self._get(key)
        except LookupFailed as e:
            return e

    async def _get(self, key: Lookup[T]) -> T:
        if key in self._given:
            stand_in = self._given[key]
            if isinstance(stand_in, LookupFailed):
                raise stand_in
            return cast(T, stand_in)
        if (common := self._common(key)) is not None:
            return await common._get(key)
        if key not in self._tasks:
            maker = self._world.instead.get(key, key)
            self._tasks[key] = asyncio.create_task(self._make(maker, key), name=f"lookup {key.name}")
        # shield: one check's timeout must not cancel what other checks wait for
        return cast(T, await asyncio.shield(self._tasks[key]))

    async def _make(self, key: Lookup[T], asked: Lookup[T]) -> T:
        looked = await self.see(key.name, key.needs, key.tries)
        limit = asyncio.timeout(key.timeout_s)
        try:
            async with limit:
                made = key.make(looked)
                if isinstance(made, AbstractAsyncContextManager):
                    value = await self._stack.enter_async_context(made)
                else:
                    value = await made
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise
        except BaseException as e:
            why = f"no answer after {key.timeout_s:g} s" if limit.expired() else str(e) or type(e).__name__
            raise LookupFailed(key, why) from e
        self._world.made(asked, value)
        return value
