"""All state of one control plane, and what changes it; the RPC classes are thin on top of it.

The TCP server of the client and the private socket of every container share one ``Plane``.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import TypeVar

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox import confinement, state
from preflight.sandbox.control_plane.entities import App, Call, EnvironmentRow, Function, Image, Input, new_id, now
from preflight.sandbox.control_plane.stores.stored import Dict, FileSystem, Proxy, Queue, Secret, Shelf, Volume
from preflight.sandbox.control_plane.tasks import Task

T = TypeVar("T")
LOG = logging.getLogger(__name__)
TASKS_PER_FUNCTION = 4  # where the function sets no max_containers


class Plane:
    """``s3_url`` is empty where no S3 server runs; ``requests`` names the RPCs that clients have asked.

    ``sockets`` is apart because the path of a unix socket must stay under 108 bytes (104 on macOS).
    """

    def __init__(self, scenario: state.Scenario, folder: Path, sockets: Path, *, s3_url: str = "") -> None:
        self.scenario = scenario
        self.files, self.containers, self.volumes = (folder / name for name in ("files", "containers", "volumes"))
        self.sockets = sockets
        self.s3_url = s3_url
        self.requests: list[str] = []
        self.blob_url = ""
        self.doors: dict[int, Path] = {}  # ports that a confined container reaches, by a unix socket each
        self._why_not: asyncio.Future[str] | None = None
        self.builder_version = scenario.workspace.image_builder_version
        self.environments = {
            name: EnvironmentRow(name, given, given.image_builder_version)
            for name, given in scenario.environments.items()
        }
        self.shelf = Shelf(self)
        for name, values in scenario.secrets.items():
            self.shelf.add(Secret(name, self.main, values=dict(values)))
        for name in scenario.volumes:
            self.shelf.add(Volume(name, self.main, is_assumed=scenario.invents))
        for kind, names in (
            (Dict, scenario.dicts),
            (Queue, scenario.queues),
            (FileSystem, scenario.file_systems),
            (Proxy, scenario.proxies),
        ):
            for name in names:
                self.shelf.add(kind(name, self.main))
        self.apps: dict[str, App] = {}
        self.functions: dict[str, Function] = {}
        self.calls: dict[str, Call] = {}
        self.inputs: dict[str, Input] = {}
        self.classes: dict[str, pb.ClassHandleMetadata] = {}
        self.mounts: dict[str, pb.MountGetOrCreateRequest] = {}
        self.images: dict[str, Image] = {}
        self.blobs: dict[str, bytes] = {}
        self.faults_left = {name: f.times for name, f in scenario.server.faults.items()}
        self._background: set[asyncio.Task[None]] = set()
        self.files.mkdir(parents=True, exist_ok=True)
        self.containers.mkdir(exist_ok=True)
        for given in scenario.apps:
            self._remember(given)

    @property
    def makes_what_is_asked_for(self) -> bool:
        return self.scenario.permissive or self.scenario.invents

    async def why_not_confined(self) -> str:
        """What keeps this machine from confining a container; "" where nothing does.  Found out once."""
        if self._why_not is None:
            self._why_not = asyncio.ensure_future(asyncio.to_thread(confinement.why_not))
        return await asyncio.shield(self._why_not)

    @property
    def main(self) -> str:
        """The name of the default environment."""
        return next(n for n, e in self.scenario.environments.items() if e.default)

    def _remember(self, given: state.App) -> None:
        app = App(given.description, pb.AppState.Value(f"APP_STATE_{given.state}"), given.environment, given.name)
        app.created_at -= 3600 * given.age_hours
        app.extra_tasks = given.tasks
        app.logs_done = given.state == "STOPPED"
        if given.log:
            app.log(given.log, pb.FILE_DESCRIPTOR_STDOUT)
        self.apps[app.id] = app
        for name in given.functions:
            self.make_up(app, name)
        for name in given.classes:
            self.make_up_class(app, name)

    def make_up(self, app: App, name: str) -> Function:
        """A function that another app is said to have; it can be looked up, and not be called."""
        pre = pb.FunctionPrecreateRequest(
            app_id=app.id,
            function_name=name,
            function_type=pb.Function.FUNCTION_TYPE_FUNCTION,
            supported_input_formats=[pb.DATA_FORMAT_PICKLE],
            supported_output_formats=[pb.DATA_FORMAT_PICKLE],
        )
        function = self.keep(Function(app, pre, is_made_up=True))
        function.definition.function_name = name
        app.layout.function_ids[name] = function.id
        return function

    def keep(self, function: Function) -> Function:
        self.functions[function.id] = function.app.functions[function.id] = function
        return function

    def make_up_app(self, name: str, environment: str) -> App:
        app = App(name, pb.APP_STATE_DEPLOYED, self.environment(environment).name, name)
        self.apps[app.id] = app
        return app

    def make_up_class(self, app: App, name: str) -> str:
        """Its id."""
        self.make_up(app, f"{name}.*").definition.is_class = True
        class_id = app.layout.class_ids[name] = new_id("cs")
        self.classes[class_id] = pb.ClassHandleMetadata()
        return class_id

    def background(self, coroutine: Coroutine[object, None, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(coroutine)
        self._background.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()):
            LOG.error("a background task of the control plane broke", exc_info=error)

    # ---- finding things ------------------------------------------------------------------------------------

    def environment(self, name: str) -> EnvironmentRow:
        row = self.environments.get(name or self.main)
        if row is None and self.makes_what_is_asked_for:
            row = self.environments[name] = EnvironmentRow(name, state.Environment(), None)
        if row is None:
            raise GRPCError(Status.INVALID_ARGUMENT, f"Environment '{name}' not found")
        return row

    def app(self, app_id: str) -> App:
        return _found(self.apps, app_id, "App")

    def image(self, image_id: str) -> Image:
        return _found(self.images, image_id, "Image")

    def call(self, call_id: str) -> Call:
        return _found(self.calls, call_id, "Function call")

    def function(self, function_id: str) -> Function:
        return _found(self.functions, function_id, "Function")

    def deployed(self, name: str, environment: str) -> App | None:
        env = self.environment(environment).name
        return next(
            (a for a in self.apps.values() if (a.name, a.environment, a.state) == (name, env, pb.APP_STATE_DEPLOYED)),
            None,
        )

    def volume(self, volume_id: str) -> Path:
        folder = self.volumes / volume_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def file(self, sha256_hex: str) -> Path:
        return self.files / sha256_hex

    def image_chain(self, image_id: str) -> list[Image]:
        """The image and what it is built from, base first."""
        image = self.images.get(image_id)
        if image is None:
            return []
        below = [i for base in image.definition.base_images for i in self.image_chain(base.image_id)]
        return [*below, image]

    def image_env(self, image_id: str) -> dict[str, str]:
        """The ENV lines of the image and its bases; the client writes ``ENV K=<shell-quoted V>``."""
        env: dict[str, str] = {}
        for image in self.image_chain(image_id):
            for command in image.definition.dockerfile_commands:
                if command.startswith("ENV ") and not command.startswith("ENV TERMINFO_DIRS"):
                    pairs = (kv.partition("=") for kv in shlex.split(command[4:]) if "=" in kv)
                    env.update((name, value) for name, _, value in pairs)
        return env

    def layout(self, app: App) -> pb.AppLayout:
        """Lists whatever a function depends on, or its container raises KeyError while hydrating."""
        out = pb.AppLayout(function_ids=app.layout.function_ids, class_ids=app.layout.class_ids)
        seen: set[str] = set()
        for function_id in {*app.layout.function_ids.values(), *app.functions}:
            function = self.functions[function_id]
            out.objects.add(object_id=function_id, function_handle_metadata=function.metadata())
            for dependency in function.definition.object_dependencies:
                object_id = dependency.object_id
                if object_id in seen or object_id.startswith(("fu-", "cs-")):
                    continue
                seen.add(object_id)
                entry = out.objects.add(object_id=object_id)
                if object_id.startswith("mo-"):
                    entry.mount_handle_metadata.SetInParent()
                elif object_id.startswith("vo-"):
                    entry.volume_metadata.CopyFrom(self.shelf.get(Volume, object_id).shown_in(pb.VolumeMetadata))
        for class_id in app.layout.class_ids.values():
            out.objects.add(object_id=class_id, class_handle_metadata=self.classes[class_id])
        return out

    # ---- calls and containers ------------------------------------------------------------------------------

    def enqueue(
        self, call: Call, item: pb.FunctionPutInputsItem, kind: pb.FunctionCallInvocationType.ValueType
    ) -> pb.FunctionPutInputsResponseItem:
        entry = Input(call, item.idx, item.input, kind)
        call.inputs[entry.id] = self.inputs[entry.id] = entry
        self.wake(call.function, entry)
        return pb.FunctionPutInputsResponseItem(idx=item.idx, input_id=entry.id, input_jwt=entry.id)

    def wake(self, function: Function, entry: Input) -> None:
        """Queue ``entry``, and start a container where none is free to take it."""
        function.pending.append(entry)
        function.changed.fire()
        idle = sum(1 for t in function.tasks if not t.current and not t.is_stopping)
        limit = function.definition.concurrency_limit or TASKS_PER_FUNCTION
        if len(function.pending) > idle and len(function.tasks) < limit:
            self.start_task(function)

    def start_task(self, function: Function) -> None:
        task = Task(self, function)
        function.tasks.add(task)
        function.app.tasks.add(task)
        self.background(task.run())

    def finish(self, entry: Input, item: pb.FunctionPutOutputsItem) -> None:
        if entry.is_done:
            return
        entry.is_done = True
        if entry.task:
            entry.task.current.pop(entry.id, None)
        if entry.deadline:
            entry.deadline.cancel()
        output = pb.FunctionGetOutputsItem(
            result=item.result,
            idx=entry.idx,
            input_id=entry.id,
            data_format=item.data_format,
            retry_count=entry.retry_count,
            task_id=entry.task.id if entry.task else "",
            input_started_at=item.input_started_at,
            output_created_at=item.output_created_at,
        )
        entry.call.outputs.append(output)
        entry.call.changed.fire()

    def fail(self, entry: Input, status: pb.GenericResult.GenericStatus.ValueType, why: str) -> None:
        result = pb.GenericResult(status=status, exception=why)
        self.finish(entry, pb.FunctionPutOutputsItem(result=result, input_id=entry.id))

    async def stop_app(self, app: App) -> None:
        if app.is_stopping:
            return
        app.is_stopping = True
        for function in app.functions.values():
            pending, function.pending = function.pending, []
            for entry in pending:
                self.fail(entry, pb.GenericResult.GENERIC_STATUS_TERMINATED, "App stopped")
        await asyncio.gather(*(t.stop() for t in list(app.tasks)))
        await app.changed.until(lambda: not app.tasks, 3.0)
        app.state, app.stopped_at, app.extra_tasks, app.logs_done = pb.APP_STATE_STOPPED, now(), 0, True
        app.changed.fire()

    async def stop(self) -> None:
        """End every container; what still waits is told to go."""
        await asyncio.gather(*(self.stop_app(a) for a in list(self.apps.values()) if a.tasks))
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)


def _found(rows: Mapping[str, T], key: str, what: str) -> T:
    if key not in rows:
        raise GRPCError(Status.NOT_FOUND, f"{what} '{key}' not found")
    return rows[key]
