"""Functions and classes as the client defines them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import Function, new_id

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane

GPU = re.compile(r"ANY|T4|L4|L40S|A10G?|A100(-40GB|-80GB)?|H100!?|H200!?|B200\+?|B300|RTX-PRO-6000", re.IGNORECASE)
LONGEST_S = 86400


class Functions:
    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def function_precreate(self, request: pb.FunctionPrecreateRequest) -> pb.FunctionPrecreateResponse:
        function = self._plane.functions.get(request.existing_function_id)
        if function is None:
            function = Function(self._plane.app(request.app_id), request)
            self._keep(function)
        function.pre = request
        return pb.FunctionPrecreateResponse(function_id=function.id, handle_metadata=function.metadata())

    def _keep(self, function: Function) -> None:
        self._plane.functions[function.id] = function.app.functions[function.id] = function

    async def function_create(self, request: pb.FunctionCreateRequest) -> pb.FunctionCreateResponse:
        data = request.function_data if request.function_data.ranked_functions else _as_data(request.function)
        function = self._plane.functions.get(request.existing_function_id)
        if function is None:
            pre = pb.FunctionPrecreateRequest(
                app_id=request.app_id, function_name=data.function_name, function_type=data.function_type
            )
            function = Function(self._plane.app(request.app_id), pre)
            self._keep(function)
        definition = data.ranked_functions[0].function
        if not self._plane.scenario.permissive:
            for ranked in data.ranked_functions:
                _refuse_what_modal_refuses(ranked.function)
        function.definition.CopyFrom(definition)
        warnings = self._plane.scenario.server.function_warnings
        return pb.FunctionCreateResponse(
            function_id=function.id,
            function=definition,
            function_data=data,
            handle_metadata=function.metadata(),
            server_warnings=[pb.Warning(message=w) for w in warnings],
        )

    async def class_create(self, request: pb.ClassCreateRequest) -> pb.ClassCreateResponse:
        class_id = request.existing_class_id or new_id("cs")
        metadata = self._plane.classes[class_id] = pb.ClassHandleMetadata()
        return pb.ClassCreateResponse(class_id=class_id, handle_metadata=metadata)

    async def function_get(self, request: pb.FunctionGetRequest) -> pb.FunctionGetResponse:
        app = self._plane.deployed(request.app_name, request.environment_name)
        if app is None or request.object_tag not in app.layout.function_ids:
            text = f"Function '{request.object_tag}' not found in app '{request.app_name}'"
            raise GRPCError(Status.NOT_FOUND, text)
        function = self._plane.functions[app.layout.function_ids[request.object_tag]]
        ranked = pb.FunctionData.RankedFunction(function=function.definition)
        data = pb.FunctionData(ranked_functions=[ranked], timeout_secs=function.definition.timeout_secs)
        return pb.FunctionGetResponse(function_id=function.id, handle_metadata=function.metadata(), function=data)


def _as_data(definition: pb.Function) -> pb.FunctionData:
    """Clients from 1.6.0 refuse an answer without a ranked function; those before send only ``function``."""
    shared = {
        f.name: getattr(definition, f.name)
        for f in pb.FunctionData.DESCRIPTOR.fields
        if f.name in pb.Function.DESCRIPTOR.fields_by_name
        and f.name != "ranked_functions"
        and (not f.has_presence or definition.HasField(f.name))
    }
    data = pb.FunctionData(**shared)
    data.ranked_functions.add(rank=0, function=definition)
    return data


def _refuse_what_modal_refuses(definition: pb.Function) -> None:
    gpu, timeout = definition.resources.gpu_config, definition.timeout_secs
    if gpu.count and not GPU.fullmatch(gpu.gpu_type):
        raise GRPCError(Status.INVALID_ARGUMENT, f"Unknown GPU type: {gpu.gpu_type}")
    if timeout and not 1 <= timeout <= LONGEST_S:
        raise GRPCError(Status.INVALID_ARGUMENT, f"Timeout must be between 1s and {LONGEST_S}s")
