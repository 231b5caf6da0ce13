"""Calls of functions: as the client makes them and waits, and as a container takes their inputs and answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import Call, Input, Topic
from preflight.sandbox.control_plane.plane import Plane
from preflight.sandbox.control_plane.tasks import Task

LONGEST_CALL_S = 86400.0  # of a generator that is waited for
UNDECIDED = pb.GenericResult.GENERIC_STATUS_UNSPECIFIED
MADE_UP = "is made up in this rehearsal: what it returns is not known here"
SYNC = pb.FUNCTION_CALL_INVOCATION_TYPE_SYNC


class Calls(Topic):
    async def function_map(self, request: pb.FunctionMapRequest) -> pb.FunctionMapResponse:
        if self.plane.scenario.permissive:
            raise GRPCError(Status.FAILED_PRECONDITION, "this control plane records and runs no function")
        function = self.plane.function(request.function_id)
        if function.is_made_up:
            name = f"{function.app.name}.{function.pre.function_name}"
            raise GRPCError(Status.FAILED_PRECONDITION, f"{name} {MADE_UP}")
        call = Call(function)
        self.plane.calls[call.id] = call
        kind = request.function_call_invocation_type
        return pb.FunctionMapResponse(
            function_call_id=call.id,
            function_call_jwt=call.id,
            retry_policy=function.definition.retry_policy,
            sync_client_retries_enabled=True,  # or retries= does nothing
            max_inputs_outstanding=1000,
            pipelined_inputs=[self.plane.enqueue(call, i, kind) for i in request.pipelined_inputs],
        )

    async def function_put_inputs(self, request: pb.FunctionPutInputsRequest) -> pb.FunctionPutInputsResponse:
        call = self.plane.call(request.function_call_id)
        return pb.FunctionPutInputsResponse(inputs=[self.plane.enqueue(call, i, SYNC) for i in request.inputs])

    async def function_retry_inputs(self, request: pb.FunctionRetryInputsRequest) -> pb.FunctionRetryInputsResponse:
        call = self.plane.call(request.function_call_jwt)
        for item in request.inputs:
            entry = self.plane.inputs[item.input_jwt]
            entry.retry_count, entry.is_done, entry.task = entry.retry_count + 1, False, None
            self.plane.wake(call.function, entry)
        return pb.FunctionRetryInputsResponse(input_jwts=[i.input_jwt for i in request.inputs])

    async def function_get_outputs(self, request: pb.FunctionGetOutputsRequest) -> pb.FunctionGetOutputsResponse:
        call = self.plane.call(request.function_call_id)

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
        call = self.plane.call(request.function_call_id)
        async for chunk in call.changed.rows(
            lambda: call.chunks, request.last_index, lambda: call.is_done, LONGEST_CALL_S
        ):
            yield chunk

    async def function_finish_inputs(self, request: pb.FunctionFinishInputsRequest) -> None:
        """A map's end, which nobody here waits for."""

    async def function_call_from_id(self, request: pb.FunctionCallFromIdRequest) -> pb.FunctionCallFromIdResponse:
        call = self.plane.call(request.function_call_id)
        metadata = pb.FunctionCallHandleMetadata(app_id=call.function.app.id, function_id=call.function.id)
        return pb.FunctionCallFromIdResponse(function_call_id=call.id, num_inputs=len(call.inputs), metadata=metadata)

    async def function_get_call_graph(self, request: pb.FunctionGetCallGraphRequest) -> pb.FunctionGetCallGraphResponse:
        """Of one call; which call made which is not kept here."""
        call = self.plane.call(request.function_call_id)
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
        call = self.plane.call(request.function_call_id)
        for entry in call.inputs.values():
            if entry.is_done:
                continue
            if entry in call.function.pending:
                call.function.pending.remove(entry)
            self.plane.fail(entry, pb.GenericResult.GENERIC_STATUS_TERMINATED, "Input was cancelled by user")
            if entry.task:
                self.plane.background(entry.task.stop(0.2))


DEFAULT_TIMEOUT_S = 300
DEFAULT_IDLE_S = 60


class Containers:
    def __init__(self, plane: Plane, task: Task) -> None:
        self.plane = plane
        self._task = task

    async def container_hello(self, request: Empty) -> None:
        self._task.reach(pb.TASK_STATE_ACTIVE)

    async def container_heartbeat(self, request: pb.ContainerHeartbeatRequest) -> pb.ContainerHeartbeatResponse:
        return pb.ContainerHeartbeatResponse()

    async def function_get_inputs(self, request: pb.FunctionGetInputsRequest) -> pb.FunctionGetInputsResponse:
        task, function = self._task, self._task.function
        definition = function.definition
        idle = definition.autoscaler_settings.scaledown_window or definition.task_idle_timeout_secs
        await function.changed.until(lambda: function.pending or task.is_stopping, idle or DEFAULT_IDLE_S)
        if task.is_stopping or not function.pending:
            task.is_stopping = True
            return pb.FunctionGetInputsResponse(inputs=[pb.FunctionGetInputsItem(kill_switch=True)])
        entry = function.pending.pop(0)
        entry.task, task.current[entry.id], task.has_taken = task, entry, True
        entry.deadline = self.plane.background(self._enforce(entry, definition.timeout_secs or DEFAULT_TIMEOUT_S))
        item = pb.FunctionGetInputsItem(
            input_id=entry.id,
            input=entry.payload,
            function_call_id=entry.call.id,
            function_call_invocation_type=entry.kind,
            retry_count=entry.retry_count,
        )
        return pb.FunctionGetInputsResponse(inputs=[item])

    async def _enforce(self, entry: Input, timeout_s: int) -> None:
        await asyncio.sleep(timeout_s)
        task, entry.deadline = entry.task, None
        text = f"Task's current input {entry.id} hit its timeout of {timeout_s}s"
        self.plane.fail(entry, pb.GenericResult.GENERIC_STATUS_TIMEOUT, text)
        if task:
            await task.stop(0.2)

    async def function_put_outputs(self, request: pb.FunctionPutOutputsRequest) -> None:
        if self._task.room.buckets or self._task.room.volumes:  # Modal commits in the background, too
            await asyncio.to_thread(self._task.room.commit)
        for output in request.outputs:
            self.plane.finish(self.plane.inputs[output.input_id], output)

    async def function_call_put_data_out(self, request: pb.FunctionCallPutDataRequest) -> None:
        call = self.plane.call(request.function_call_id)
        call.chunks.extend(request.data_chunks)
        call.changed.fire()

    async def volume_commit(self, request: pb.VolumeCommitRequest) -> pb.VolumeCommitResponse:
        await asyncio.to_thread(self._task.room.commit, request.volume_id)
        return pb.VolumeCommitResponse()

    async def volume_reload(self, request: pb.VolumeReloadRequest) -> Empty:
        await asyncio.to_thread(self._task.room.reload, request.volume_id)
        return Empty()

    async def task_result(self, request: pb.TaskResultRequest) -> None:
        """An import or an @enter that failed: nobody will answer this function's inputs."""
        self._task.failure = request.result
