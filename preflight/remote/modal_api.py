"""The questions we ask Modal, through its public client.

Every call is awaited through ``.aio``, and bounded by the lookup that makes it: the client itself waits
57 s for a refused connection, 161 s for a silent one, and for ever for a handler that hangs (1.6.4,
measured 2026-11-23).  ``modal`` is imported here, inside functions, since that takes half a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import importlib.resources
import os
import re
import tomllib
import warnings
from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import ModuleType
from typing import Any

from preflight.problems import Kind, Problem
from preflight.remote.modal_types import App, Client, Environment, ListedSecret, Secret, Spend, Token, Workspace

BUILDER_FILE = re.compile(r"(\d{4}\.\d{2})\.txt")
MISSING_KEYS = re.compile(r"missing key\(s\): (.+)")

_said: list[str] = []  # ServerWarnings of this process, in order; Modal gives each text once


def _modal() -> ModuleType:
    """The SDK, with its server warnings collected instead of printed."""
    try:
        import modal
        import modal.environments
        import modal.exception
    except ImportError as e:
        raise Problem(Kind.NOT_FOUND, service="Modal", operation="load its client", said=_text(e)) from e
    except ValueError as e:  # the client reads its configuration file while it is imported
        said = f"its configuration file can't be read: {_text(e)}"
        raise Problem(Kind.NOT_SIGNED_IN, service="Modal", operation="load its client", said=said) from e

    if not getattr(warnings.showwarning, "is_ours", False):
        shown = warnings.showwarning

        def collect(message: Any, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, modal.exception.ServerWarning):
                _said.append(str(message))
            else:
                shown(message, category, *rest, **more)

        collect.is_ours = True  # type: ignore[attr-defined]
        warnings.showwarning = collect
        warnings.simplefilter("always", modal.exception.ServerWarning)
    return modal


@contextlib.contextmanager
def as_problems(operation: str) -> Iterator[None]:
    """Turns what the client raises into a Problem ``from`` it."""
    modal = _modal()
    try:
        yield
    except modal.exception.Error as e:
        raise _problem(e, operation) from e
    except (OSError, TimeoutError) as e:
        raise Problem(Kind.UNREACHABLE, service="Modal", operation=operation, said=_text(e)) from e
    except _stream_errors() as e:
        raise Problem(Kind.UNREACHABLE, service="Modal", operation=operation, said=_text(e)) from e


def _stream_errors() -> tuple[type[BaseException], ...]:
    from grpclib.exceptions import ProtocolError, StreamTerminatedError

    return (StreamTerminatedError, ProtocolError)


def _problem(e: Exception, operation: str) -> Problem:
    from modal import exception as x

    text = _text(e)
    keys = MISSING_KEYS.search(text)
    kind = Kind.UNEXPECTED
    if isinstance(e, x.AuthError):
        kind = Kind.NOT_SIGNED_IN if "Token missing" in text or "profile" in text.lower() else Kind.REFUSED
    elif isinstance(e, x.PermissionDeniedError):
        kind = Kind.FORBIDDEN
    elif isinstance(e, x.NotFoundError):
        kind = Kind.NOT_FOUND
    elif isinstance(e, x.UnimplementedError):
        kind = Kind.UNSUPPORTED
    elif isinstance(e, x.ResourceExhaustedError):
        kind = Kind.THROTTLED
    elif isinstance(e, x.ConflictError) and keys:
        kind = Kind.MISSING_KEYS
    elif isinstance(e, x.VersionError) or (isinstance(e, x.ConflictError) and "version" in text.lower()):
        kind = Kind.CLIENT_TOO_OLD
    elif isinstance(e, x.ConnectionError | x.ServiceError | x.TimeoutError):
        kind = Kind.UNREACHABLE
    found = tuple(k.strip() for k in keys.group(1).split(",")) if keys else ()
    return Problem(kind, service="Modal", operation=operation, said=text, keys=found)


def _text(e: BaseException) -> str:
    return " ".join(str(e).split()) or type(e).__name__


def client() -> Client:
    """What is installed and configured here; nothing is sent."""
    with as_problems("read the client's configuration"):
        modal = _modal()
        config = modal.config.config
        from_env = os.environ.get("MODAL_IMAGE_BUILDER_VERSION")
        override = config.get("image_builder_version") or None
        return Client(
            version=importlib.metadata.version("modal"),
            builders=_builders(),
            builder_override=override,
            override_by=None if override is None else ("MODAL_IMAGE_BUILDER_VERSION" if from_env else "the profile"),
            profile=os.environ.get("MODAL_PROFILE") or _active_profile(modal),
            token_id=config.get("token_id") or None,
            environment=config.get("environment") or None,
            server_url=config["server_url"],
        )


def _active_profile(modal: ModuleType) -> str | None:
    """The profile marked active in the client's configuration file; None when there is none."""
    try:
        profiles = tomllib.loads(Path(modal.config.user_config_path).read_text("utf-8"))
    except (OSError, ValueError):  # no file; one that can't be read has already stopped `import modal`
        return None
    return next((name for name, p in profiles.items() if isinstance(p, dict) and p.get("active")), None)


def _builders() -> tuple[str, ...]:
    folder = importlib.resources.files("modal") / "builder"
    names = (BUILDER_FILE.fullmatch(entry.name) for entry in folder.iterdir())
    return tuple(sorted(n.group(1) for n in names if n))


async def workspace() -> Workspace:
    """Signs in: the first call of every run, and the verdict about the token."""
    with as_problems("look up the workspace"):
        modal = _modal()
        found = modal.Workspace.from_context()
        await found.hydrate.aio()
        return Workspace(name=found.name or "", warnings=tuple(dict.fromkeys(_said)))


async def token(token_id: str | None) -> Token | None:
    """The token in use among those the workspace lists; None when Modal lists none with its id."""
    if not token_id:
        return None
    with as_problems("list the workspace's tokens"):
        found = _modal().Workspace.from_context()
        for each in await found.member_tokens.list.aio():
            if each.token_id == token_id:
                return Token(id=each.token_id, name=each.name, owner=each.username, expires=each.expires_at)
        for user in await found.service_users.list.aio():
            if user.token_id == token_id:
                return Token(id=user.token_id, name=user.name, owner=user.name, expires=user.expires_at)
    return None


async def environments() -> tuple[Environment, ...]:
    with as_problems("list the environments"):
        modal = _modal()
        return tuple(_environment(item) for item in await modal.environments.list_environments.aio())


def _environment(item: Any) -> Environment:
    def optional(field: str) -> Any:
        known = field in item.DESCRIPTOR.fields_by_name and item.HasField(field)
        return getattr(item, field) if known else None

    budget = optional("cycle_budget_dollars")
    limit = item.effective_cycle_spend_limit
    return Environment(
        name=item.name,
        is_default=item.default,
        builder=optional("image_builder_version") or None,
        budget_usd=None if budget is None else _usd(budget),
        spend_limit_usd=_usd(limit) if limit else None,
        spent_usd=_usd(item.current_cycle_usage),
        is_spend_limit_reached=item.spend_limit_reached,
        max_gpus=optional("max_concurrent_gpus"),
        gpus_in_use=item.current_concurrent_gpus,
    )


def _usd(value: float) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


async def workspace_builder() -> str:
    """The workspace's Image Builder version."""
    with as_problems("read the workspace's settings"):
        settings = await _modal().Workspace.from_context().settings.list.aio()
        return str(settings.image_builder_version)


async def secret(name: str, wanted: tuple[str, ...], environment: str | None) -> Secret:
    """Whether the secret is there, and which of the wanted keys it lacks (the server compares; one call a key)."""
    missing = await asyncio.gather(*(_lacks(name, key, environment) for key in wanted or ("",)))
    if None in missing:
        return Secret(name=name, exists=False, missing=wanted, wanted=wanted)
    lacking = tuple(key for key, lacks in zip(wanted, missing, strict=False) if lacks)
    return Secret(name=name, exists=True, missing=lacking, wanted=wanted)


async def _lacks(name: str, key: str, environment: str | None) -> bool | None:
    """Whether the secret lacks the key; None when there is no such secret."""
    modal = _modal()
    try:
        with as_problems(f"look up secret {name!r}"):
            keys = [key] if key else []
            await modal.Secret.from_name(name, environment_name=environment, required_keys=keys).hydrate.aio()
    except Problem as e:
        if e.kind is Kind.MISSING_KEYS:
            return True
        if e.kind is Kind.NOT_FOUND and "ecret" in e.said:
            return None
        raise
    return False


async def secrets(environment: str | None) -> tuple[ListedSecret, ...]:
    """The environment's secrets; what the list says of each comes with it."""
    with as_problems("list the secrets"):
        found = await _modal().Secret.objects.list.aio(environment_name=environment or "")
        infos = await asyncio.gather(*(s.info.aio() for s in found if s.name))
        return tuple(
            ListedSecret(name=i.name or "", created=i.created_at.astimezone(UTC), created_by=i.created_by or "")
            for i in infos
        )


async def volumes(environment: str | None) -> tuple[str, ...]:
    with as_problems("list the volumes"):
        found = await _modal().Volume.objects.list.aio(environment_name=environment or "")
        return tuple(v.name for v in found if v.name)


async def rates() -> dict[str, Decimal]:
    """USD per hour by Modal's own key: ``gpu_hour_cost_a100_80gb``, ``cpu_hour_cost``, ``mem_gib_hour_cost`` …"""
    with as_problems("read the rates"):
        try:
            found = await _modal().Workspace.from_context().billing.rates.aio()
        except InvalidOperation as e:  # the client makes numbers of them all, before it gives any
            said = "its rates hold one that is no number"
            raise Problem(Kind.UNEXPECTED, service="Modal", operation="read the rates", said=said) from e
        return {key: Decimal(str(value)) for key in found if (value := found.get(key)) is not None}


async def spend() -> Spend:
    with as_problems("read the billing summary"):
        found = await _modal().Workspace.from_context().billing.summary.aio()
        return Spend(metered_usd=found.metered_cost, billed_usd=found.billed_cost, adjustments=dict(found.adjustments))


async def apps(environment: str | None) -> tuple[App, ...]:
    """The apps that are not stopped."""
    with as_problems("list the apps"):
        modal = _modal()
        where = modal.Environment.from_name(environment) if environment else modal.Environment.from_context()
        handles = await where.apps.list.aio()
        infos = await asyncio.gather(*(handle.info.aio() for handle in handles))
        return tuple(_app(info) for info in infos)


def _app(info: Any) -> App:
    life = info.lifecycle
    created = life.created_at if life.created_at and life.created_at.timestamp() > 0 else None  # 0: not told
    return App(
        id=info.app_id,
        description=info.description,
        state=str(getattr(life.state, "value", life.state)).lower(),
        created=created and created.astimezone(UTC),
        created_by=life.created_by or "",
    )


async def stop_app(app_id: str) -> None:
    with as_problems(f"stop {app_id}"):
        app = await _modal().App.lookup.aio(app_id)
        await app.stop.aio()
