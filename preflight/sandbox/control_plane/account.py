"""The account: who calls, the workspace and its environments, what they cost."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator

import msgspec
from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox import state
from preflight.sandbox.control_plane.entities import EnvironmentRow, Topic, now

DAY_S = 86400
BUILDER_VERSIONS = ("2023.12", "2024.04", "2024.10", "2025.06", "2026.10", "PREVIEW")  # of client 1.6.4


class Identity(Topic):
    async def client_hello(self, request: Empty) -> pb.ClientHelloResponse:
        warnings = self.plane.scenario.server.hello_warnings
        return pb.ClientHelloResponse(
            image_builder_version=self.plane.builder_version, server_warnings=[pb.Warning(message=w) for w in warnings]
        )

    async def token_info_get(self, request: pb.TokenInfoGetRequest) -> pb.TokenInfoGetResponse:
        token, workspace = self.plane.scenario.token, self.plane.scenario.workspace
        response = pb.TokenInfoGetResponse(
            token_id=token.id, token_name=token.name, workspace_id=workspace.id, workspace_name=workspace.name
        )
        response.user_identity.user_id = "us-sandbox"
        response.user_identity.username = workspace.username
        response.created_at.FromSeconds(int(now()) - DAY_S)
        if token.expires_in_days is not None:
            response.expires_at.FromSeconds(int(now() + DAY_S * token.expires_in_days))
        return response

    async def tokens_list(self, request: Empty) -> pb.TokensListResponse:
        token = self.plane.scenario.token
        ends = 0.0 if token.expires_in_days is None else now() + DAY_S * token.expires_in_days
        response = pb.TokensListResponse()
        response.tokens.add(
            token_id=token.id,
            name=token.name,
            user_id="us-sandbox",
            member_displayname=self.plane.scenario.workspace.username,
            created_at=now() - DAY_S,
            expires_at=ends,
        )
        return response

    async def service_user_list(self, request: Empty) -> pb.ServiceUserListResponse:
        return pb.ServiceUserListResponse()

    async def workspace_members_list(self, request: Empty) -> pb.WorkspaceMembersListResponse:
        workspace = self.plane.scenario.workspace
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
        name = self.plane.scenario.workspace.name
        return pb.WorkspaceNameLookupResponse(workspace_name=name, username=name)

    async def workspace_settings(self, request: Empty) -> pb.WorkspaceSettingsResponse:
        return pb.WorkspaceSettingsResponse(
            default_environment_name=self.plane.main, image_builder_version=self.plane.builder_version
        )

    async def workspace_set_image_builder_version(self, request: pb.WorkspaceSetImageBuilderVersionRequest) -> None:
        wanted = request.new_image_builder_version
        if wanted not in BUILDER_VERSIONS:
            raise GRPCError(Status.INVALID_ARGUMENT, f"Unknown image builder version {wanted!r}")
        self.plane.builder_version = wanted


class Environments(Topic):
    async def environment_list(self, request: Empty) -> pb.EnvironmentListResponse:
        return pb.EnvironmentListResponse(items=[_item(e) for e in self.plane.environments.values()])

    async def environment_get_or_create(
        self, request: pb.EnvironmentGetOrCreateRequest
    ) -> pb.EnvironmentGetOrCreateResponse:
        row = self.plane.environment(request.deployment_name)
        version = row.image_builder_version or self.plane.builder_version
        metadata = pb.EnvironmentMetadata(name=row.name, settings=pb.EnvironmentSettings(image_builder_version=version))
        return pb.EnvironmentGetOrCreateResponse(environment_id=row.id, metadata=metadata)

    async def environment_create(self, request: pb.EnvironmentCreateRequest) -> None:
        if request.name in self.plane.environments:
            raise GRPCError(Status.ALREADY_EXISTS, f"Environment '{request.name}' already exists")
        self.plane.environments[request.name] = EnvironmentRow(request.name, state.Environment(), None)

    async def environment_delete(self, request: pb.EnvironmentDeleteRequest) -> None:
        row = self.plane.environment(request.name)
        if row.given.default:
            raise GRPCError(Status.FAILED_PRECONDITION, f"Environment '{row.name}' is the workspace's default")
        del self.plane.environments[row.name]

    async def environment_update(self, request: pb.EnvironmentUpdateRequest) -> pb.EnvironmentListItem:
        row = self.plane.environment(request.current_name)
        if request.HasField("name") and request.name.value not in ("", row.name):
            del self.plane.environments[row.name]
            row.name = request.name.value
            self.plane.environments[row.name] = row
        if request.HasField("image_builder_version"):
            row.image_builder_version = request.image_builder_version or None
        return _item(row)


def _item(row: EnvironmentRow) -> pb.EnvironmentListItem:
    fields = msgspec.structs.asdict(row.given) | {"image_builder_version": row.image_builder_version}
    limit = row.given.cycle_budget_dollars or 0.0
    return pb.EnvironmentListItem(
        name=row.name, environment_id=row.id, created_at=now(), effective_cycle_spend_limit=limit, **fields
    )


class Billing(Topic):
    async def workspace_billing_rates(
        self, request: pb.WorkspaceBillingRatesRequest
    ) -> pb.WorkspaceBillingRatesResponse:
        rates = self.plane.scenario.rates
        table = "\n".join(f"{name:32} ${usd}" for name, usd in rates.items())
        return pb.WorkspaceBillingRatesResponse(rates=rates, formatted=table)

    async def workspace_billing_summary(
        self, request: pb.WorkspaceBillingSummaryRequest
    ) -> pb.WorkspaceBillingSummaryResponse:
        fields = msgspec.structs.asdict(self.plane.scenario.billing)
        start = request.start_timestamp
        return pb.WorkspaceBillingSummaryResponse(start_timestamp=start, end_timestamp=start, **fields)

    async def environment_billing_summary(
        self, request: pb.EnvironmentBillingSummaryRequest
    ) -> pb.EnvironmentBillingSummaryResponse:
        billing = self.plane.scenario.billing
        return pb.EnvironmentBillingSummaryResponse(
            start_timestamp=request.start_timestamp,
            metered_cost=billing.metered_cost,
            metered_cost_breakdown=billing.metered_cost_breakdown,
        )

    async def workspace_billing_report(
        self, request: pb.WorkspaceBillingReportRequest
    ) -> AsyncIterator[pb.WorkspaceBillingReportItem]:
        for app in self.plane.apps.values():
            yield pb.WorkspaceBillingReportItem(
                object_id=app.id,
                description=app.description,
                environment_name=app.environment,
                interval=request.start_timestamp,
                cost="1.25",
                cost_by_resource={"A100-80GB": "1.20", "CPU": "0.05"},
            )
