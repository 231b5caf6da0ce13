"""Named things that no scenario holds: they exist in a permissive world, where an app is recorded, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import new_id

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane


class Others:
    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def _new_id(self, prefix: str, rpc: str) -> str:
        if not self._plane.scenario.permissive:
            raise GRPCError(Status.UNIMPLEMENTED, f"{rpc} is not implemented by the sandbox")
        return new_id(prefix)

    async def shared_volume_get_or_create(
        self, request: pb.SharedVolumeGetOrCreateRequest
    ) -> pb.SharedVolumeGetOrCreateResponse:
        return pb.SharedVolumeGetOrCreateResponse(shared_volume_id=self._new_id("sv", "SharedVolumeGetOrCreate"))

    async def dict_get_or_create(self, request: pb.DictGetOrCreateRequest) -> pb.DictGetOrCreateResponse:
        made = self._new_id("di", "DictGetOrCreate")
        return pb.DictGetOrCreateResponse(dict_id=made, metadata=pb.DictMetadata(name=request.deployment_name))

    async def queue_get_or_create(self, request: pb.QueueGetOrCreateRequest) -> pb.QueueGetOrCreateResponse:
        made = self._new_id("qu", "QueueGetOrCreate")
        return pb.QueueGetOrCreateResponse(queue_id=made, metadata=pb.QueueMetadata(name=request.deployment_name))

    async def proxy_get(self, request: pb.ProxyGetRequest) -> pb.ProxyGetResponse:
        return pb.ProxyGetResponse(proxy=pb.Proxy(name=request.name, proxy_id=self._new_id("pr", "ProxyGet")))
