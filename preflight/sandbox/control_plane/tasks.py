"""One container: a local process running Modal's own entrypoint, with a unix socket that only it uses.

A container sends no credentials, and RPCs such as TaskResult carry no task id: the socket says who speaks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from grpclib.server import Server
from modal_proto import api_pb2 as pb

from preflight.process import signal_group
from preflight.sandbox.control_plane.disk import NotMounted
from preflight.sandbox.control_plane.entities import Function, Input, new_id
from preflight.sandbox.control_plane.room import Room

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane

LOG = logging.getLogger(__name__)


class Task:
    def __init__(self, plane: Plane, function: Function) -> None:
        self.id = new_id("ta")
        self.plane = plane
        self.function = function
        self.app = function.app
        self.dir = plane.containers / self.id
        self.room = Room(self)
        self.socket = str(plane.sockets / f"{self.id[-8:]}.s")
        self.current: dict[str, Input] = {}
        self.started_at = time.time()
        self.has_taken = False  # an input
        self.last_line = "it printed nothing"
        self.is_stopping = False
        self.failure: pb.GenericResult | None = None  # what it said before it could take an input
        self._process: asyncio.subprocess.Process | None = None
        self._ended = asyncio.Event()

    async def run(self) -> None:
        from preflight.sandbox.control_plane.service import Service

        started = time.monotonic()
        server = Server([Service(self.plane, self)])
        try:
            await server.start(path=self.socket)
            await self.room.build()
            self.reach(pb.TASK_STATE_CREATING_CONTAINER)
            code = await self._serve_process()
            await asyncio.to_thread(self.room.commit)
        except NotMounted as e:
            self.failure = pb.GenericResult(status=pb.GenericResult.GENERIC_STATUS_INIT_FAILURE, exception=str(e))
            code = 1
        finally:
            self._kill(signal.SIGKILL)  # the group: what the function started may outlive it
            server.close()
            await asyncio.to_thread(Path(self.socket).unlink, missing_ok=True)
            self.function.tasks.discard(self)
            self.app.tasks.discard(self)
            self._ended.set()
        LOG.info("container %s ended with %s after %.2f s", self.id, code, time.monotonic() - started)
        self._settle(code)
        self.app.changed.fire()
        await asyncio.to_thread(self.room.clear)

    async def _serve_process(self) -> int:
        if self.is_stopping:
            return 0
        self._process = await asyncio.create_subprocess_exec(
            *self.room.command,
            cwd=self.dir / "root",
            env=self.room.environ(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        (self.dir / "pid").write_text(str(self._process.pid), encoding="utf-8")
        assert self._process.stdout and self._process.stderr
        pumps = asyncio.gather(
            self._pump(self._process.stdout, pb.FILE_DESCRIPTOR_STDOUT),
            self._pump(self._process.stderr, pb.FILE_DESCRIPTOR_STDERR),
        )
        code = await self._process.wait()
        with contextlib.suppress(TimeoutError):  # a grandchild may hold the pipe open for ever
            await asyncio.wait_for(pumps, 0.5)
        return code

    async def _pump(self, stream: asyncio.StreamReader, descriptor: pb.FileDescriptor.ValueType) -> None:
        while data := await stream.read(65536):
            text = data.decode("utf-8", "replace")
            self.last_line = next((line for line in reversed(text.splitlines()) if line.strip()), self.last_line)
            self.app.log(text, descriptor, task_id=self.id, function_id=self.function.id)

    def reach(self, task_state: pb.TaskState.ValueType) -> None:
        descriptor = pb.FILE_DESCRIPTOR_INFO
        self.app.log("", descriptor, task_id=self.id, function_id=self.function.id, task_state=task_state)

    def _settle(self, code: int) -> None:
        """Answer for the inputs it died with, and for those that nobody will take now."""
        for entry in list(self.current.values()):
            status = (
                pb.GenericResult.GENERIC_STATUS_INTERNAL_FAILURE if code else pb.GenericResult.GENERIC_STATUS_TERMINATED
            )
            self.plane.fail(entry, status, f"Container exited with code {code} before returning a result")
        function = self.function
        if not function.pending or function.tasks or self.app.is_stopping:
            return
        if self.failure is None and (self.has_taken or code == 0):
            self.plane.start_task(function)
            return
        status = pb.GenericResult.GENERIC_STATUS_INIT_FAILURE
        text = f"Container exited with code {code} before it took an input: {self.last_line}"
        self.failure = self.failure or pb.GenericResult(status=status, exception=text)
        pending, function.pending = function.pending, []
        for entry in pending:
            self.plane.finish(entry, pb.FunctionPutOutputsItem(result=self.failure, input_id=entry.id))

    # ---- its end -------------------------------------------------------------------------------------------

    async def stop(self, grace_s: float = 2.0) -> None:
        """The kill switch first (it lets @exit and a volume's commit run), then SIGTERM, then SIGKILL."""
        self.is_stopping = True
        self.function.changed.fire()
        if self.current and grace_s:
            self._kill(signal.SIGTERM)
        for wait_s, then in ((grace_s, signal.SIGTERM), (1.0, signal.SIGKILL)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), wait_s)
                return
            self._kill(then)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), 2.0)

    def _kill(self, number: signal.Signals) -> None:
        if self._process is not None:
            signal_group(self._process.pid, number)
