"""What we ask Modal, each question a lookup: one sign-in for all of them, each asked at most once a run."""

from __future__ import annotations

import asyncio
import math
import secrets as randomness
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from preflight.lookups import Looked, Lookup
from preflight.problems import Kind, Problem
from preflight.remote.client import Session, client, sign_in
from preflight.remote.modal_sdk import as_problems, modal_sdk
from preflight.remote.modal_types import App, Client, Environment, Here, ListedSecret, Secret, Spend, Token, Workspace
from preflight.settings import StaleAppsSettings, parse_age
from preflight.wording import listed

T = TypeVar("T")
MOST_USD = 1e12


class NoSuchEnvironment(Problem):
    """The environment that was asked for is not in the workspace; ``keys`` are those there are, the default first."""

    def __init__(self, wanted: str | None, there: tuple[str, ...]) -> None:
        names = f"; there {'are' if len(there) > 1 else 'is'} {listed(there)}" if there else ""
        missing = f"environment {wanted!r} does not exist" if wanted else "the workspace has no default environment"
        super().__init__(Kind.NOT_FOUND, service="Modal", operation="look it up", message=missing + names, keys=there)

    def __str__(self) -> str:
        return self.message


def question(name: str, operation: str, ask: Callable[[Looked], Awaitable[T]], *needs: Lookup[Any]) -> Lookup[T]:
    """A lookup that asks Modal: what the client raises becomes a Problem of this operation."""

    async def asked(looked: Looked) -> T:
        with as_problems(operation):
            return await ask(looked)

    return Lookup(name, asked, needs)


# --- the client, the sign-in, the workspace ----------------------------------------------------------------------


async def _client(looked: Looked) -> Client:
    return client()


async def _sign_in(looked: Looked) -> Session:
    return await sign_in()


async def _workspace(looked: Looked) -> Workspace:
    session = looked[SESSION]
    return Workspace(name=session.workspace.name or "", warnings=session.warnings, is_greeted=session.is_greeted)


async def _token(looked: Looked) -> Token | None:
    """The token in use among those the workspace lists; None when Modal lists none with its id."""
    token_id, workspace = looked[CLIENT].token_id, looked[SESSION].workspace
    for each in await workspace.member_tokens.list.aio() if token_id else ():
        if each.token_id == token_id:
            return Token(id=each.token_id, name=each.name, owner=each.username, expires=each.expires_at)
    for user in await workspace.service_users.list.aio() if token_id else ():
        if user.token_id == token_id:
            return Token(id=user.token_id, name=user.name, owner=user.name, expires=user.expires_at)
    return None


async def _workspace_builder(looked: Looked) -> str | None:
    """The workspace's Image Builder version; None when its settings come without one."""
    settings = await looked[SESSION].workspace.settings.list.aio()
    return str(settings.image_builder_version) or None


async def _rates(looked: Looked) -> dict[str, Decimal]:
    """USD per hour by Modal's own key: ``gpu_hour_cost_a100_80gb``, ``cpu_hour_cost``, ``mem_gib_hour_cost`` …"""
    try:
        found = await looked[SESSION].workspace.billing.rates.aio()
    except ArithmeticError as e:  # the client makes numbers of them all, before it gives any
        message = "one of its rates is not a number"
        raise Problem(Kind.UNEXPECTED, service="Modal", operation="read the rates", message=message) from e
    return {key: Decimal(str(value)) for key in found if (value := found.get(key)) is not None}


async def _spend(looked: Looked) -> Spend:
    found = await looked[SESSION].workspace.billing.summary.aio()
    if not found.metered_cost.is_finite():
        raise ValueError(f"a cost of {found.metered_cost}")
    return Spend(metered_usd=found.metered_cost)


CLIENT = Lookup("the Modal client", _client)
SESSION = Lookup("Modal sign-in", _sign_in)
WORKSPACE = Lookup("the workspace", _workspace, (SESSION,))
TOKEN = question("the token's expiry", "list the workspace's tokens", _token, SESSION, CLIENT)
WORKSPACE_BUILDER = question(
    "the workspace's Image Builder", "read the workspace's settings", _workspace_builder, SESSION
)
RATES = question("Modal's rates", "read the rates", _rates, SESSION)
SPEND = question("the spend so far", "read the billing summary", _spend, SESSION)


# --- the environment and what is in it ---------------------------------------------------------------------------


async def _here(looked: Looked) -> Here:
    try:
        return await _resolved(looked.settings.environment)
    except Problem as e:
        if e.kind is not Kind.NOT_FOUND:
            raise
        wanted, there = looked.settings.environment or looked[CLIENT].environment, tuple[str, ...]()
        try:
            with as_problems("list the environments"):
                known = await _environments(looked)
            there = tuple(k.name for k in sorted(known, key=lambda k: not k.is_default))
        except Problem:  # who may not list them is told the one name
            pass
        raise NoSuchEnvironment(wanted, there) from e


async def _resolved(name: str | None) -> Here:
    """The environment as the client builds in it: EnvironmentGetOrCreate, which everyone who may run may ask."""
    with as_problems("look up the environment"):
        modal = modal_sdk()
        from modal._utils.async_utils import synchronizer

        try:
            found = modal.Environment.from_name(name) if name else modal.Environment.from_context()
            await found.hydrate.aio()
        except modal.exception.InvalidError as e:  # some servers' word for one that is not there
            raise modal.exception.NotFoundError(str(e)) from e
        inner: Any = synchronizer._translate_in(found)  # type: ignore[no-untyped-call]
        settings = inner._settings  # the client has no public name for it (1.6.4)
        return Here(name=found.name or name or "", builder=settings.image_builder_version or None, handle=found)


async def _environments(looked: Looked) -> tuple[Environment, ...]:
    known = [_listed(item) for item in await modal_sdk().environments.list_environments.aio()]
    spent = sum((each.spent_usd for each in known), Decimal(0))
    return tuple(replace(each, workspace_spent_usd=spent) for each in known)


def _listed(item: Any) -> Environment:
    def optional(field: str) -> Any:
        known = field in item.DESCRIPTOR.fields_by_name and item.HasField(field)
        return getattr(item, field) if known else None

    unclear: list[str] = []

    def usd(field: str, value: float | None) -> Decimal | None:
        if value is not None and not (math.isfinite(value) and 0 <= value < MOST_USD):
            unclear.append(f"{field} is {value:g}")
            return None
        return None if value is None else Decimal(str(value)).quantize(Decimal("0.01"))

    # 0 dollars with the limit not reached is what a workspace without a budget answers
    is_reached = bool(item.spend_limit_reached)
    budget = optional("cycle_budget_dollars")
    return Environment(
        name=item.name,
        is_default=item.default,
        builder=optional("image_builder_version") or None,
        budget_usd=usd("cycle_budget_dollars", budget if budget or is_reached else None),
        spend_limit_usd=usd("effective_cycle_spend_limit", item.effective_cycle_spend_limit or None),
        spent_usd=usd("current_cycle_usage", item.current_cycle_usage) or Decimal(0),
        is_spend_limit_reached=is_reached,
        unclear="; ".join(unclear),
    )


async def _environment(looked: Looked) -> Environment:
    known, here = looked[ENVIRONMENTS], looked[HERE].name
    for each in known:
        if each.name == here or (not here and each.is_default):
            return each
    raise NoSuchEnvironment(here or None, tuple(k.name for k in known))


async def _resolved_builder(looked: Looked) -> str:
    forced = looked[CLIENT].builder_override
    if forced is None and looked[HERE].builder is None:
        raise LookupError(f"Modal does not tell which one environment {looked[HERE].name} builds with")
    return forced or looked[HERE].builder or ""


async def _secrets(looked: Looked) -> tuple[ListedSecret, ...]:
    """The environment's secrets; what the list says of each comes with it."""
    found = await modal_sdk().Secret.objects.list.aio(environment_name=looked.settings.environment or "")
    infos = await asyncio.gather(*(s.info.aio() for s in found if s.name))
    return tuple(
        ListedSecret(name=i.name or "", created=i.created_at.astimezone(UTC), created_by=i.created_by or "")
        for i in infos
    )


async def _secret_names(looked: Looked) -> tuple[str, ...]:
    return tuple(s.name for s in looked[LISTED_SECRETS])


async def _volumes(looked: Looked) -> tuple[str, ...]:
    return await volumes_of(looked.settings.environment)


async def _apps(looked: Looked) -> tuple[App, ...]:
    """The environment's apps that are not stopped."""
    handles = await looked[HERE].handle.apps.list.aio()
    infos = await asyncio.gather(*(handle.info.aio() for handle in handles))
    return tuple(_app(handle.name or "", info) for handle, info in zip(handles, infos, strict=True))


def _app(name: str, info: Any) -> App:
    """A row without metadata reads as ephemeral and of 1970: only its name tells then, which deployed apps have."""
    life = info.lifecycle
    created = life.created_at if life.created_at and life.created_at.timestamp() > 0 else None  # 0: not told
    state = str(getattr(life.state, "value", life.state)).lower()
    if created is None:
        state = "deployed" if name else "unknown"
    return App(
        id=info.app_id,
        description=info.description or name,
        state=state,
        created=created and created.astimezone(UTC),
        created_by=life.created_by or "",
    )


HERE = Lookup("the environment", _here, (SESSION, CLIENT))
ENVIRONMENTS = question("the list of environments", "list the environments", _environments, SESSION)
ENVIRONMENT = Lookup("the environment's settings", _environment, (HERE, ENVIRONMENTS))
RESOLVED_BUILDER = Lookup("the Image Builder in force", _resolved_builder, (CLIENT, HERE))
LISTED_SECRETS = question("the list of secrets", "list the secrets", _secrets, HERE)
SECRETS = Lookup("the names of the secrets", _secret_names, (LISTED_SECRETS,))
VOLUMES = Lookup("the list of volumes", _volumes, (HERE,))
APPS = question("the list of apps", "list the apps", _apps, HERE)


# --- what is asked by name ---------------------------------------------------------------------------------------


async def volumes_of(environment: str | None) -> tuple[str, ...]:
    with as_problems("list the volumes"):
        found = await modal_sdk().Volume.objects.list.aio(environment_name=environment or "")
        return tuple(v.name for v in found if v.name)


async def secret_of(name: str, wanted: tuple[str, ...], environment: str | None) -> Secret:
    """Whether the secret is there, and which of the wanted keys it lacks.

    The server compares, and one that compares nothing would say yes to all: a key that no secret holds is asked
    for too.  ``missing`` is None where it is granted.
    """
    if not wanted:
        there = await _lacking(name, (), environment)
        return Secret(name=name, exists=there is not None, missing=(), wanted=())
    canary = f"PREFLIGHT_{randomness.token_hex(6).upper()}"
    lacking, control = await asyncio.gather(_lacking(name, wanted, environment), _lacking(name, (canary,), environment))
    if lacking is None or control is None:
        return Secret(name=name, exists=False, missing=wanted, wanted=wanted)
    if not control:
        return Secret(name=name, exists=True, missing=None, wanted=wanted)
    missing, rest = lacking, tuple(k for k in wanted if k not in lacking)
    while lacking and rest:  # a server may name the first one only
        lacking = await _lacking(name, rest, environment) or ()
        missing, rest = (*missing, *lacking), tuple(k for k in rest if k not in lacking)
    return Secret(name=name, exists=True, missing=missing, wanted=wanted)


async def _lacking(name: str, keys: tuple[str, ...], environment: str | None) -> tuple[str, ...] | None:
    """Those of ``keys`` that the server says are missing; None when there is no such secret."""
    try:
        with as_problems(f"look up secret {name!r}"):
            found = modal_sdk().Secret.from_name(name, environment_name=environment, required_keys=list(keys))
            await found.hydrate.aio()
    except Problem as e:
        if e.kind is Kind.MISSING_KEYS:
            return tuple(k for k in keys if k in e.keys) or keys
        if e.kind is Kind.NOT_FOUND and "ecret" in e.message:
            return None
        raise
    return ()


async def stop_app(app_id: str) -> None:
    with as_problems(f"stop {app_id}"):
        app = await modal_sdk().App.lookup.aio(app_id)
        await app.stop.aio()


def is_stale(app: App, settings: StaleAppsSettings, now: datetime) -> bool:
    """A run, not a deployment, that is older than the setting.  One of unknown age is not called stale."""
    limit = parse_age(settings.older_than)
    return is_run(app, settings) and app.created is not None and now - app.created > limit


def is_run(app: App, settings: StaleAppsSettings) -> bool:
    """Neither deployed nor ended, and not one that the settings say is meant to be there."""
    is_meant = app.description in settings.ignore or app.id in settings.ignore
    return app.state not in ("deployed", "stopped", "stopping", "unknown") and not is_meant


def age_text(created: datetime | None, now: datetime) -> str:
    """``3 d``, ``5 h``, ``12 min``; ``an unknown time`` when Modal does not say."""
    if created is None:
        return "an unknown time"
    seconds = max(0.0, (now - created).total_seconds())
    if seconds >= 2 * 86400:
        return f"{seconds / 86400:.0f} d"
    return f"{seconds / 3600:.0f} h" if seconds >= 2 * 3600 else f"{seconds / 60:.0f} min"
