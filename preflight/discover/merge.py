"""Fills what the text leaves open from a recording of the real client.

What the text says stays as it says it, with its lines; where the two differ is ``compare``'s to tell.  A filled field
is named in ``Function.recorded`` and its place is that of the expression that the text could not decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from preflight.app.model import BucketMount, Function, Gpu, Image, Known, Recipe, SecretRef, Unresolved, VolumeRef
from preflight.discover.compare import pairs
from preflight.discover.images import image_of
from preflight.discover.recording import (
    RecordedBucket,
    RecordedFunction,
    RecordedImage,
    RecordedSecret,
    RecordedVolume,
    Recording,
)
from preflight.model import Where

RECORDED = "recorded"  # SecretRef.made_by of one whose call is not in the text


def filled(recipe: Recipe, recording: Recording) -> Recipe:
    recorded = {id(f): r for f, r in pairs(recipe, recording)}
    made: list[tuple[RecordedImage, Image]] = []
    functions = tuple(_function(f, recorded[id(f)], made) if id(f) in recorded else f for f in recipe.functions)
    return replace(recipe, functions=functions, images=(*recipe.images, *(image for _, image in made)))


def _function(function: Function, recorded: RecordedFunction, made: list[tuple[RecordedImage, Image]]) -> Function:
    """``made`` holds what was made of each recorded image, since several functions may run on one."""
    new: dict[str, Any] = {}
    if isinstance(function.gpu, Unresolved):
        at, span = function.gpu.where, function.gpu.span
        new["gpu"] = tuple(
            Gpu(kind.rstrip("!+"), count, kind if count == 1 else f"{kind}:{count}", at, span)
            for kind, count in recorded.gpus
        )
    for name, number in (
        ("timeout_s", float(recorded.timeout_s)),
        ("startup_timeout_s", float(recorded.startup_timeout_s)),
        ("retries", recorded.retries),
    ):
        value = getattr(function, name)
        if isinstance(value, Unresolved):
            new[name] = Known(number, value.where, value.span)
    for name, pair in (("cpu", recorded.cpu), ("memory_mib", recorded.memory_mib)):
        if isinstance(getattr(function, name), Unresolved):
            new[name] = pair
    if any(isinstance(s, Unresolved) for s in function.secrets):
        new["secrets"] = _secrets(function, recorded)
    mounts = _mounts(function, recorded)
    if mounts != function.volumes:
        new["volumes"] = mounts
    if isinstance(function.images, Unresolved) and recorded.image is not None:
        image = next((image for whose, image in made if whose == recorded.image), None)
        if image is None and (image := image_of(recorded.image, function.images.where)) is not None:
            made.append((recorded.image, image))
        if image is not None:
            new["images"] = (image,)
    return replace(function, **new, recorded=tuple(new)) if new else function


def _secrets(function: Function, recorded: RecordedFunction) -> tuple[SecretRef, ...]:
    """The recorded ones, in their order; one that the text names too keeps its line."""
    named = {s.name: s for s in function.secrets if isinstance(s, SecretRef) and s.name is not None}
    at = next(s.where for s in function.secrets if isinstance(s, Unresolved))
    return tuple(named.get(s.name or "") or _secret(s, at) for s in recorded.secrets)


def _secret(secret: RecordedSecret, at: Where) -> SecretRef:
    return SecretRef(secret.name, secret.required_keys, secret.keys, secret.environment, at, RECORDED)


def _mounts(function: Function, recorded: RecordedFunction) -> Mapping[str, VolumeRef | BucketMount | Unresolved]:
    """Every path of the text, with what is open filled; and where a whole dict is open, the recorded paths."""
    theirs = {str(PurePosixPath(path)): mount for path, mount in recorded.mounts.items()}
    found: dict[str, VolumeRef | BucketMount | Unresolved] = {}
    for path, mount in function.volumes.items():
        other = theirs.get(str(PurePosixPath(path)))
        if path.startswith("<") and isinstance(mount, Unresolved):
            known = {str(PurePosixPath(p)) for p in function.volumes}
            found |= {p: _mount(m, mount.where) for p, m in theirs.items() if p not in known}
        elif isinstance(mount, Unresolved) and other is not None:
            found[path] = _mount(other, mount.where)
        elif isinstance(mount, VolumeRef) and mount.name is None and isinstance(other, RecordedVolume):
            found[path] = replace(mount, name=other.name)
        elif isinstance(mount, BucketMount) and isinstance(other, RecordedBucket):
            found[path] = _bucket(mount, other)
        else:
            found[path] = mount
    return found


def _mount(mount: RecordedVolume | RecordedBucket, at: Where) -> VolumeRef | BucketMount:
    if isinstance(mount, RecordedVolume):
        return VolumeRef(mount.name, mount.creates_if_missing, at, mount.kind, mount.is_read_only)
    return BucketMount(
        bucket=Known(mount.bucket, at),
        prefix=None if mount.prefix is None else Known(mount.prefix, at),
        endpoint_url=None if mount.endpoint_url is None else Known(mount.endpoint_url, at),
        secret=None if mount.secret is None else _secret(mount.secret, at),
        has_oidc_role=mount.has_oidc_role,
        is_read_only=mount.is_read_only,
        where=at,
        is_requester_pays=mount.is_requester_pays,
        is_path_style=mount.is_path_style,
    )


def _bucket(mount: BucketMount, other: RecordedBucket) -> BucketMount:
    whole = _mount(other, mount.where)
    may_be_open = ("bucket", "prefix", "endpoint_url", "secret")
    new: dict[str, Any] = {n: getattr(whole, n) for n in may_be_open if isinstance(getattr(mount, n), Unresolved)}
    return replace(mount, **new)
