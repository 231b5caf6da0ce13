"""Secrets: values go in and never come out; the keys are checked here, as Modal's server does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import StoredSecret

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane

UNNAMED = (pb.OBJECT_CREATION_TYPE_ANONYMOUS_OWNED_BY_APP, pb.OBJECT_CREATION_TYPE_EPHEMERAL)


class Secrets:
    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def secret_get_or_create(self, request: pb.SecretGetOrCreateRequest) -> pb.SecretGetOrCreateResponse:
        environment = self._plane.environment(request.environment_name).name
        secret = (
            self._add("", environment, request)
            if request.object_creation_type in UNNAMED
            else self._named(environment, request)
        )
        missing = [k for k in request.required_keys if k not in secret.values]
        if missing and not self._plane.scenario.permissive:
            text = f"Secret is missing key(s): {', '.join(missing)}"
            raise GRPCError(Status.FAILED_PRECONDITION, text)
        return pb.SecretGetOrCreateResponse(secret_id=secret.id, metadata=secret.metadata())

    def _named(self, environment: str, request: pb.SecretGetOrCreateRequest) -> StoredSecret:
        name, how = request.deployment_name, request.object_creation_type
        secret = next((s for s in self._plane.secrets.values() if (s.name, s.environment) == (name, environment)), None)
        if secret is None:
            if how == pb.OBJECT_CREATION_TYPE_UNSPECIFIED and not self._plane.scenario.permissive:
                text = f"Secret '{name}' not found in environment '{environment}'."
                raise GRPCError(Status.NOT_FOUND, text)
            return self._add(name, environment, request)
        if how == pb.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(Status.ALREADY_EXISTS, f"Secret '{name}' already exists")
        if how == pb.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS:
            secret.values = dict(request.env_dict)  # all keys: what is not given again is gone
        return secret

    def _add(self, name: str, environment: str, request: pb.SecretGetOrCreateRequest) -> StoredSecret:
        secret = StoredSecret(name, environment, dict(request.env_dict))
        self._plane.secrets[secret.id] = secret
        return secret

    async def secret_list(self, request: pb.SecretListRequest) -> pb.SecretListResponse:
        environment = self._plane.environment(request.environment_name).name
        before = request.pagination.created_before or float("inf")
        rows = sorted(
            (
                s
                for s in self._plane.secrets.values()
                if s.name and s.environment == environment and s.created_at < before
            ),
            key=lambda s: -s.created_at,
        )
        items = [
            pb.SecretListItem(
                label=s.name,
                created_at=s.created_at,
                environment_name=environment,
                secret_id=s.id,
                metadata=s.metadata(),
            )
            for s in rows[: request.pagination.max_objects or None]
        ]
        return pb.SecretListResponse(environment_name=environment, items=items)

    async def secret_get_info(self, request: pb.SecretGetInfoRequest) -> pb.SecretGetInfoResponse:
        if request.secret_id not in self._plane.secrets:
            raise GRPCError(Status.NOT_FOUND, f"Secret '{request.secret_id}' not found")
        return pb.SecretGetInfoResponse(metadata=self._plane.secrets[request.secret_id].metadata())

    async def secret_delete(self, request: pb.SecretDeleteRequest) -> None:
        self._plane.secrets.pop(request.secret_id, None)
