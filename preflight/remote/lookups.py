"""Modal's answers as lookups: one sign-in for all of them, each question asked at most once a run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import TypeVar

from preflight.lookups import Looked, Lookup
from preflight.problems import Kind, Problem
from preflight.remote import modal_api
from preflight.remote.modal_types import App, Client, Environment, Here, ListedSecret, Spend, Token, Workspace
from preflight.wording import listed

T = TypeVar("T")


def asked(ask: Callable[[Looked], Awaitable[T]]) -> Callable[[Looked], AbstractAsyncContextManager[T]]:
    """A lookup's ``make`` for a question with nothing to close."""

    @asynccontextmanager
    async def make(looked: Looked) -> AsyncIterator[T]:
        yield await ask(looked)

    return make


class NoSuchEnvironment(Problem):
    """The environment that was asked for is not in the workspace; ``keys`` are those there are, the default first."""

    def __init__(self, wanted: str | None, there: tuple[str, ...]) -> None:
        names = f"; there {'are' if len(there) > 1 else 'is'} {listed(there)}" if there else ""
        missing = f"environment {wanted!r} does not exist" if wanted else "the workspace has no default environment"
        super().__init__(Kind.NOT_FOUND, service="Modal", operation="look it up", message=missing + names, keys=there)

    def __str__(self) -> str:
        return self.message


class NotTold(Exception):
    """Modal has answered, and left out what was asked for; or two of its answers contradict each other."""


async def _client(looked: Looked) -> Client:
    return modal_api.client()


async def _workspace(looked: Looked) -> Workspace:
    session = looked[SESSION]
    name = session.workspace.name or ""
    return Workspace(name=name, warnings=session.warnings, is_greeted=session.is_greeted)


async def _here(looked: Looked) -> Here:
    try:
        return await modal_api.resolved(looked.settings.environment)
    except Problem as e:
        if e.kind is not Kind.NOT_FOUND:
            raise
        wanted, there = looked.settings.environment or looked[CLIENT].environment, tuple[str, ...]()
        try:
            known = await modal_api.environments()
            there = tuple(k.name for k in sorted(known, key=lambda k: not k.is_default))
        except Problem:  # who may not list them is told the one name
            pass
        raise NoSuchEnvironment(wanted, there) from e


async def _environment(looked: Looked) -> Environment:
    known, here = looked[ENVIRONMENTS], looked[HERE].name
    for each in known:
        if each.name == here or (not here and each.is_default):
            return each
    raise NoSuchEnvironment(here or None, tuple(k.name for k in known))


async def _resolved_builder(looked: Looked) -> str:
    forced = looked[CLIENT].builder_override
    if forced is None and looked[HERE].builder is None:
        raise NotTold(f"Modal does not tell which one environment {looked[HERE].name} builds with")
    return forced or looked[HERE].builder or ""


async def _secrets(looked: Looked) -> tuple[str, ...]:
    return tuple(s.name for s in looked[LISTED_SECRETS])


CLIENT: Lookup[Client] = Lookup("the Modal client", asked(_client))
SESSION: Lookup[modal_api.Session] = Lookup("Modal sign-in", asked(lambda looked: modal_api.sign_in()))
WORKSPACE: Lookup[Workspace] = Lookup("the workspace", asked(_workspace), needs=(SESSION,))
TOKEN: Lookup[Token | None] = Lookup(
    "the token's expiry",
    asked(lambda looked: modal_api.token(looked[SESSION], looked[CLIENT].token_id)),
    needs=(SESSION, CLIENT),
)
HERE: Lookup[Here] = Lookup("the environment", asked(_here), needs=(SESSION, CLIENT))
ENVIRONMENTS: Lookup[tuple[Environment, ...]] = Lookup(
    "the list of environments", asked(lambda looked: modal_api.environments()), needs=(SESSION,)
)
ENVIRONMENT: Lookup[Environment] = Lookup("the environment's settings", asked(_environment), needs=(HERE, ENVIRONMENTS))
WORKSPACE_BUILDER: Lookup[str | None] = Lookup(
    "the workspace's Image Builder",
    asked(lambda looked: modal_api.workspace_builder(looked[SESSION])),
    needs=(SESSION,),
)
RESOLVED_BUILDER: Lookup[str] = Lookup("the Image Builder in force", asked(_resolved_builder), needs=(CLIENT, HERE))
LISTED_SECRETS: Lookup[tuple[ListedSecret, ...]] = Lookup(
    "the list of secrets", asked(lambda looked: modal_api.secrets(looked.settings.environment)), needs=(HERE,)
)
SECRETS: Lookup[tuple[str, ...]] = Lookup("the names of the secrets", asked(_secrets), needs=(LISTED_SECRETS,))
VOLUMES: Lookup[tuple[str, ...]] = Lookup(
    "the list of volumes", asked(lambda looked: modal_api.volumes(looked.settings.environment)), needs=(HERE,)
)
RATES: Lookup[dict[str, Decimal]] = Lookup(
    "Modal's rates", asked(lambda looked: modal_api.rates(looked[SESSION])), needs=(SESSION,)
)
SPEND: Lookup[Spend] = Lookup(
    "the spend so far", asked(lambda looked: modal_api.spend(looked[SESSION])), needs=(SESSION,)
)
APPS: Lookup[tuple[App, ...]] = Lookup(
    "the list of apps", asked(lambda looked: modal_api.apps(looked[HERE])), needs=(HERE,)
)
