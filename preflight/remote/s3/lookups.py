"""Everything that the app names, looked up at once: its buckets, Secrets and Volumes."""

from __future__ import annotations

import asyncio

from preflight.app.lookups import PLANNED_FUNCTION, RECIPE
from preflight.lookups import Looked, Lookup, LookupFailed
from preflight.problems import Kind, Problem
from preflight.remote.lookups import HERE, VOLUMES, secret_of, volumes_of
from preflight.remote.modal_types import Secret
from preflight.remote.named import Named, NamedSecret, named
from preflight.remote.s3 import api as s3_api
from preflight.remote.s3.api import LookedAt, S3Place, S3Sample
from preflight.threads import in_thread

PLACE_S = 9.0  # of one bucket, below the lookup's limit
AT_ONCE = 8


async def _named(looked: Looked) -> Named:
    recipe, planned = looked.tried(RECIPE), looked.tried(PLANNED_FUNCTION)
    return named(
        None if isinstance(recipe, LookupFailed) else recipe,
        looked.settings,
        None if isinstance(planned, LookupFailed) else planned,
    )


async def _buckets(looked: Looked) -> tuple[LookedAt, ...]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(place: S3Place) -> LookedAt:
        async with slots:
            return LookedAt(place, await _sample(place, looked.settings.s3.sample))

    return tuple(await asyncio.gather(*(one(place) for place in looked[NAMED].places)))


async def _sample(place: S3Place, most: int) -> S3Sample | Problem:
    try:
        async with asyncio.timeout(PLACE_S):
            return await in_thread(s3_api.sample, place, most=most)
    except Problem as e:
        return e
    except TimeoutError:
        return Problem(Kind.NO_ANSWER, service="S3", operation="look", message=f"not done within {PLACE_S:g} s")


async def _secret_states(looked: Looked) -> dict[NamedSecret, Secret | Problem]:
    async def one(secret: NamedSecret) -> Secret | Problem:
        try:
            where = secret.environment or looked.settings.environment
            return await secret_of(secret.name, (*secret.keys, *secret.advised), where)
        except Problem as e:
            return e

    wanted = looked[NAMED].secrets
    return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))


async def _volumes_there(looked: Looked) -> dict[str | None, tuple[str, ...]]:
    """By environment; None is that of the run."""
    others = {v.environment for v in looked[NAMED].volumes} - {None}
    lists = await asyncio.gather(*(volumes_of(name) for name in others))
    return {None: looked[VOLUMES], **dict(zip(others, lists, strict=True))}


NAMED: Lookup[Named] = Lookup("what the app names", _named, tries=(RECIPE, PLANNED_FUNCTION), is_fixed=True)
BUCKETS: Lookup[tuple[LookedAt, ...]] = Lookup("the buckets", _buckets, needs=(NAMED,), timeout_s=19.0)
SECRET_STATES: Lookup[dict[NamedSecret, Secret | Problem]] = Lookup("the secrets", _secret_states, needs=(HERE, NAMED))
VOLUMES_THERE: Lookup[dict[str | None, tuple[str, ...]]] = Lookup("the volumes", _volumes_there, needs=(NAMED, VOLUMES))
