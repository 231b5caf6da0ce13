"""What a container asks: for inputs, and to hand back outputs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2 as pb

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.entities import Input
    from preflight.sandbox.control_plane.plane import Plane
    from preflight.sandbox.control_plane.tasks import Task

DEFAULT_TIMEOUT_S = 300
DEFAULT_IDLE_S = 60


class Containers:
    def __init__(self, plane: Plane, task: Task) -> None:
        self._plane = plane
        self._task = task

    async def container_hello(self, request: Empty) -> None:
        self._task.is_active()

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
        entry.deadline = self._plane.background(self._enforce(entry, definition.timeout_secs or DEFAULT_TIMEOUT_S))
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
        self._plane.fail(entry, pb.GenericResult.GENERIC_STATUS_TIMEOUT, text)
        if task:
            await task.stop(0.2)

    async def function_put_outputs(self, request: pb.FunctionPutOutputsRequest) -> None:
        if self._task.room.buckets or self._task.room.volumes:  # Modal commits in the background, too
            await asyncio.to_thread(self._task.room.commit)
        for output in request.outputs:
            self._plane.finish(self._plane.inputs[output.input_id], output)

    async def function_call_put_data_out(self, request: pb.FunctionCallPutDataRequest) -> None:
        call = self._plane.call(request.function_call_id)
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
