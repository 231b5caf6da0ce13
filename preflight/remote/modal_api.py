"""The questions we ask Modal, through its public client.

Every call is awaited through ``.aio``, and bounded by the lookup that makes it: the client itself waits
57 s for a refused connection, 161 s for a silent one, and for ever for a handler that hangs (1.6.4,
measured 2026-11-23).
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.resources
import importlib.util
import math
import os
import re
import secrets as randomness
import tomllib
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from preflight.problems import Kind, Problem
from preflight.remote.modal_sdk import as_problems, modal_sdk, server_warnings
from preflight.remote.modal_types import App, Client, Environment, Here, ListedSecret, Secret, Spend, Token
from preflight.remote.reach import Unreached, reach

BUILDER_FILE = re.compile(r"(\d{4}\.\d{2})\.txt")
GRACE_S = 0.5  # for the client, after our own connection has failed: it may have met another server
ANSWER_S = 9.0  # of the sign-in, below the lookup's limit
MOST_USD = 1e12


def client() -> Client:
    """What is installed and configured here; nothing is sent."""
    with as_problems("read the client's configuration"):
        modal = modal_sdk()
        config = modal.config.config
        from_env = os.environ.get("MODAL_IMAGE_BUILDER_VERSION")
        override = config.get("image_builder_version") or None
        profile = os.environ.get("MODAL_PROFILE") or _active_profile(modal)
        return Client(
            version=importlib.metadata.version("modal"),
            builders=_builders(),
            builder_override=override,
            override_by=None if override is None else ("MODAL_IMAGE_BUILDER_VERSION" if from_env else "the profile"),
            profile=profile,
            signs_with=_signs_with(config, profile),
            token_id=config.get("token_id") or None,
            environment=config.get("environment") or None,
            server_url=config["server_url"],
        )


def _signs_with(config: Any, profile: str | None) -> str:
    """Whose credentials the client takes: a variable beats the profile, each by itself."""
    given = [n for n in ("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET", "MODAL_OAUTH_REFRESH_TOKEN") if os.environ.get(n)]
    whole = given[0] if given else f"profile {profile}" if profile else "the profile default"
    if given in (["MODAL_TOKEN_ID"], ["MODAL_TOKEN_SECRET"]) and config.get("token_id") and config.get("token_secret"):
        return f"{whole} and the rest of profile {profile or 'default'}"
    return whole


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


@dataclass(frozen=True, eq=False)
class Session:
    """One sign-in: its handle asks everything about the workspace, which is looked up once."""

    workspace: Any
    warnings: tuple[str, ...]
    is_greeted: bool  # ClientHello was answered: no warning means that there is none


async def sign_in() -> Session:
    """The first call of every run, and the verdict about the token."""
    with as_problems("sign in"):
        modal = modal_sdk()
        found = modal.Workspace.from_context()
        signing = asyncio.ensure_future(found.hydrate.aio())
        greeting = asyncio.ensure_future(_hello(modal))
        reaching = asyncio.ensure_future(_reach(modal))
        tasks = {signing, greeting, reaching}
        try:
            await asyncio.wait({signing, reaching}, timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
            refused = reaching.exception() if reaching.done() else None
            if not signing.done():
                await asyncio.wait({signing}, timeout=GRACE_S if refused else ANSWER_S)
            if not signing.done():
                raise refused or _silent(modal.config.config["server_url"])
            signing.result()
            await asyncio.wait({greeting}, timeout=GRACE_S)
            is_greeted = greeting.done() and greeting.exception() is None
            return Session(found, tuple(dict.fromkeys(server_warnings)), is_greeted)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _hello(modal: ModuleType) -> None:
    client = await modal.Client.from_env.aio()
    await client.hello.aio()


async def _reach(modal: ModuleType) -> None:
    """Through the proxy that the client would take."""
    from modal._utils.proxy_support import get_proxy_url

    url = modal.config.config["server_url"]
    parts = urlsplit(url)
    proxy = get_proxy_url(parts.hostname, use_ssl=parts.scheme == "https")
    if proxy is not None and importlib.util.find_spec("python_socks") is None:
        message = "a proxy is configured, and the client needs python-socks to use one"
        remedy = "pip install 'modal[api-proxy-support]', or set MODAL_DISABLE_API_PROXY=1"
        raise Unreached(message, remedy)
    await reach(url, proxy=proxy)


def _silent(url: str) -> Problem:
    message = f"{url} gives no answer for {ANSWER_S:g} s"
    return Unreached(message, "try again later", Kind.NO_ANSWER)


async def token(session: Session, token_id: str | None) -> Token | None:
    """The token in use among those the workspace lists; None when Modal lists none with its id."""
    if not token_id:
        return None
    with as_problems("list the workspace's tokens"):
        for each in await session.workspace.member_tokens.list.aio():
            if each.token_id == token_id:
                return Token(id=each.token_id, name=each.name, owner=each.username, expires=each.expires_at)
        for user in await session.workspace.service_users.list.aio():
            if user.token_id == token_id:
                return Token(id=user.token_id, name=user.name, owner=user.name, expires=user.expires_at)
    return None


async def resolved(name: str | None) -> Here:
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


async def environments() -> tuple[Environment, ...]:
    with as_problems("list the environments"):
        return tuple(_environment(item) for item in await modal_sdk().environments.list_environments.aio())


def _environment(item: Any) -> Environment:
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


async def workspace_builder(session: Session) -> str | None:
    """The workspace's Image Builder version; None when its settings come without one."""
    with as_problems("read the workspace's settings"):
        settings = await session.workspace.settings.list.aio()
        return str(settings.image_builder_version) or None


async def secret(name: str, wanted: tuple[str, ...], environment: str | None) -> Secret:
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
    modal = modal_sdk()
    try:
        with as_problems(f"look up secret {name!r}"):
            found = modal.Secret.from_name(name, environment_name=environment, required_keys=list(keys))
            await found.hydrate.aio()
    except Problem as e:
        if e.kind is Kind.MISSING_KEYS:
            return tuple(k for k in keys if k in e.keys) or keys
        if e.kind is Kind.NOT_FOUND and "ecret" in e.message:
            return None
        raise
    return ()


async def secrets(environment: str | None) -> tuple[ListedSecret, ...]:
    """The environment's secrets; what the list says of each comes with it."""
    with as_problems("list the secrets"):
        found = await modal_sdk().Secret.objects.list.aio(environment_name=environment or "")
        infos = await asyncio.gather(*(s.info.aio() for s in found if s.name))
        return tuple(
            ListedSecret(name=i.name or "", created=i.created_at.astimezone(UTC), created_by=i.created_by or "")
            for i in infos
        )


async def volumes(environment: str | None) -> tuple[str, ...]:
    with as_problems("list the volumes"):
        found = await modal_sdk().Volume.objects.list.aio(environment_name=environment or "")
        return tuple(v.name for v in found if v.name)


async def rates(session: Session) -> dict[str, Decimal]:
    """USD per hour by Modal's own key: ``gpu_hour_cost_a100_80gb``, ``cpu_hour_cost``, ``mem_gib_hour_cost`` …"""
    with as_problems("read the rates"):
        try:
            found = await session.workspace.billing.rates.aio()
        except ArithmeticError as e:  # the client makes numbers of them all, before it gives any
            message = "one of its rates is not a number"
            raise Problem(Kind.UNEXPECTED, service="Modal", operation="read the rates", message=message) from e
        return {key: Decimal(str(value)) for key in found if (value := found.get(key)) is not None}


async def spend(session: Session) -> Spend:
    with as_problems("read the billing summary"):
        found = await session.workspace.billing.summary.aio()
        if not found.metered_cost.is_finite():
            raise ValueError(f"a cost of {found.metered_cost}")
        return Spend(metered_usd=found.metered_cost)


async def apps(here: Here) -> tuple[App, ...]:
    """The environment's apps that are not stopped."""
    with as_problems("list the apps"):
        handles = await here.handle.apps.list.aio()
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


async def stop_app(app_id: str) -> None:
    with as_problems(f"stop {app_id}"):
        app = await modal_sdk().App.lookup.aio(app_id)
        await app.stop.aio()
