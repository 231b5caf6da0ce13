"""Why a server can't be reached, known as soon as it is: the client itself tries again for a minute, and says nothing.

One connection, beside the client's own: name, port, proxy, TLS, and the first frame of HTTP/2, which every gRPC
server sends by itself.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from urllib.parse import unquote, urlsplit

from preflight.problems import Kind, Problem

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # with empty SETTINGS
FRAME_BYTES, SETTINGS = 9, 4
PORTS = {"http": 80, "https": 443}
LONGEST_S = 8.0  # below the 10 s of a lookup
RESOLVE = "look at the name in MODAL_SERVER_URL, and at this machine's DNS"


async def reach(url: str, *, proxy: str | None = None, limit_s: float = LONGEST_S) -> None:
    """Returns once the server at ``url`` speaks HTTP/2.  Raises Problem, UNREACHABLE or NO_ANSWER, that names why not.

    Several URLs in one, and a SOCKS proxy, are left to the client.
    """
    parts = urlsplit(url)
    if "," in url or (proxy is not None and urlsplit(proxy).scheme.lower() != "http"):
        return
    try:
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError as e:
        raise Unreached(f"MODAL_SERVER_URL is {url!r}: {e}", "set it to https://HOST:PORT, or unset it") from e
    if parts.scheme != "unix" and (port is None or parts.hostname is None):
        raise Unreached(f"MODAL_SERVER_URL is {url!r}", "set it to https://HOST:PORT, or unset it")
    at, writer = f"{parts.hostname}:{port}" if port else parts.path, None
    limit = asyncio.timeout(limit_s)
    met = "does not answer: no connection"
    try:
        async with limit:
            tls = _tls() if parts.scheme == "https" else None
            if port is None or parts.hostname is None:
                reader, writer = await asyncio.open_unix_connection(parts.path)
            else:
                reader, writer = await _connected(parts.hostname, port, proxy, tls)
            met = "accepts the connection and says nothing"
            writer.write(PREFACE)
            first = await reader.read(FRAME_BYTES)
            if not first:
                raise Unreached(f"{at} accepts the connection and closes it", "look at what listens there")
            if len(first) < 4 or first[3] != SETTINGS:
                first += await reader.read(31)
                raise Unreached(f"{at} answers, and not in HTTP/2: it sends {first!r}", "look at what listens there")
    except TimeoutError as e:
        if not limit.expired():
            raise Unreached(f"{at} does not answer: {e or 'the connection timed out'}", "look at the network") from e
        raise Unreached(f"{at} {met} for {limit_s:g} s", "look at the network and its firewall", Kind.NO_ANSWER) from e
    except socket.gaierror as e:
        raise Unreached(f"the name {parts.hostname} can't be resolved: {e.strerror}", RESOLVE) from e
    except ssl.SSLError as e:
        why = getattr(e, "verify_message", "") or e.reason or str(e)
        raise Unreached(f"TLS with {at} fails: {why}", "look at the certificates and at what listens there") from e
    except ConnectionRefusedError as e:
        raise Unreached(f"{at} refuses the connection: nothing listens there", "look at MODAL_SERVER_URL") from e
    except OSError as e:
        raise Unreached(f"{at} can't be reached: {e.strerror or e}", "look at the network") from e
    finally:
        if writer is not None:
            writer.transport.abort()


async def _connected(
    host: str, port: int, proxy: str | None, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if proxy is None:
        return await asyncio.open_connection(host, port, ssl=tls)
    through = urlsplit(proxy)
    look = f"look at {'HTTPS_PROXY' if tls else 'HTTP_PROXY'}"
    try:
        reader, writer = await asyncio.open_connection(through.hostname, through.port or 80)
    except OSError as e:
        raise Unreached(f"the proxy {_shown(proxy)} can't be reached: {e.strerror or e}", look) from e
    user = f"{unquote(through.username or '')}:{unquote(through.password or '')}"
    sign = f"Proxy-Authorization: Basic {base64.b64encode(user.encode()).decode()}\r\n" if through.username else ""
    writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{sign}\r\n".encode())
    try:
        async with asyncio.timeout(LONGEST_S / 2):
            head = await reader.readuntil(b"\r\n\r\n")
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as e:
        writer.transport.abort()
        raise Unreached(f"the proxy {_shown(proxy)} accepts the connection and says nothing", look) from e
    status = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")[2]
    if not status.startswith("2"):
        writer.transport.abort()
        remedy = f"give its user and password in {look[8:]}" if status.startswith("407") else look
        raise Unreached(f"the proxy {_shown(proxy)} refuses the way to {host}:{port}: HTTP {status}", remedy)
    if tls is not None:
        await writer.start_tls(tls, server_hostname=host)
    return reader, writer


def _tls() -> ssl.SSLContext:
    import certifi  # the roots that the client trusts

    context = ssl.create_default_context(cafile=certifi.where())
    context.set_alpn_protocols(["h2"])
    return context


def _shown(proxy: str) -> str:
    """Without the user and the password."""
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or 80}"


class Unreached(Problem):
    """``message`` is the whole sentence, ``hint`` where to look."""

    def __init__(self, message: str, hint: str, kind: Kind = Kind.UNREACHABLE) -> None:
        super().__init__(kind, service="Modal", operation="connect", message=message, hint=hint)

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}"
