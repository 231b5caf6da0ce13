"""The gRPC service: it publishes every RPC of Modal's API, a topic answers those it has a method for, and it listens.

An RPC ``TokenInfoGet`` is the method ``token_info_get`` of a topic; one that an older client has no message for is
left out.  The rest answer UNIMPLEMENTED here: grpclib's own answer to an unknown path reaches the client as a retried
ServiceError.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from grpclib import GRPCError, Status
from grpclib.const import Cardinality, Handler
from grpclib.events import RecvRequest, listen
from grpclib.server import Server, Stream
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.account import Billing, Environments, Identity
from preflight.sandbox.control_plane.apps import Apps, Logs
from preflight.sandbox.control_plane.calls import Calls, Containers
from preflight.sandbox.control_plane.functions import Functions
from preflight.sandbox.control_plane.images import Images
from preflight.sandbox.control_plane.stores import blobs
from preflight.sandbox.control_plane.stores.stored import Dicts, Page, Proxies, Queues, Secrets, Stored
from preflight.sandbox.control_plane.stores.volumes import Volumes

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane
    from preflight.sandbox.control_plane.tasks import Task

API = pb.DESCRIPTOR.services_by_name["ModalClient"]
FOR_ALL = (
    *(Identity, Billing, Environments, Secrets, Volumes, Dicts, Queues, Proxies),
    *(Apps, Logs, Images, Functions, Calls, blobs.Blobs),
)
CLOSE_S = 1.0  # for RPCs under way; a long poll would hold it for 55 s
NEEDED_HEADERS = ("x-modal-client-version", "x-modal-python-version")
NOT_SIMULATED = {  # by how the RPC's name begins
    "Sandbox": "modal.Sandbox",
    "PersistentSandbox": "modal.Sandbox",
    "ContainerExec": "`modal shell` and exec",
    "FunctionStartPtyShell": "`modal shell` and exec",
    "TaskGetCommandRouterAccess": "`modal shell` and exec",
    "ContainerFilesystem": "a container's file system",
    "Tunnel": "modal.forward",
    "AppRollback": "`modal app rollback`",
}
WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


def method_name(rpc: str) -> str:
    """``TokenInfoGet`` -> ``token_info_get``."""
    return WORD_START.sub("_", rpc).lower()


def not_simulated(rpc: str) -> str:
    """What a client is told, in the words of its user where an RPC belongs to something that has a name."""
    what = next((what for start, what in NOT_SIMULATED.items() if rpc.startswith(start)), "")
    return f"the sandbox does not simulate {what} ({rpc})" if what else f"the sandbox does not simulate {rpc}"


class Service:
    """``task`` is the container behind this socket; ``None`` is the client."""

    def __init__(self, plane: Plane, task: Task | None = None) -> None:
        self._plane = plane
        self._is_client = task is None
        topics: list[object] = [topic(plane) for topic in FOR_ALL]
        if task is not None:
            topics.append(Containers(plane, task))
        own = {name: getattr(topic, name) for topic in topics for name in vars(type(topic)) if name[0] != "_"}
        self.answers = plane.shelf.answers() | own

    def __mapping__(self) -> dict[str, Handler]:
        return {f"/{API.full_name}/{m.name}": self._handler(m) for m in API.methods}

    def _handler(self, method: MethodDescriptor) -> Handler:
        request, response = (message_factory.GetMessageClass(d) for d in (method.input_type, method.output_type))
        answer = self.answers.get(method_name(method.name))

        async def handle(stream: Stream[Message, Message]) -> None:
            if self._is_client:
                self._plane.requests.append(method.name)
            sent = await stream.recv_message()
            if answer is None:
                raise GRPCError(Status.UNIMPLEMENTED, not_simulated(method.name))
            await self._misbehave(method.name)
            if method.server_streaming:
                async for message in answer(sent):
                    await stream.send_message(message)
            else:
                message = await answer(sent) or response()
                is_row = isinstance(message, Stored | Page)
                await stream.send_message(message.shown_in(response) if is_row else message)
            await self._warn(stream)

        kind = Cardinality.UNARY_STREAM if method.server_streaming else Cardinality.UNARY_UNARY
        return Handler(handle, kind, request, response)

    async def _warn(self, stream: Stream[Message, Message]) -> None:
        warnings = self._plane.scenario.server.header_warnings
        if warnings and self._is_client:
            await stream.send_trailing_metadata(metadata=[("x-modal-warning", quote(w)) for w in warnings])

    async def _misbehave(self, rpc: str) -> None:
        """The delay and the fault that the scenario has for this RPC of the client."""
        if not self._is_client:
            return
        server, left = self._plane.scenario.server, self._plane.faults_left
        if delay := server.delays.get(rpc, server.delays.get("*", 0.0)):
            await asyncio.sleep(delay)
        if rpc in server.unimplemented:
            raise GRPCError(Status.UNIMPLEMENTED, f"{rpc} is not implemented by this server")
        name = rpc if rpc in server.faults else "*"
        fault = server.faults.get(name)
        if fault is None or left[name] == 0:
            return
        left[name] -= 1
        if fault.hang:
            await asyncio.Event().wait()
        raise GRPCError(Status[fault.status], fault.message)


def client_server(plane: Plane) -> Server:
    """The server of the TCP port: it wants the scenario's token on every request."""
    token = plane.scenario.token

    async def check(event: RecvRequest) -> None:
        metadata = event.metadata
        for header in NEEDED_HEADERS:
            if header not in metadata:
                raise GRPCError(Status.FAILED_PRECONDITION, f"Missing {header} header")
        given = (metadata.get("x-modal-token-id"), metadata.get("x-modal-token-secret"))
        if given != (token.id, token.secret):
            raise GRPCError(Status.UNAUTHENTICATED, "Token validation failed. Token ID or token secret is wrong.")

    server = Server([Service(plane)])
    listen(server, RecvRequest, check)
    return server


@asynccontextmanager
async def listening(plane: Plane) -> AsyncIterator[str]:
    """Yields the URL of the control plane, the way the scenario lets it be reached."""
    # asyncio sets TCP_NODELAY only where the protocol is named: without it an answer waits 40 ms for an ACK
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        match plane.scenario.server.reach:
            case "answers":
                async with _answering(plane, bound, url):
                    yield url
            case "refuses":  # bound, so that nobody else gets the port
                yield url
            case "hangs":  # the kernel accepts
                bound.listen()
                yield url


@asynccontextmanager
async def _answering(plane: Plane, bound: socket.socket, url: str) -> AsyncIterator[None]:
    server = client_server(plane)
    with blobs.serving(plane):
        try:
            await server.start(sock=bound)
            async with _doors(plane, url, plane.blob_url, plane.s3_url):
                yield
        finally:
            await plane.stop()
            server.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), CLOSE_S)


@asynccontextmanager
async def _doors(plane: Plane, *urls: str) -> AsyncIterator[None]:
    """A unix socket for every port: who has no network of ours has files."""
    servers = []
    for port in (int(url.rpartition(":")[2]) for url in urls if url):
        plane.doors[port] = plane.sockets / f"{port}.s"
        servers.append(await asyncio.start_unix_server(functools.partial(_join, port), plane.doors[port]))
    try:
        yield
    finally:
        for server in servers:
            server.close()


async def _join(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        outer, to_outer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, to_outer), _pump(outer, writer))
        to_outer.close()
    writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof() if writer.can_write_eof() else writer.close()
