"""Rates, the cycle's summary, and cost per app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from modal_proto import api_pb2 as pb

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane


class Billing:
    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def workspace_billing_rates(
        self, request: pb.WorkspaceBillingRatesRequest
    ) -> pb.WorkspaceBillingRatesResponse:
        rates = self._plane.scenario.rates
        table = "\n".join(f"{name:32} ${usd}" for name, usd in rates.items())
        return pb.WorkspaceBillingRatesResponse(rates=rates, formatted=table)

    async def workspace_billing_summary(
        self, request: pb.WorkspaceBillingSummaryRequest
    ) -> pb.WorkspaceBillingSummaryResponse:
        billing = self._plane.scenario.billing
        return pb.WorkspaceBillingSummaryResponse(
            start_timestamp=request.start_timestamp,
            end_timestamp=request.start_timestamp,
            metered_cost=billing.metered_cost,
            billed_cost=billing.billed_cost,
            adjustments=billing.adjustments,
            metered_cost_breakdown=billing.metered_cost_breakdown,
        )

    async def environment_billing_summary(
        self, request: pb.EnvironmentBillingSummaryRequest
    ) -> pb.EnvironmentBillingSummaryResponse:
        billing = self._plane.scenario.billing
        return pb.EnvironmentBillingSummaryResponse(
            start_timestamp=request.start_timestamp,
            metered_cost=billing.metered_cost,
            metered_cost_breakdown=billing.metered_cost_breakdown,
        )

    async def workspace_billing_report(
        self, request: pb.WorkspaceBillingReportRequest
    ) -> AsyncIterator[pb.WorkspaceBillingReportItem]:
        for app in self._plane.apps.values():
            yield pb.WorkspaceBillingReportItem(
                object_id=app.id,
                description=app.description,
                environment_name=app.environment,
                interval=request.start_timestamp,
                cost="1.25",
                cost_by_resource={"A100-80GB": "1.20", "CPU": "0.05"},
            )
