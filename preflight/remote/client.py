"""The public client as it is configured here, and its sign-in: the first call of every run.

Every call is awaited through ``.aio``, and bounded by the lookup that makes it: the client itself waits
57 s for a refused connection, 161 s for a silent one, and for ever for a handler that hangs (1.6.4,
measured 2026-11-23).
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.resources
import importlib.util
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from preflight.problems import Kind
from preflight.remote.modal_sdk import as_problems, modal_sdk, server_warnings
from preflight.remote.modal_types import Client
from preflight.remote.reach import Unreached, reach

BUILDER_FILE = re.compile(r"(\d{4}\.\d{2})\.txt")
GRACE_S = 0.5  # for the client, after our own connection has failed: it may have met another server
ANSWER_S = 9.0  # of the sign-in, below the lookup's limit


def client() -> Client:
    """What is installed and configured here; nothing is sent."""
    with as_problems("read the client's configuration"):
        modal = modal_sdk()
        config = modal.config.config
        from_env = os.environ.get("MODAL_IMAGE_BUILDER_VERSION")
        override = config.get("image_builder_version") or None
        profile = os.environ.get("MODAL_PROFILE") or _active_profile(modal)
        files = (importlib.resources.files("modal") / "builder").iterdir()
        return Client(
            version=importlib.metadata.version("modal"),
            builders=tuple(sorted(n[1] for n in (BUILDER_FILE.fullmatch(f.name) for f in files) if n)),
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
                message = f"{modal.config.config['server_url']} gives no answer for {ANSWER_S:g} s"
                raise refused or Unreached(message, "try again later", Kind.NO_ANSWER)
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
