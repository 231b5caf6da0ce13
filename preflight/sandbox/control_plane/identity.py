"""Who calls: hello, tokens, the workspace and its settings."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import now

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane

DAY_S = 86400
BUILDER_VERSIONS = ("2023.12", "2024.04", "2024.10", "2025.06", "2026.10", "PREVIEW")  # of client 1.6.4


class Identity:
    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def client_hello(self, request: Empty) -> pb.ClientHelloResponse:
        warnings = self._plane.scenario.server.hello_warnings
        return pb.ClientHelloResponse(
            image_builder_version=self._plane.builder_version,
            server_warnings=[pb.Warning(message=w) for w in warnings],
        )

    async def token_info_get(self, request: pb.TokenInfoGetRequest) -> pb.TokenInfoGetResponse:
        token, workspace = self._plane.scenario.token, self._plane.scenario.workspace
        response = pb.TokenInfoGetResponse(
            token_id=token.id,
            token_name=token.name,
            workspace_id=workspace.id,
            workspace_name=workspace.name,
        )
        response.user_identity.user_id = "us-sandbox"
        response.user_identity.username = workspace.username
        response.created_at.FromSeconds(int(now()) - DAY_S)
        if token.expires_in_days is not None:
            response.expires_at.FromSeconds(int(now() + DAY_S * token.expires_in_days))
        return response

    async def tokens_list(self, request: Empty) -> pb.TokensListResponse:
        token = self._plane.scenario.token
        ends = 0.0 if token.expires_in_days is None else now() + DAY_S * token.expires_in_days
        response = pb.TokensListResponse()
        response.tokens.add(
            token_id=token.id,
            name=token.name,
            user_id="us-sandbox",
            member_displayname=self._plane.scenario.workspace.username,
            created_at=now() - DAY_S,
            expires_at=ends,
        )
        return response

    async def service_user_list(self, request: Empty) -> pb.ServiceUserListResponse:
        return pb.ServiceUserListResponse()

    async def workspace_members_list(self, request: Empty) -> pb.WorkspaceMembersListResponse:
        workspace = self._plane.scenario.workspace
        member = pb.WorkspaceMembersListResponse.WorkspaceMembersListItem(
            member_id="wm-sandbox",
            member_displayname=workspace.username,
            member_role=pb.MEMBER_ROLE_OWNER,
            joined_at=now() - DAY_S,
            user_id="us-sandbox",
        )
        return pb.WorkspaceMembersListResponse(members=[member])

    async def auth_token_get(self, request: pb.AuthTokenGetRequest) -> pb.AuthTokenGetResponse:
        head, body = ({"alg": "none"}, {"exp": int(now()) + 3600})
        encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in (head, body)]
        return pb.AuthTokenGetResponse(token=b".".join([*encoded, b"unsigned"]).decode())

    async def workspace_name_lookup(self, request: Empty) -> pb.WorkspaceNameLookupResponse:
        name = self._plane.scenario.workspace.name
        return pb.WorkspaceNameLookupResponse(workspace_name=name, username=name)

    async def workspace_settings(self, request: Empty) -> pb.WorkspaceSettingsResponse:
        return pb.WorkspaceSettingsResponse(
            default_environment_name=self._plane.main, image_builder_version=self._plane.builder_version
        )

    async def workspace_set_image_builder_version(self, request: pb.WorkspaceSetImageBuilderVersionRequest) -> None:
        wanted = request.new_image_builder_version
        if wanted not in BUILDER_VERSIONS:
            raise GRPCError(Status.INVALID_ARGUMENT, f"Unknown image builder version {wanted!r}")
        self._plane.builder_version = wanted
