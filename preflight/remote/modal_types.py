"""What Modal told us, in our own frozen types: no SDK object leaves remote/."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Client:
    """The installed client.  ``builders`` are the versions its wheel carries, oldest first, without previews.

    ``builder_override`` is what MODAL_IMAGE_BUILDER_VERSION or the active profile forces, and ``override_by``
    which of the two.
    """

    version: str
    builders: tuple[str, ...]
    builder_override: str | None
    override_by: str | None
    profile: str | None
    signs_with: str = ""  # the variable or the profile that its credentials come from
    token_id: str | None
    environment: str | None
    server_url: str


@dataclass(frozen=True, kw_only=True)
class Workspace:
    name: str
    warnings: tuple[str, ...]  # what the server had to say about this client
    is_greeted: bool = True  # it was asked (ClientHello), so no warning means that it has none


@dataclass(frozen=True, kw_only=True)
class Token:
    """The token in use, as far as Modal says: None where it does not tell."""

    id: str
    name: str | None
    owner: str | None
    expires: datetime | None  # None: it never expires


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Money is dollars of the running billing cycle; None where no limit is set.

    ``spend_limit_usd`` is the lower one of its own budget and of the workspace's limit, as Modal resolves it.
    """

    name: str
    is_default: bool
    builder: str | None  # its own Image Builder version; None inherits the workspace's
    budget_usd: Decimal | None
    spend_limit_usd: Decimal | None
    spent_usd: Decimal
    workspace_spent_usd: Decimal = Decimal(0)  # of all its environments
    is_spend_limit_reached: bool
    unclear: str = ""  # fields of money that hold no amount


@dataclass(frozen=True, kw_only=True)
class Here:
    """The environment of the run, as Modal resolves it.  ``builder`` is None where the server does not tell it."""

    name: str
    builder: str | None
    handle: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Spend:
    """The workspace's cycle so far, before the credits that Modal has applied."""

    metered_usd: Decimal


@dataclass(frozen=True, kw_only=True)
class App:
    """``state`` is Modal's own word: ephemeral, detached, deployed …; unknown where it does not tell."""

    id: str
    description: str
    state: str
    created: datetime | None
    created_by: str


@dataclass(frozen=True, kw_only=True)
class Secret:
    """``missing`` are the wanted keys that it lacks; None when the server compares no keys.  Values can't be read."""

    name: str
    exists: bool
    missing: tuple[str, ...] | None
    wanted: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ListedSecret:
    """A secret as the environment lists it.  Modal tells when it was made, and not when its values were replaced."""

    name: str
    created: datetime
    created_by: str
