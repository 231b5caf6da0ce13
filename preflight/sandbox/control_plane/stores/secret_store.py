"""Secrets: values go in and never come out; the keys are checked here, as Modal's server does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.stores.stored import Secret

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane


class Secrets:
    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def secret_get_or_create(self, request: pb.SecretGetOrCreateRequest) -> pb.SecretGetOrCreateResponse:
        secret = self._plane.shelf.get_or_make(Secret, request, lambda name, env: self._made(name, env, request))
        if request.object_creation_type == pb.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS:
            secret.values = dict(request.env_dict)  # all keys: what is not given again is gone
        missing = [k for k in request.required_keys if k not in secret.values]
        if missing and not self._plane.scenario.permissive:
            text = f"Secret is missing key(s): {', '.join(missing)}"
            raise GRPCError(Status.FAILED_PRECONDITION, text)
        return pb.SecretGetOrCreateResponse(secret_id=secret.id, metadata=secret.metadata())

    def _made(self, name: str, environment: str, request: pb.SecretGetOrCreateRequest) -> Secret:
        """Of its own values; one that a rehearsal makes up holds what its namesake elsewhere does, or what is asked."""
        values = dict(request.env_dict)
        if name and not values and self._plane.scenario.invents:
            namesake = self._plane.shelf.named(Secret, name, self._plane.main)
            values = dict(namesake.values) if namesake else {k: f"stand-in-for-{k}" for k in request.required_keys}
        return Secret(name, environment, values=values)

    async def secret_list(self, request: pb.SecretListRequest) -> pb.SecretListResponse:
        environment, rows = self._plane.shelf.page(Secret, request)
        items = [
            pb.SecretListItem(
                label=s.name,
                created_at=s.created_at,
                environment_name=environment,
                secret_id=s.id,
                metadata=s.metadata(),
            )
            for s in rows
        ]
        return pb.SecretListResponse(environment_name=environment, items=items)

    async def secret_get_info(self, request: pb.SecretGetInfoRequest) -> pb.SecretGetInfoResponse:
        return pb.SecretGetInfoResponse(metadata=self._plane.shelf.get(Secret, request.secret_id).metadata())

    async def secret_update(self, request: pb.SecretUpdateRequest) -> None:
        values = self._plane.shelf.get(Secret, request.secret_id).values
        for update in request.updates:
            if update.HasField("value"):
                values[update.key] = update.value
            else:
                values.pop(update.key, None)

    async def secret_delete(self, request: pb.SecretDeleteRequest) -> None:
        self._plane.shelf.drop(Secret, request.secret_id)
