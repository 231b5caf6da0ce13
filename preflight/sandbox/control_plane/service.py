"""The gRPC service: it publishes every RPC of Modal's API, and a topic answers those it has a method for.

An RPC ``TokenInfoGet`` is the method ``token_info_get`` of a topic; one that an older client has no message for is
left out.  The rest answer UNIMPLEMENTED here:
grpclib's own answer to an unknown path reaches the client as a retried ServiceError.
"""

from __future__ import annotations

import asyncio
import re
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
from preflight.sandbox.control_plane.stores.blobs import Blobs
from preflight.sandbox.control_plane.stores.named import Dicts, Proxies, Queues, Secrets
from preflight.sandbox.control_plane.stores.stored import Page, Stored
from preflight.sandbox.control_plane.stores.volumes import Volumes

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane
    from preflight.sandbox.control_plane.tasks import Task

API = pb.DESCRIPTOR.services_by_name["ModalClient"]
FOR_ALL = (
    *(Identity, Billing, Environments, Secrets, Volumes, Dicts, Queues, Proxies),
    *(Apps, Logs, Images, Functions, Calls, Blobs),
)
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
            asked = await stream.recv_message()
            if answer is None:
                raise GRPCError(Status.UNIMPLEMENTED, not_simulated(method.name))
            await self._misbehave(method.name)
            if method.server_streaming:
                async for message in answer(asked):
                    await stream.send_message(message)
            else:
                message = await answer(asked) or response()
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
