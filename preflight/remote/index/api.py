"""Asks by HTTP whether a file, a release on an index, or an image tag exists.

404 is the only no.  A refusal, a rate limit, a login page or silence confirms nothing.  No credentials are sent but
those that stand in the address itself; proxies are those of the environment.  httpx is imported inside functions,
and its calls block: the lookup runs them on daemon threads.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import preflight
from preflight.build.downloads import Asset, BaseImage, OnIndex

if TYPE_CHECKING:
    import httpx

CONNECT_S, READ_S = 3.0, 4.0
EACH_S = 9.0  # one question, redirects and token included
MOST_REDIRECTS = 5
MOST_BYTES = 16_000_000  # the page of torch on an index of all builds is about 2 MB
PAGE_TYPES = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
CHALLENGE = re.compile(r'(realm|service)="([^"]*)"')
FILE = re.compile(r"torch-[^\s\"'<>/#?]+?\.whl", re.IGNORECASE)
REFUSALS = {
    401: "it asks for credentials (HTTP 401)",
    403: "access denied (HTTP 403)",
    407: "the proxy asks for credentials (HTTP 407)",
    429: "rate-limited (HTTP 429)",
}


class There(StrEnum):
    EXISTS = "exists"
    MISSING = "does not exist"
    NOT_CONFIRMED = "not confirmed"  # nobody answered, or the answer is no answer to this
    NOT_ASKED = "not asked"  # there is nobody whom we may ask


@dataclass(frozen=True)
class Presence:
    """``why`` is empty only for EXISTS."""

    there: There
    why: str = ""


YES, NO = Presence(There.EXISTS), (404, 410)


class _NoAnswer(Exception):
    """Why nothing is confirmed."""


def ask(target: Asset | OnIndex | BaseImage, *, default_index: str | None, apis: Mapping[str, str]) -> Presence:
    """``default_index`` is pip's own, if it names one; ``apis`` are hosts of registries asked elsewhere.  Blocks."""
    import httpx

    asker = {"user-agent": f"preflight/{preflight.__version__}"}
    limits = httpx.Timeout(READ_S, connect=CONNECT_S)
    try:
        with httpx.Client(
            timeout=limits, follow_redirects=True, max_redirects=MOST_REDIRECTS, headers=asker, trust_env=True
        ) as client:
            if isinstance(target, Asset):
                return _file(client, target)
            if isinstance(target, OnIndex):
                return _release(client, target, default_index)
            return _image(client, target, apis)
    except _NoAnswer as e:
        return Presence(There.NOT_CONFIRMED, str(e))
    except ValueError as e:  # a proxy or a certificate file of the environment that httpx can't use
        return Presence(There.NOT_CONFIRMED, f"it can't be asked: {e}")


def _file(client: httpx.Client, asset: Asset) -> Presence:
    with _answer(client, "GET", asset.url, {"range": "bytes=0-0"}) as response:
        if response.status_code in NO:
            return Presence(There.MISSING, f"{_host(asset.url)} answers {response.status_code}")
        _raise_unless_ok(response, also=(416,))
        if response.headers.get("content-type", "").startswith("text/html"):
            raise _NoAnswer(f"{_host(str(response.url))} answers with a web page")
    return YES


def _release(client: httpx.Client, wanted: OnIndex, default_index: str | None) -> Presence:
    """Exists where one index holds it; missing only where every one has answered."""
    asked = [u or default_index for u in wanted.indexes]
    answers = [_on_page(client, url, wanted) for url in asked if url is not None]
    if YES in answers:
        return YES
    unasked = [s for s in answers if s.there is There.NOT_CONFIRMED]
    if unasked:
        return unasked[0]
    if None in asked:
        why = "pip's configuration names no index to ask"
        return Presence(There.NOT_ASKED, f"{answers[0].why}; {why}" if answers else why)
    return Presence(There.MISSING, "; ".join(s.why for s in answers))


def _on_page(client: httpx.Client, index: str, wanted: OnIndex) -> Presence:
    page = f"{index.rstrip('/')}/torch/"
    try:
        with _answer(client, "GET", page, {"accept": PAGE_TYPES}) as response:
            if response.status_code in NO:
                return Presence(
                    There.MISSING, f"{_host(page)} answers {response.status_code} for {urlsplit(page).path}"
                )
            _raise_unless_ok(response)
            text = _body(response).decode("utf-8", "replace")
    except _NoAnswer as e:
        return Presence(There.NOT_CONFIRMED, str(e))
    files = {unquote(f) for f in FILE.findall(text)}
    if not files:
        return Presence(There.NOT_CONFIRMED, f"{_host(page)} answers with a page that names no torch wheel")
    if any(_fits(f, wanted) for f in files):
        return YES
    return Presence(There.MISSING, f"{urlsplit(page).netloc.rpartition('@')[2]}{urlsplit(page).path} has no such wheel")


def _fits(file: str, wanted: OnIndex) -> bool:
    from packaging.specifiers import SpecifierSet
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        _, version, _, tags = parse_wheel_filename(file)
    except InvalidWheelFilename:
        return False
    python = "cp" + wanted.python.replace(".", "")
    return SpecifierSet(f"=={wanted.version}").contains(version, prereleases=True) and any(
        tag.interpreter == python and tag.platform.startswith(("linux", "manylinux")) and "x86_64" in tag.platform
        for tag in tags
    )


def _image(client: httpx.Client, image: BaseImage, apis: Mapping[str, str]) -> Presence:
    """By the distribution API, with an anonymous token where the registry wants one."""
    api = apis.get(image.registry, image.registry)
    scheme = "http" if api.rsplit(":", 1)[0] in LOCAL or api in LOCAL else "https"
    url = f"{scheme}://{api}/v2/{image.repository}/manifests/{image.reference}"
    headers = {"accept": MANIFESTS}
    with _answer(client, "HEAD", url, headers) as response:
        status, challenge = response.status_code, response.headers.get("www-authenticate", "")
    if status == 401 and challenge.lower().startswith("bearer "):
        headers["authorization"] = f"Bearer {_token(client, image, challenge, scheme)}"
        with _answer(client, "HEAD", url, headers) as response:
            status = response.status_code
    if status in NO:
        return Presence(There.MISSING, f"{image.registry} answers {status}")
    if status == 401:
        raise _NoAnswer(f"{image.registry} asks for credentials: it is private, or not there (HTTP 401)")
    _raise_unless_ok(response)
    return YES


def _token(client: httpx.Client, image: BaseImage, challenge: str, scheme: str) -> str:
    given = dict(CHALLENGE.findall(challenge))
    realm = given.get("realm", "")
    if not realm.startswith("https://") and not (scheme == "http" and realm.startswith("http://")):
        raise _NoAnswer(f"{image.registry} sends for a token to {realm or 'nowhere'}")
    query = {"scope": f"repository:{image.repository}:pull"}
    if "service" in given:
        query["service"] = given["service"]
    with _answer(client, "GET", realm, {}, query) as response:
        _raise_unless_ok(response)
        try:
            document = json.loads(_body(response))
        except ValueError as e:
            raise _NoAnswer(f"{_host(realm)} gives no token: its answer is no JSON") from e
    token = document.get("token") or document.get("access_token") if isinstance(document, dict) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise _NoAnswer(f"{_host(realm)} gives no token")
    return token


@contextlib.contextmanager
def _answer(
    client: httpx.Client, method: str, url: str, headers: Mapping[str, str], query: Mapping[str, str] | None = None
) -> Iterator[httpx.Response]:
    """The answer after redirects, its body not yet read.  Raises _NoAnswer for all that keeps one from coming."""
    import httpx

    try:
        with client.stream(method, url, headers=dict(headers), params=query) as response:
            yield response
    except httpx.TooManyRedirects as e:
        raise _NoAnswer(f"{_host(url)} redirects more than {MOST_REDIRECTS} times") from e
    except httpx.TimeoutException as e:
        raise _NoAnswer(f"{_host(url)} does not answer in {READ_S:g} s") from e
    except httpx.ConnectError as e:
        raise _NoAnswer(f"{_host(url)} can't be reached: {e}") from e
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as e:
        raise _NoAnswer(f"{_host(url)}: {e or type(e).__name__}") from e


def _raise_unless_ok(response: httpx.Response, also: tuple[int, ...] = ()) -> None:
    status = response.status_code
    if status // 100 != 2 and status not in also:
        raise _NoAnswer(f"{_host(str(response.url))}: {REFUSALS.get(status, f'it answers {status}')}")


def _body(response: httpx.Response) -> bytes:
    """At most MOST_BYTES, within EACH_S: a page that drips is no answer."""
    until, body = time.monotonic() + EACH_S, bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise _NoAnswer(f"{_host(str(response.url))} answers with more than {MOST_BYTES // 10**6} MB")
        if time.monotonic() > until:
            raise _NoAnswer(f"{_host(str(response.url))} is not done in {EACH_S:g} s")
    return bytes(body)


def _host(url: str) -> str:
    """Without the user and password that an address may hold."""
    return urlsplit(url).netloc.rpartition("@")[2] or "the address"
