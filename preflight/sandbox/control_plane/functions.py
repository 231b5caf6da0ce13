"""Functions and classes as the client defines them."""

from __future__ import annotations

import hashlib
import re

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import App, Function, Topic, new_id

GPU = re.compile(r"ANY|T4|L4|L40S|A10G?|A100(-40GB|-80GB)?|H100!?|H200!?|B200\+?|B300|RTX-PRO-6000", re.IGNORECASE)
LONGEST_S = 86400
Tagged = pb.ClassGetRequest | pb.FunctionGetRequest


class Functions(Topic):
    async def function_precreate(self, request: pb.FunctionPrecreateRequest) -> pb.FunctionPrecreateResponse:
        function = self._existing(request.existing_function_id, request)
        function.pre = request
        return pb.FunctionPrecreateResponse(function_id=function.id, handle_metadata=function.metadata())

    def _existing(self, function_id: str, pre: pb.FunctionPrecreateRequest) -> Function:
        known = self.plane.functions.get(function_id)
        return known or self.plane.keep(Function(self.plane.app(pre.app_id), pre))

    async def function_create(self, request: pb.FunctionCreateRequest) -> pb.FunctionCreateResponse:
        data = request.function_data if request.function_data.ranked_functions else _as_data(request.function)
        pre = pb.FunctionPrecreateRequest(
            app_id=request.app_id, function_name=data.function_name, function_type=data.function_type
        )
        function = self._existing(request.existing_function_id, pre)
        definition = data.ranked_functions[0].function
        if not self.plane.scenario.permissive:
            for ranked in data.ranked_functions:
                _refuse_what_modal_refuses(ranked.function)
        function.definition.CopyFrom(definition)
        function.data.CopyFrom(data)
        warnings = self.plane.scenario.server.function_warnings
        return pb.FunctionCreateResponse(
            function_id=function.id,
            function=definition,
            function_data=data,
            handle_metadata=function.metadata(),
            server_warnings=[pb.Warning(message=w) for w in warnings],
        )

    async def class_create(self, request: pb.ClassCreateRequest) -> pb.ClassCreateResponse:
        class_id = request.existing_class_id or new_id("cs")
        metadata = self.plane.classes[class_id] = pb.ClassHandleMetadata()
        return pb.ClassCreateResponse(class_id=class_id, handle_metadata=metadata)

    async def class_get(self, request: pb.ClassGetRequest) -> pb.ClassGetResponse:
        app = self._app(request)
        class_id = app.layout.class_ids.get(request.object_tag)
        if class_id is None:
            self._must_invent("Class", request)
            class_id = self.plane.make_up_class(app, request.object_tag)
        return pb.ClassGetResponse(class_id=class_id, handle_metadata=self.plane.classes[class_id])

    async def function_get(self, request: pb.FunctionGetRequest) -> pb.FunctionGetResponse:
        app = self._app(request)
        function = self.plane.functions.get(app.layout.function_ids.get(request.object_tag, ""))
        if function is None:
            self._must_invent("Function", request)
            function = self.plane.make_up(app, request.object_tag)
        return pb.FunctionGetResponse(
            function_id=function.id, handle_metadata=function.metadata(), function=_shown(function)
        )

    def _must_invent(self, what: str, request: Tagged) -> None:
        if not self.plane.scenario.invents:
            raise GRPCError(Status.NOT_FOUND, f"{what} '{request.object_tag}' not found in app '{request.app_name}'")

    def _app(self, request: Tagged) -> App:
        app = self.plane.deployed(request.app_name, request.environment_name)
        if app is None and not self.plane.scenario.invents:
            raise GRPCError(Status.NOT_FOUND, f"App '{request.app_name}' not found")
        return app or self.plane.make_up_app(request.app_name, request.environment_name)

    async def function_get_by_id(self, request: pb.FunctionGetByIdRequest) -> pb.FunctionGetByIdResponse:
        function = self.plane.function(request.function_id)
        return pb.FunctionGetByIdResponse(function=_shown(function), handle_metadata=function.metadata())

    async def function_bind_params(self, request: pb.FunctionBindParamsRequest) -> pb.FunctionBindParamsResponse:
        """A variant of a class or function: the same code with parameters, and other resources."""
        base = self.plane.function(request.function_id)
        key = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()[:22]
        variant = self.plane.functions.get(f"fu-{key}")
        if variant is None:
            variant = Function(base.app, base.pre, id=f"fu-{key}", definition_id=base.definition_id)
            variant.parameters = request.serialized_params or base.parameters
            variant.is_made_up = base.is_made_up
            variant.definition.CopyFrom(base.definition)
            _change(variant.definition, request.function_options)
            self.plane.keep(variant)
        return pb.FunctionBindParamsResponse(bound_function_id=variant.id, handle_metadata=variant.metadata())

    async def function_get_current_stats(self, request: pb.FunctionGetCurrentStatsRequest) -> pb.FunctionStats:
        function = self.plane.function(request.function_id)
        return pb.FunctionStats(
            backlog=len(function.pending),
            num_total_tasks=len(function.tasks),
            num_running_inputs=sum(len(t.current) for t in function.tasks),
        )

    async def function_update_scheduling_params(
        self, request: pb.FunctionUpdateSchedulingParamsRequest
    ) -> pb.FunctionUpdateSchedulingParamsResponse:
        settings = self.plane.function(request.function_id).definition.autoscaler_settings
        settings.MergeFrom(request.settings)
        return pb.FunctionUpdateSchedulingParamsResponse(current_settings=settings)

    async def function_get_scheduling_params(
        self, request: pb.FunctionGetSchedulingParamsRequest
    ) -> pb.FunctionGetSchedulingParamsResponse:
        settings = self.plane.function(request.function_id).definition.autoscaler_settings
        return pb.FunctionGetSchedulingParamsResponse(
            autoscaler_configuration=pb.AutoscalerConfiguration(settings=settings, static_settings=settings)
        )


def _shown(function: Function) -> pb.FunctionData:
    ranked = pb.FunctionData.RankedFunction(function=function.definition)
    return pb.FunctionData(ranked_functions=[ranked], timeout_secs=function.definition.timeout_secs)


def _change(definition: pb.Function, options: pb.FunctionOptions) -> None:
    """`with_options()`: what it names replaces what the definition has."""
    for field, value in options.ListFields():
        name = field.name
        if name.startswith("replace_") or name not in pb.Function.DESCRIPTOR.fields_by_name:
            continue
        definition.ClearField(name)
        if field.is_repeated:
            getattr(definition, name).extend(value)
        elif field.message_type is not None:
            getattr(definition, name).CopyFrom(value)
        else:
            setattr(definition, name, value)


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
