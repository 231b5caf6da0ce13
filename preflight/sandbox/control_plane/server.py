"""The control plane as something that listens and stops."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from preflight.sandbox.control_plane.plane import Plane
from preflight.sandbox.control_plane.service import client_server
from preflight.sandbox.control_plane.stores import blobs
from preflight.sandbox.state import Reach

CLOSE_S = 1.0  # for RPCs under way; a long poll would hold it for 55 s


@asynccontextmanager
async def listening(plane: Plane) -> AsyncIterator[str]:
    """Yields the URL of the control plane, the way the scenario lets it be reached."""
    match plane.scenario.server.reach:
        case Reach.ANSWERS:
            async with _answering(plane) as url:
                yield url
        case Reach.REFUSES:
            with _loopback_socket() as bound:  # bound, so that nobody else gets the port; not listening
                yield _url(bound)
        case Reach.HANGS:
            async with _mute() as url:
                yield url


@asynccontextmanager
async def _answering(plane: Plane) -> AsyncIterator[str]:
    server = client_server(plane)
    bound = _loopback_socket()
    with blobs.serving(plane):
        try:
            await server.start(sock=bound)
            async with _doors(plane, _url(bound), plane.blob_url, plane.s3_url):
                yield _url(bound)
        finally:
            await plane.stop()
            server.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), CLOSE_S)


@asynccontextmanager
async def _doors(plane: Plane, *urls: str) -> AsyncIterator[None]:
    """A unix socket for every port: who has no network of ours has files."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof() if writer.can_write_eof() else writer.close()

    def join(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                outer, to_outer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(pump(reader, to_outer), pump(outer, writer))
                to_outer.close()
            writer.close()

        return joined

    servers = []
    for port in (int(url.rpartition(":")[2]) for url in urls if url):
        plane.doors[port] = plane.sockets / f"{port}.s"
        servers.append(await asyncio.start_unix_server(join(port), plane.doors[port]))
    try:
        yield
    finally:
        for server in servers:
            server.close()


@asynccontextmanager
async def _mute() -> AsyncIterator[str]:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(65536):
                pass
        writer.close()

    bound = _loopback_socket()
    server = await asyncio.start_server(say_nothing, sock=bound)
    try:
        yield _url(bound)
    finally:
        server.close()


def _loopback_socket() -> socket.socket:
    # asyncio sets TCP_NODELAY only where the protocol is named: without it an answer waits 40 ms for an ACK
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    return bound


def _url(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"
