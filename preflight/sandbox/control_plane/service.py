"""The gRPC service: it publishes every RPC of Modal's API, and a topic answers those it has a method for.

An RPC ``TokenInfoGet`` is the method ``token_info_get`` of a topic; one that an older client has no message for is
left out.  The rest answer UNIMPLEMENTED here:
grpclib's own answer to an unknown path reaches the client as a retried ServiceError.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from google.protobuf import json_format, message_factory
from grpclib import GRPCError, Status
from grpclib.const import Cardinality, Handler
from grpclib.events import RecvRequest, listen
from grpclib.server import Server, Stream
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.apps import Apps
from preflight.sandbox.control_plane.billing import Billing
from preflight.sandbox.control_plane.calls import Calls
from preflight.sandbox.control_plane.containers import Containers
from preflight.sandbox.control_plane.environments import Environments
from preflight.sandbox.control_plane.functions import Functions
from preflight.sandbox.control_plane.identity import Identity
from preflight.sandbox.control_plane.images import Images
from preflight.sandbox.control_plane.logs import Logs
from preflight.sandbox.control_plane.stores.blobs import Blobs
from preflight.sandbox.control_plane.stores.dicts import Dicts, Others, Queues
from preflight.sandbox.control_plane.stores.secret_store import Secrets
from preflight.sandbox.control_plane.stores.volumes import Volumes

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane
    from preflight.sandbox.control_plane.tasks import Task

API = pb.DESCRIPTOR.services_by_name["ModalClient"]
FOR_ALL = (
    *(Identity, Billing, Environments, Secrets, Volumes, Dicts, Queues, Others),
    *(Apps, Logs, Images, Functions, Calls, Blobs),
)
NEEDED_HEADERS = ("x-modal-client-version", "x-modal-python-version")
WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


def method_name(rpc: str) -> str:
    """``TokenInfoGet`` -> ``token_info_get``."""
    return WORD_START.sub("_", rpc).lower()


class Service:
    """``task`` is the container behind this socket; ``None`` is the client."""

    def __init__(self, plane: Plane, task: Task | None = None) -> None:
        self._plane = plane
        self._is_client = task is None
        topics: list[object] = [topic(plane) for topic in FOR_ALL]
        if task is not None:
            topics.append(Containers(plane, task))
        self._answers = {name: getattr(topic, name) for topic in topics for name in vars(type(topic)) if name[0] != "_"}

    def __mapping__(self) -> dict[str, Handler]:
        return {f"/{API.full_name}/{m.name}": self._handler(m) for m in API.methods}

    def _handler(self, method: Any) -> Handler:
        request, response = (message_factory.GetMessageClass(d) for d in (method.input_type, method.output_type))
        answer = self._answers.get(method_name(method.name))
        if answer is None:
            handle = self._unimplemented(method.name)
        elif method.server_streaming:
            handle = self._stream(method.name, answer)
        else:
            handle = self._unary(method.name, answer, response)
        kind = Cardinality.UNARY_STREAM if method.server_streaming else Cardinality.UNARY_UNARY
        return Handler(handle, kind, request, response)

    def _unimplemented(self, rpc: str) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
        async def handle(stream: Stream[Any, Any]) -> None:
            self._keep(rpc, await stream.recv_message(), None)
            raise GRPCError(Status.UNIMPLEMENTED, f"{rpc} is not simulated by the sandbox")

        return handle

    def _unary(
        self, rpc: str, answer: Callable[[Any], Awaitable[Any]], response: type[Any]
    ) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
        async def handle(stream: Stream[Any, Any]) -> None:
            request = await stream.recv_message()
            await self._misbehave(rpc)
            message = await answer(request) or response()
            self._keep(rpc, request, message)
            await stream.send_message(message)
            await self._warn(stream)

        return handle

    def _stream(self, rpc: str, answer: Callable[[Any], Any]) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
        async def handle(stream: Stream[Any, Any]) -> None:
            request = await stream.recv_message()
            await self._misbehave(rpc)
            self._keep(rpc, request, None)
            async for message in answer(request):
                await stream.send_message(message)
            await self._warn(stream)

        return handle

    def _keep(self, rpc: str, request: Any, response: Any) -> None:
        if self._plane.record and self._is_client:
            row = {"rpc": rpc, "request": _plain(request), "response": _plain(response)}
            print(json.dumps(row), file=self._plane.record, flush=True)

    async def _warn(self, stream: Stream[Any, Any]) -> None:
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


def _plain(message: Any) -> dict[str, Any] | None:
    if message is None:
        return None
    plain: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return plain


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
