"""Environments, with their budgets and builder versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox import state
from preflight.sandbox.control_plane.entities import EnvironmentRow, now

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane


class Environments:
    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def environment_list(self, request: Empty) -> pb.EnvironmentListResponse:
        return pb.EnvironmentListResponse(items=[_item(e) for e in self._plane.environments.values()])

    async def environment_get_or_create(
        self, request: pb.EnvironmentGetOrCreateRequest
    ) -> pb.EnvironmentGetOrCreateResponse:
        row = self._plane.environment(request.deployment_name)
        version = row.image_builder_version or self._plane.builder_version
        metadata = pb.EnvironmentMetadata(name=row.name, settings=pb.EnvironmentSettings(image_builder_version=version))
        return pb.EnvironmentGetOrCreateResponse(environment_id=row.id, metadata=metadata)

    async def environment_create(self, request: pb.EnvironmentCreateRequest) -> None:
        if request.name in self._plane.environments:
            raise GRPCError(Status.ALREADY_EXISTS, f"Environment '{request.name}' already exists")
        self._plane.environments[request.name] = EnvironmentRow(request.name, state.Environment(), None)

    async def environment_delete(self, request: pb.EnvironmentDeleteRequest) -> None:
        row = self._plane.environment(request.name)
        if row.given.default:
            raise GRPCError(Status.FAILED_PRECONDITION, f"Environment '{row.name}' is the workspace's default")
        del self._plane.environments[row.name]

    async def environment_update(self, request: pb.EnvironmentUpdateRequest) -> pb.EnvironmentListItem:
        row = self._plane.environment(request.current_name)
        if request.HasField("name") and request.name.value not in ("", row.name):
            del self._plane.environments[row.name]
            row.name = request.name.value
            self._plane.environments[row.name] = row
        if request.HasField("image_builder_version"):
            row.image_builder_version = request.image_builder_version or None
        return _item(row)

    async def environment_get_budget(self, request: pb.EnvironmentGetBudgetRequest) -> pb.EnvironmentGetBudgetResponse:
        rows = self._plane.environments.values()
        row = next((e for e in rows if e.id == request.environment_id), None)
        if row is None:
            raise GRPCError(Status.NOT_FOUND, f"Environment '{request.environment_id}' not found")
        return pb.EnvironmentGetBudgetResponse(
            cycle_budget_dollars=row.given.cycle_budget_dollars,
            effective_cycle_spend_limit=row.given.cycle_budget_dollars or 0.0,
            current_cycle_usage=row.given.current_cycle_usage,
            spend_limit_reached=row.given.spend_limit_reached,
        )


def _item(row: EnvironmentRow) -> pb.EnvironmentListItem:
    given = row.given
    return pb.EnvironmentListItem(
        name=row.name,
        environment_id=row.id,
        default=given.default,
        created_at=now(),
        cycle_budget_dollars=given.cycle_budget_dollars,
        effective_cycle_spend_limit=given.cycle_budget_dollars or 0.0,
        current_cycle_usage=given.current_cycle_usage,
        spend_limit_reached=given.spend_limit_reached,
        max_concurrent_gpus=given.max_concurrent_gpus,
        image_builder_version=row.image_builder_version,
    )
