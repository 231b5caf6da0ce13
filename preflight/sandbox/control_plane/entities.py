"""What the control plane remembers of what runs: apps, functions, calls, images; and what answers for it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import string
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from modal_proto import api_pb2 as pb

from preflight.sandbox import state

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane
    from preflight.sandbox.control_plane.tasks import Task

T = TypeVar("T")
LETTERS = string.digits + string.ascii_letters
TASK_LETTERS = string.digits + string.ascii_uppercase


def new_id(prefix: str) -> str:
    """The client tells kinds by prefix, app ids by 22 letters after it and task ids by 26 capitals."""
    letters, length = (TASK_LETTERS, 26) if prefix == "ta" else (LETTERS, 22)
    return f"{prefix}-" + "".join(secrets.choice(letters) for _ in range(length))


def now() -> float:
    return time.time()


class Changed:
    """Owned by the thing that changes: it fires, the waiters look again."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def fire(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, is_so: Callable[[], object], timeout_s: float) -> bool:
        """Whether it became so within ``timeout_s``."""
        end = time.monotonic() + timeout_s
        while not is_so():
            left = end - time.monotonic()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._event.wait(), left)
        return True

    async def rows(
        self, rows: Callable[[], Sequence[T]], seen: int, is_over: Callable[[], object], timeout_s: float
    ) -> AsyncIterator[T]:
        """Those after the first ``seen``, as they come, until it is over or nothing more came in time."""

        def has_more() -> object:
            return len(rows()) > seen or is_over()

        end = time.monotonic() + timeout_s
        while await self.until(has_more, max(0.0, end - time.monotonic())) and len(rows()) > seen:
            seen += 1
            yield rows()[seen - 1]


@dataclass
class EnvironmentRow:
    name: str
    given: state.Environment
    image_builder_version: str | None
    id: str = field(default_factory=lambda: new_id("en"))


@dataclass(eq=False)
class App:
    description: str
    state: pb.AppState.ValueType
    environment: str
    name: str = ""
    id: str = field(default_factory=lambda: new_id("ap"))
    created_at: float = field(default_factory=now)
    stopped_at: float = 0.0
    extra_tasks: int = 0  # of apps that the scenario says were running before
    layout: pb.AppLayout = field(default_factory=pb.AppLayout)
    functions: dict[str, Function] = field(default_factory=dict)
    logs: list[pb.TaskLogsBatch] = field(default_factory=list)
    tasks: set[Task] = field(default_factory=set)
    changed: Changed = field(default_factory=Changed)
    deploys: list[tuple[float, str]] = field(default_factory=list)  # when, and with which tag
    tags: dict[str, str] = field(default_factory=dict)
    is_stopping: bool = False
    logs_done: bool = False

    def lifecycle(self) -> pb.AppLifecycle:
        return pb.AppLifecycle(
            app_state=self.state, created_at=self.created_at, created_by="alice", stopped_at=self.stopped_at
        )

    def metadata(self) -> pb.AppHandleMetadata:
        return pb.AppHandleMetadata(
            description=self.description,
            app_id=self.id,
            environment_name=self.environment,
            lifecycle=self.lifecycle(),
            functions=dict(self.layout.function_ids),
        )

    def log(
        self,
        text: str,
        descriptor: pb.FileDescriptor.ValueType,
        *,
        task_id: str = "",
        function_id: str = "",
        task_state: pb.TaskState.ValueType = pb.TASK_STATE_UNSPECIFIED,
    ) -> None:
        item = pb.TaskLogs(data=text, file_descriptor=descriptor, timestamp=now(), task_state=task_state)
        batch = pb.TaskLogsBatch(
            entry_id=f"{len(self.logs) + 1}-0", task_id=task_id, function_id=function_id, items=[item]
        )
        self.logs.append(batch)
        self.changed.fire()


@dataclass(eq=False)
class Function:
    app: App
    pre: pb.FunctionPrecreateRequest
    id: str = field(default_factory=lambda: new_id("fu"))
    definition_id: str = field(default_factory=lambda: new_id("de"))
    definition: pb.Function = field(default_factory=pb.Function)
    data: pb.FunctionData = field(default_factory=pb.FunctionData)  # empty until the client has defined it
    parameters: bytes = b""  # of a class, bound to this variant of its function
    is_made_up: bool = False  # another app's, of which only the name is known
    pending: list[Input] = field(default_factory=list)
    tasks: set[Task] = field(default_factory=set)
    changed: Changed = field(default_factory=Changed)

    @property
    def is_the_apps(self) -> bool:
        """Not one that was never defined, and not one of `Image.run_function`, which belongs to the image."""
        return bool(self.data.ranked_functions) and not self.definition.is_builder_function

    def web_url(self, name: str) -> str:
        """What the real one looks like; nothing listens there."""
        label = f"{self.app.name or self.app.description}-{name}".lower().replace("_", "-").replace(".", "-")
        return f"https://sandbox--{label}.modal.invalid"

    def metadata(self) -> pb.FunctionHandleMetadata:
        # use_method_name must be set or a container dies with KeyError ''; max_object_size_bytes must not be,
        # or every argument goes through the blob store
        methods = {n: self._handle(m, use_method_name=n) for n, m in self.pre.method_definitions.items()}
        return self._handle(
            self.pre,
            definition_id=self.definition_id,
            is_method=self.definition.is_method,
            class_parameter_info=self.definition.class_parameter_info,
            method_handle_metadata=methods,
            web_url=self.web_url(self.pre.function_name) if self.definition.webhook_config.type else "",
        )

    def _handle(self, of: pb.FunctionPrecreateRequest | pb.MethodDefinition, **more: Any) -> pb.FunctionHandleMetadata:
        return pb.FunctionHandleMetadata(
            function_name=of.function_name,
            function_type=of.function_type,
            function_schema=of.function_schema,
            supported_input_formats=of.supported_input_formats,
            supported_output_formats=of.supported_output_formats,
            app_id=self.app.id,
            **more,
        )


@dataclass(eq=False)
class Input:
    call: Call
    idx: int
    payload: pb.FunctionInput
    kind: pb.FunctionCallInvocationType.ValueType
    id: str = field(default_factory=lambda: new_id("in"))
    retry_count: int = 0
    task: Task | None = None
    is_done: bool = False
    deadline: asyncio.Task[None] | None = None


@dataclass(eq=False)
class Call:
    function: Function
    id: str = field(default_factory=lambda: new_id("fc"))
    inputs: dict[str, Input] = field(default_factory=dict)
    outputs: list[pb.FunctionGetOutputsItem] = field(default_factory=list)
    chunks: list[pb.DataChunk] = field(default_factory=list)
    changed: Changed = field(default_factory=Changed)

    @property
    def is_done(self) -> bool:
        return all(i.is_done for i in self.inputs.values())


@dataclass(eq=False)
class Image:
    """``status`` is unset while nobody has built it, or while it builds."""

    definition: pb.Image
    builder_version: str
    status: pb.GenericResult.GenericStatus.ValueType = pb.GenericResult.GENERIC_STATUS_UNSPECIFIED
    exception: str = ""
    logs: list[pb.TaskLogs] = field(default_factory=list)
    is_building: bool = False
    changed: Changed = field(default_factory=Changed)


class Topic:
    """RPCs on one subject: each of its public methods answers the RPC of that name."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self.shelf = plane.shelf
