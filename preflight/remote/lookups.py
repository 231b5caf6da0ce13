"""Modal's answers as lookups: one sign-in for all of them, each question asked at most once a run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import TypeVar

from preflight.lookups import Looked, Lookup
from preflight.remote import modal_api
from preflight.remote.modal_types import App, Client, Environment, ListedSecret, Spend, Token, Workspace

T = TypeVar("T")


def _asked(ask: Callable[[Looked], Awaitable[T]]) -> Callable[[Looked], AbstractAsyncContextManager[T]]:
    """A lookup's ``make`` for a question with nothing to close."""

    @asynccontextmanager
    async def make(looked: Looked) -> AsyncIterator[T]:
        yield await ask(looked)

    return make


def _environment_name(looked: Looked) -> str | None:
    """The environment asked for; None leaves it to Modal's own order (variable, profile, default)."""
    return looked.settings.environment


async def _client(looked: Looked) -> Client:
    return modal_api.client()


async def _workspace(looked: Looked) -> Workspace:
    return await modal_api.workspace()


async def _token(looked: Looked) -> Token | None:
    return await modal_api.token(looked[CLIENT].token_id)


async def _environments(looked: Looked) -> tuple[Environment, ...]:
    return await modal_api.environments()


class NoSuchEnvironment(Exception):
    """The environment that was asked for is not in the workspace."""


async def _environment(looked: Looked) -> Environment:
    known = looked[ENVIRONMENTS]
    wanted = _environment_name(looked) or looked[CLIENT].environment
    for each in known:
        if each.name == wanted or (wanted is None and each.is_default):
            return each
    names = ", ".join(e.name for e in known) or "none"
    if wanted is None:
        raise NoSuchEnvironment(f"the workspace has no default environment; it has {names}; name one with -e")
    raise NoSuchEnvironment(f"the workspace has no environment {wanted!r}; it has {names}")


async def _workspace_builder(looked: Looked) -> str:
    return await modal_api.workspace_builder()


async def _listed_secrets(looked: Looked) -> tuple[ListedSecret, ...]:
    return await modal_api.secrets(_environment_name(looked))


async def _secrets(looked: Looked) -> tuple[str, ...]:
    return tuple(s.name for s in looked[LISTED_SECRETS])


async def _volumes(looked: Looked) -> tuple[str, ...]:
    return await modal_api.volumes(_environment_name(looked))


async def _rates(looked: Looked) -> dict[str, Decimal]:
    return await modal_api.rates()


async def _spend(looked: Looked) -> Spend:
    return await modal_api.spend()


async def _apps(looked: Looked) -> tuple[App, ...]:
    return await modal_api.apps(_environment_name(looked))


CLIENT: Lookup[Client] = Lookup("the Modal client", _asked(_client))
WORKSPACE: Lookup[Workspace] = Lookup("Modal sign-in", _asked(_workspace))
TOKEN: Lookup[Token | None] = Lookup("the token's expiry", _asked(_token), needs=(WORKSPACE, CLIENT))
ENVIRONMENTS: Lookup[tuple[Environment, ...]] = Lookup(
    "Modal's environments", _asked(_environments), needs=(WORKSPACE,)
)
ENVIRONMENT: Lookup[Environment] = Lookup("the Modal environment", _asked(_environment), needs=(ENVIRONMENTS, CLIENT))
WORKSPACE_BUILDER: Lookup[str] = Lookup("the workspace's Image Builder", _asked(_workspace_builder), needs=(WORKSPACE,))
LISTED_SECRETS: Lookup[tuple[ListedSecret, ...]] = Lookup(
    "the list of secrets", _asked(_listed_secrets), needs=(WORKSPACE,)
)
SECRETS: Lookup[tuple[str, ...]] = Lookup("the names of the secrets", _asked(_secrets), needs=(LISTED_SECRETS,))
VOLUMES: Lookup[tuple[str, ...]] = Lookup("the list of volumes", _asked(_volumes), needs=(WORKSPACE,))
RATES: Lookup[dict[str, Decimal]] = Lookup("Modal's rates", _asked(_rates), needs=(WORKSPACE,))
SPEND: Lookup[Spend] = Lookup("the spend so far", _asked(_spend), needs=(WORKSPACE,))
APPS: Lookup[tuple[App, ...]] = Lookup("the list of apps", _asked(_apps), needs=(WORKSPACE,))
