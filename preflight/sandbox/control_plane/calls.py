"""Calls of functions, as the client makes them and waits for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import Call

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane

LONG_POLL_S = 55.0
UNDECIDED = pb.GenericResult.GENERIC_STATUS_UNSPECIFIED
MADE_UP = "is made up in this rehearsal: what it returns is not known here"
SYNC = pb.FUNCTION_CALL_INVOCATION_TYPE_SYNC


class Calls:
    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def function_map(self, request: pb.FunctionMapRequest) -> pb.FunctionMapResponse:
        if self._plane.scenario.permissive:
            raise GRPCError(Status.FAILED_PRECONDITION, "this control plane records and runs no function")
        function = self._plane.function(request.function_id)
        if function.is_made_up:
            name = f"{function.app.name}.{function.pre.function_name}"
            raise GRPCError(Status.FAILED_PRECONDITION, f"{name} {MADE_UP}")
        call = Call(function)
        self._plane.calls[call.id] = call
        kind = request.function_call_invocation_type
        return pb.FunctionMapResponse(
            function_call_id=call.id,
            function_call_jwt=call.id,
            retry_policy=function.definition.retry_policy,
            sync_client_retries_enabled=True,  # or retries= does nothing
            max_inputs_outstanding=1000,
            pipelined_inputs=[self._plane.enqueue(call, i, kind) for i in request.pipelined_inputs],
        )

    async def function_put_inputs(self, request: pb.FunctionPutInputsRequest) -> pb.FunctionPutInputsResponse:
        call = self._plane.call(request.function_call_id)
        return pb.FunctionPutInputsResponse(inputs=[self._plane.enqueue(call, i, SYNC) for i in request.inputs])

    async def function_retry_inputs(self, request: pb.FunctionRetryInputsRequest) -> pb.FunctionRetryInputsResponse:
        call = self._plane.call(request.function_call_jwt)
        for item in request.inputs:
            entry = self._plane.inputs[item.input_jwt]
            entry.retry_count, entry.is_done, entry.task = entry.retry_count + 1, False, None
            self._plane.wake(call.function, entry)
        return pb.FunctionRetryInputsResponse(input_jwts=[i.input_jwt for i in request.inputs])

    async def function_get_outputs(self, request: pb.FunctionGetOutputsRequest) -> pb.FunctionGetOutputsResponse:
        call = self._plane.call(request.function_call_id)

        def ready() -> list[pb.FunctionGetOutputsItem]:
            if not request.HasField("start_idx"):
                return list(call.outputs)
            return [o for o in call.outputs if request.start_idx <= o.idx <= request.end_idx]

        await call.changed.until(ready, request.timeout)
        outputs = ready()
        if request.clear_on_success:
            call.outputs = [o for o in call.outputs if o not in outputs]
        return pb.FunctionGetOutputsResponse(
            outputs=outputs,
            idxs=[o.idx for o in outputs],
            last_entry_id="1-0",
            num_unfinished_inputs=sum(not i.is_done for i in call.inputs.values()),
        )

    async def function_call_get_data_out(self, request: pb.FunctionCallGetDataRequest) -> AsyncIterator[pb.DataChunk]:
        call, seen = self._plane.call(request.function_call_id), request.last_index
        while True:
            await call.changed.until(partial(_has_more, call, seen), LONG_POLL_S)
            while seen < len(call.chunks):
                seen += 1
                yield call.chunks[seen - 1]
            if call.is_done:
                return

    async def function_finish_inputs(self, request: pb.FunctionFinishInputsRequest) -> None:
        """A map's end, which nobody here waits for."""

    async def function_call_from_id(self, request: pb.FunctionCallFromIdRequest) -> pb.FunctionCallFromIdResponse:
        call = self._plane.call(request.function_call_id)
        metadata = pb.FunctionCallHandleMetadata(app_id=call.function.app.id, function_id=call.function.id)
        return pb.FunctionCallFromIdResponse(function_call_id=call.id, num_inputs=len(call.inputs), metadata=metadata)

    async def function_get_call_graph(self, request: pb.FunctionGetCallGraphRequest) -> pb.FunctionGetCallGraphResponse:
        """Of one call; which call made which is not kept here."""
        call = self._plane.call(request.function_call_id)
        inputs = (
            pb.InputCallGraphInfo(
                input_id=i.id,
                function_call_id=call.id,
                status=next((o.result.status for o in call.outputs if o.input_id == i.id), UNDECIDED),
                task_id=i.task.id if i.task else "",
            )
            for i in call.inputs.values()
        )
        info = pb.FunctionCallCallGraphInfo(
            function_call_id=call.id,
            function_name=call.function.pre.function_name,
            module_name=call.function.definition.module_name,
        )
        return pb.FunctionGetCallGraphResponse(inputs=inputs, function_calls=[info])

    async def function_call_cancel(self, request: pb.FunctionCallCancelRequest) -> None:
        call = self._plane.call(request.function_call_id)
        for entry in call.inputs.values():
            if entry.is_done:
                continue
            if entry in call.function.pending:
                call.function.pending.remove(entry)
            self._plane.fail(entry, pb.GenericResult.GENERIC_STATUS_TERMINATED, "Input was cancelled by user")
            if entry.task:
                self._plane.background(entry.task.stop(0.2))


def _has_more(call: Call, seen: int) -> bool:
    return len(call.chunks) > seen or call.is_done
