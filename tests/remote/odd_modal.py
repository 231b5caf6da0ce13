"""A Modal that answers as a test says, over real gRPC on 127.0.0.1: healthy, but for what the test changes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from google.protobuf import message_factory
from grpclib import GRPCError, Status
from grpclib.const import Cardinality, Handler
from grpclib.server import Server, Stream
from modal_proto import api_pb2 as pb

API = pb.DESCRIPTOR.services_by_name["ModalClient"]
DAY_S = 86_400.0


def environment(name: str = "main", *, is_default: bool = True, **fields: Any) -> pb.EnvironmentListItem:
    return pb.EnvironmentListItem(name=name, environment_id=f"en-{name}", default=is_default, **fields)


def here(request: pb.EnvironmentGetOrCreateRequest, builder: str = "2025.06") -> pb.EnvironmentGetOrCreateResponse:
    name = request.deployment_name or "main"
    if name != "main":
        raise GRPCError(Status.INVALID_ARGUMENT, f"No environment is called {name}")
    settings = pb.EnvironmentSettings(image_builder_version=builder)
    return pb.EnvironmentGetOrCreateResponse(
        environment_id="en-main", metadata=pb.EnvironmentMetadata(name=name, settings=settings)
    )


def secret(request: pb.SecretGetOrCreateRequest) -> pb.SecretGetOrCreateResponse:
    """Compares as Modal does: its one secret holds the two keys of AWS."""
    if request.deployment_name != "aws":
        raise GRPCError(Status.NOT_FOUND, f"Secret '{request.deployment_name}' not found in environment 'main'.")
    missing = [k for k in request.required_keys if k not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    if missing:
        raise GRPCError(Status.FAILED_PRECONDITION, f"Secret is missing key(s): {', '.join(missing)}")
    return pb.SecretGetOrCreateResponse(secret_id="st-1")


HEALTHY: dict[str, Any] = {
    "ClientHello": pb.ClientHelloResponse(),
    "WorkspaceNameLookup": pb.WorkspaceNameLookupResponse(username="clarity"),
    "TokensList": pb.TokensListResponse(),
    "ServiceUserList": pb.ServiceUserListResponse(),
    "EnvironmentList": pb.EnvironmentListResponse(items=[environment(), environment("dev", is_default=False)]),
    "EnvironmentGetOrCreate": here,
    "WorkspaceSettings": pb.WorkspaceSettingsResponse(image_builder_version="2025.06"),
    "SecretGetOrCreate": secret,
    "VolumeList": pb.VolumeListResponse(
        items=[pb.VolumeListItem(label="results", volume_id="vo-1", metadata=pb.VolumeMetadata(name="results"))]
    ),
    "AppList": pb.AppListResponse(),
    "WorkspaceBillingRates": pb.WorkspaceBillingRatesResponse(
        rates={"cpu_hour_cost": "0.0473", "mem_gib_hour_cost": "0.008", "gpu_hour_cost_a100_80gb": "2.50"}
    ),
    "WorkspaceBillingSummary": pb.WorkspaceBillingSummaryResponse(metered_cost="1.50", billed_cost="1.50"),
}


class OddModal:
    """``answers`` by RPC: a message, a function of the request, or a GRPCError; any other RPC is UNIMPLEMENTED."""

    def __init__(self) -> None:
        self.answers = dict(HEALTHY)
        self.asked: list[str] = []
        self.url = ""

    def __mapping__(self) -> dict[str, Handler]:
        return {f"/{API.full_name}/{m.name}": self._handler(m) for m in API.methods}

    def _handler(self, method: Any) -> Handler:
        request, response = (message_factory.GetMessageClass(d) for d in (method.input_type, method.output_type))

        async def handle(stream: Stream[Any, Any]) -> None:
            asked = await stream.recv_message()
            self.asked.append(method.name)
            answer: Any = self.answers.get(method.name, GRPCError(Status.UNIMPLEMENTED, f"no {method.name} here"))
            if isinstance(answer, Callable):  # type: ignore[arg-type]
                answer = answer(asked)
            if isinstance(answer, float):  # seconds of silence
                await asyncio.sleep(answer)
                answer = HEALTHY[method.name]
            if isinstance(answer, Exception):
                raise answer
            await stream.send_message(answer)

        kind = Cardinality.UNARY_STREAM if method.server_streaming else Cardinality.UNARY_UNARY
        return Handler(handle, kind, request, response)


@contextmanager
def serving() -> Iterator[OddModal]:
    odd, loop, ready = OddModal(), asyncio.new_event_loop(), threading.Event()
    over = asyncio.Event()

    async def serve() -> None:
        server = Server([odd])
        await server.start("127.0.0.1", 0)
        odd.url = f"http://127.0.0.1:{server._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
        ready.set()
        await over.wait()
        server.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield odd
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(5)
