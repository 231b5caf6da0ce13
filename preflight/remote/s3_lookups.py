"""Which bucket and secret this run will use, and what is there: from the configuration first, then the app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from preflight.app.lookups import RECIPE
from preflight.app.model import BucketMount, Known, Recipe, SecretRef
from preflight.lookups import Looked, Lookup, LookupFailed
from preflight.remote import modal_api, s3_api
from preflight.remote.lookups import WORKSPACE
from preflight.remote.modal_types import Secret
from preflight.remote.s3_types import S3Place, S3Sample, S3Secret
from preflight.threads import in_thread


class NothingPlanned(Exception):
    """Neither the configuration nor the app names what was asked about."""


@asynccontextmanager
async def _place(looked: Looked) -> AsyncIterator[S3Place | None]:
    settings = looked.settings.s3
    mount = _mount(looked)
    region = settings.region or looked.settings.environ.get("AWS_REGION")
    region = region or looked.settings.environ.get("AWS_DEFAULT_REGION")
    if settings.bucket is not None:
        yield S3Place(
            bucket=settings.bucket,
            prefix=settings.prefix or "",
            region=region,
            endpoint=settings.endpoint,
            named_by="tool.preflight.s3",
        )
        return
    if mount is None:
        yield None
        return
    if not isinstance(mount.bucket, Known):
        raise NothingPlanned(
            f"the bucket's name is not in the text of {mount.where} ({mount.bucket.why}); "
            "name it in [tool.preflight.s3] bucket"
        )
    prefix = settings.prefix if settings.prefix is not None else _known(mount.prefix)
    yield S3Place(
        bucket=mount.bucket.value,
        prefix=prefix or "",
        region=region,
        endpoint=settings.endpoint or _known(mount.endpoint_url),
        named_by=str(mount.where),
        where=mount.where,
    )


@asynccontextmanager
async def _secret(looked: Looked) -> AsyncIterator[S3Secret | None]:
    settings = looked.settings.s3
    mount = _mount(looked)
    mounted = mount.secret if mount is not None and isinstance(mount.secret, SecretRef) else None
    if settings.secret is not None:
        yield S3Secret(name=settings.secret, keys=settings.keys, named_by="tool.preflight.s3")
    elif mounted is not None and mounted.name is not None:
        keys = tuple(dict.fromkeys((*settings.keys, *mounted.required_keys)))
        yield S3Secret(name=mounted.name, keys=keys, named_by=str(mounted.where), where=mounted.where)
    else:
        yield None


def _mount(looked: Looked) -> BucketMount | None:
    recipe = looked.tried(RECIPE)
    if isinstance(recipe, LookupFailed):
        return None
    return next(iter(bucket_mounts(recipe)), None)


def bucket_mounts(recipe: Recipe) -> tuple[BucketMount, ...]:
    """Every bucket that some function of the app mounts, each once."""
    found = {m.where: m for f in recipe.functions for m in f.mounts}
    return tuple(found.values())


def _known(value: object) -> str | None:
    return value.value if isinstance(value, Known) and isinstance(value.value, str) else None


@asynccontextmanager
async def _sample(looked: Looked) -> AsyncIterator[S3Sample]:
    place = looked[S3_PLACE]
    if place is None:
        raise NothingPlanned("no bucket is planned")
    yield await in_thread(s3_api.sample, place, most=looked.settings.s3.sample)


@asynccontextmanager
async def _secret_state(looked: Looked) -> AsyncIterator[Secret]:
    secret = looked[S3_SECRET]
    if secret is None:
        raise NothingPlanned("no S3 secret is planned")
    yield await modal_api.secret(secret.name, secret.keys, looked.settings.environment)


S3_PLACE: Lookup[S3Place | None] = Lookup("the planned bucket", _place, tries=(RECIPE,))
S3_SECRET: Lookup[S3Secret | None] = Lookup("the planned S3 secret", _secret, tries=(RECIPE,))
S3_SAMPLE: Lookup[S3Sample] = Lookup("the bucket's contents", _sample, needs=(S3_PLACE,))
S3_SECRET_STATE: Lookup[Secret] = Lookup("the S3 secret's keys", _secret_state, needs=(WORKSPACE, S3_SECRET))
