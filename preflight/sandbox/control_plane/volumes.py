"""Volumes by name; they hold nothing here, and containers see none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import StoredVolume

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane


class Volumes:
    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def volume_list(self, request: pb.VolumeListRequest) -> pb.VolumeListResponse:
        environment = self._plane.environment(request.environment_name).name
        before = request.pagination.created_before or float("inf")
        rows = sorted(
            (v for (e, _), v in self._plane.volumes.items() if e == environment and v.created_at < before),
            key=lambda v: -v.created_at,
        )
        items = [
            pb.VolumeListItem(label=v.name, volume_id=v.id, created_at=v.created_at, metadata=v.metadata())
            for v in rows[: request.pagination.max_objects or None]
        ]
        return pb.VolumeListResponse(items=items, environment_name=environment)

    async def volume_get_or_create(self, request: pb.VolumeGetOrCreateRequest) -> pb.VolumeGetOrCreateResponse:
        environment, name = self._plane.environment(request.environment_name).name, request.deployment_name
        volume = self._plane.volumes.get((environment, name))
        if volume is None:
            is_lookup = request.object_creation_type == pb.OBJECT_CREATION_TYPE_UNSPECIFIED
            if is_lookup and not self._plane.scenario.permissive:
                text = f"Volume '{name}' not found in environment '{environment}'"
                raise GRPCError(Status.NOT_FOUND, text)
            volume = self._plane.volumes[environment, name] = StoredVolume(name)
        return pb.VolumeGetOrCreateResponse(
            volume_id=volume.id, version=pb.VOLUME_FS_VERSION_V1, metadata=volume.metadata()
        )

    async def volume_commit(self, request: pb.VolumeCommitRequest) -> pb.VolumeCommitResponse:
        return pb.VolumeCommitResponse()

    async def volume_reload(self, request: pb.VolumeReloadRequest) -> Empty:
        return Empty()
