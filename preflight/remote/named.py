"""What the app names that must be there: its buckets, Secrets and Volumes, the planned function's first.

From the app's text and ``[tool.preflight]``; nothing is asked.  What the text leaves open is named, not left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from preflight.app.model import BucketMount, Function, Known, Recipe, SecretRef, Unresolved, VolumeRef
from preflight.model import Where
from preflight.remote.s3.api import AWS_KEYS, GOOGLE_KEYS, S3Place
from preflight.settings import Settings

BY_SETTINGS = "tool.preflight.s3"


@dataclass(frozen=True)
class NamedSecret:
    """``keys`` are those that it must hold: the text's ``required_keys``, and what a bucket mount reads.

    ``environment`` is None for that of the run.  ``bucket`` is set where a mount on AWS reads it, which reads
    AWS_REGION too where it is there.
    """

    name: str
    keys: tuple[str, ...]
    environment: str | None
    used_by: str
    where: Where | None = None
    bucket: str = ""

    @property
    def advised(self) -> tuple[str, ...]:
        return ("AWS_REGION",) if self.bucket and "AWS_REGION" not in self.keys else ()


@dataclass(frozen=True)
class NamedVolume:
    name: str
    environment: str | None
    is_created: bool  # by the app, where it is missing
    used_by: str
    where: Where | None = None


@dataclass(frozen=True)
class Named:
    """``open`` say what the text leaves open, each with its line."""

    places: tuple[S3Place, ...] = ()
    open_places: tuple[str, ...] = ()
    secrets: tuple[NamedSecret, ...] = ()
    open_secrets: tuple[str, ...] = ()
    volumes: tuple[NamedVolume, ...] = ()
    open_volumes: tuple[str, ...] = ()


def named(recipe: Recipe | None, settings: Settings, planned: Function | None) -> Named:
    """All of it.  Without a recipe, what the settings name."""
    functions = () if recipe is None else tuple(f for f in recipe.functions if f.kind != "local_entrypoint")
    if planned is not None:
        functions = tuple(sorted(functions, key=lambda f: f.name != planned.name))
    return Named(*_places(functions, settings), *_secrets(functions, settings), *_volumes(functions, settings))


def _places(functions: tuple[Function, ...], settings: Settings) -> tuple[tuple[S3Place, ...], tuple[str, ...]]:
    given, found, unread = settings.s3, dict[tuple[str, str, str | None], S3Place](), list[str]()
    mounts = list({m.where: (f, m) for f in functions for m in f.mounts}.values())
    if given.bucket is not None:
        configured = S3Place(
            bucket=given.bucket,
            prefix=given.prefix or "",
            region=given.region,
            endpoint=given.endpoint,
            named_by=BY_SETTINGS,
            secret=given.secret,
        )
        found[configured.key] = configured
    for number, (function, mount) in enumerate(mounts):
        # a setting speaks of the planned function's mount, which is the first
        is_set = number == 0 and given.bucket is None
        parts = (mount.bucket, mount.prefix, mount.endpoint_url)
        bucket, prefix, endpoint = (_text(part, settings) for part in parts)
        prefix = given.prefix if is_set and given.prefix is not None else prefix
        endpoint = (given.endpoint if is_set else None) or endpoint
        if not bucket or prefix is None or endpoint is None:
            if number > 0 or given.bucket is None:
                why = next((p.why for p in parts if isinstance(p, Unresolved)), "its name is not in the text")
                unread.append(f"the bucket that {function.name} mounts ({mount.where}: {why})")
            continue
        secret = mount.secret if isinstance(mount.secret, SecretRef) else None
        place = S3Place(
            bucket=bucket,
            prefix=prefix,
            region=given.region if number == 0 or bucket == given.bucket else None,
            endpoint=endpoint or None,
            named_by=f"{function.name}, {mount.where}",
            where=mount.where,
            secret=secret.name if secret else None,
            secret_environment=secret.environment if secret else None,
            has_role=mount.has_oidc_role,
            is_public=mount.secret is None and not mount.has_oidc_role,
            is_requester_pays=mount.is_requester_pays,
            is_path_style=mount.is_path_style,
            is_read_only=mount.is_read_only,
            must_hold_data=mount.is_read_only or (function is functions[0] and len(function.mounts) == 1),
        )
        before = found.setdefault(place.key, place)
        if before.named_by == BY_SETTINGS:
            found[place.key] = replace(place, named_by=before.named_by, region=before.region, must_hold_data=True)
        elif place.must_hold_data:
            found[place.key] = replace(before, must_hold_data=True)
    return tuple(found.values()), tuple(unread)


def _text(value: Known[str] | Unresolved | None, settings: Settings) -> str | None:
    """ "" where nothing is given, None where the text leaves it open; a variable of this machine beats its default."""
    if isinstance(value, Unresolved):
        return None
    if value is not None and value.default_of and settings.environ.get(value.default_of):
        return settings.environ[value.default_of]
    return value.value if value is not None and isinstance(value.value, str) else ""


def _secrets(functions: tuple[Function, ...], settings: Settings) -> tuple[tuple[NamedSecret, ...], tuple[str, ...]]:
    found, unread = dict[tuple[str, str | None], NamedSecret](), dict[str, None]()

    def add(secret: NamedSecret) -> None:
        before = found.get((secret.name, secret.environment))
        if before is not None:
            keys = tuple(dict.fromkeys((*before.keys, *secret.keys)))
            secret = replace(before, keys=keys, bucket=before.bucket or secret.bucket)
        found[secret.name, secret.environment] = secret

    if settings.s3.secret is not None:
        add(NamedSecret(settings.s3.secret, settings.s3.keys, None, BY_SETTINGS, bucket=settings.s3.bucket or ""))
    for user, secret, mount in _secrets_of(functions):
        if isinstance(secret, Unresolved):
            if mount is None or settings.s3.secret is None:
                unread[f"a secret of {user} ({secret.where}: {secret.why})"] = None
        elif secret.name is not None:
            keys, bucket = secret.required_keys, ""
            if mount is not None:
                keys = (*keys, *_mount_keys(mount, settings))
                if mount.endpoint_url is None and isinstance(mount.bucket, Known) and not mount.has_oidc_role:
                    bucket = str(mount.bucket.value)
            keys = tuple(dict.fromkeys(keys))
            add(NamedSecret(secret.name, keys, secret.environment, user, secret.where, bucket))
    return tuple(found.values()), tuple(unread)


def _secrets_of(
    functions: tuple[Function, ...],
) -> Iterator[tuple[str, SecretRef | Unresolved, BucketMount | None]]:
    """Of each function itself, of its bucket mounts, and of the steps of its images."""
    for function in functions:
        yield from ((function.name, s, None) for s in function.secrets)
        yield from ((f"{function.name}'s bucket mount", m.secret, m) for m in function.mounts if m.secret is not None)
        for image in function.images if isinstance(function.images, tuple) else ():
            for step in image.steps:
                secrets = step.kwargs.get("secrets")
                for value in secrets if isinstance(secrets, list | tuple) else (secrets,):
                    if isinstance(value, SecretRef | Unresolved):
                        yield f"an image step ({step.method}, {step.where})", value, None


def _mount_keys(mount: BucketMount, settings: Settings) -> tuple[str, ...]:
    """What the mount reads of its secret: Google's keys have names of their own, a role needs none."""
    if mount.has_oidc_role:
        return ()
    place = S3Place(bucket="", prefix="", region=None, endpoint=_text(mount.endpoint_url, settings), named_by="")
    if place.is_google:
        return GOOGLE_KEYS
    return settings.s3.keys if mount.endpoint_url is None else AWS_KEYS


def _volumes(functions: tuple[Function, ...], settings: Settings) -> tuple[tuple[NamedVolume, ...], tuple[str, ...]]:
    found, unread = dict[tuple[str, str | None], NamedVolume](), dict[str, None]()
    for function in functions:
        for path, mount in function.volumes.items():
            if isinstance(mount, Unresolved):
                unread[f"what {function.name} mounts at {path} ({mount.where}: {mount.why})"] = None
            elif isinstance(mount, VolumeRef) and mount.name is not None and mount.kind == "volume":
                key, is_created = (mount.name, mount.environment), mount.creates_if_missing
                before = found.setdefault(key, NamedVolume(*key, is_created, function.name, mount.where))
                found[key] = replace(before, is_created=before.is_created or is_created)
    for name in settings.volumes:
        if not any(name == there for there, _ in found):
            found[name, None] = NamedVolume(name, None, False, "tool.preflight.volumes")
    return tuple(found.values()), tuple(unread)
