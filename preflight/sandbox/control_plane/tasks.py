"""One container: a local process running Modal's own entrypoint, with a unix socket that only it uses.

A container sends no credentials, and RPCs such as TaskResult carry no task id: the socket says who speaks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from grpclib.server import Server
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane import entrypoint
from preflight.sandbox.control_plane.entities import Function, Input, new_id
from preflight.sandbox.control_plane.stored import Secret
from preflight.sandbox.state import NO_S3

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane

LOG = logging.getLogger(__name__)
PROBE = "preflight.probe.payload"  # its containers, and no others, see the stand-ins for torch and mamba-ssm
HOST_ONLY = ("MODAL_", "AWS_", "PYTHON", "PREFLIGHT_")  # of the machine that serves, not of the container
COPY = re.compile(r"COPY (\S+) (\S+)")


class Task:
    def __init__(self, plane: Plane, function: Function) -> None:
        self.id = new_id("ta")
        self.plane = plane
        self.function = function
        self.app = function.app
        self.dir = plane.folders.containers / self.id
        self.socket = str(plane.folders.sockets / f"{self.id[-8:]}.s")
        self.current: dict[str, Input] = {}
        self.started_at = time.time()
        self.is_stopping = False
        self.failure: pb.GenericResult | None = None  # what it said before it could take an input
        self._process: asyncio.subprocess.Process | None = None
        self._ended = asyncio.Event()

    async def run(self) -> None:
        from preflight.sandbox.control_plane.service import Service

        started = time.monotonic()
        server = Server([Service(self.plane, self)])
        try:
            await asyncio.to_thread(self._unpack)
            await server.start(path=self.socket)
            self._log("", pb.FILE_DESCRIPTOR_INFO, pb.TASK_STATE_CREATING_CONTAINER)
            code = await self._serve_process()
        finally:
            self._kill(signal.SIGKILL)  # the group: what the function started may outlive it
            server.close()
            self._forget_socket()
            self.function.tasks.discard(self)
            self.app.tasks.discard(self)
            self._ended.set()
        LOG.info("container %s ended with %s after %.2f s", self.id, code, time.monotonic() - started)
        self._settle(code)
        self.app.changed.fire()
        await asyncio.to_thread(shutil.rmtree, self.dir, ignore_errors=True)

    async def _serve_process(self) -> int:
        if self.is_stopping:
            return 0
        self._process = await asyncio.create_subprocess_exec(
            self.plane.scenario.container.python or sys.executable,
            "-P",
            entrypoint.__file__,
            str(os.getpid()),
            cwd=self.dir / "root",
            env=self._environ(),
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

    def _forget_socket(self) -> None:
        Path(self.socket).unlink(missing_ok=True)

    async def _pump(self, stream: asyncio.StreamReader, descriptor: pb.FileDescriptor.ValueType) -> None:
        while data := await stream.read(65536):
            self._log(data.decode("utf-8", "replace"), descriptor)

    def _log(
        self,
        text: str,
        descriptor: pb.FileDescriptor.ValueType,
        task_state: pb.TaskState.ValueType = pb.TASK_STATE_UNSPECIFIED,
    ) -> None:
        self.app.log(text, descriptor, task_id=self.id, function_id=self.function.id, task_state=task_state)

    def is_active(self) -> None:
        self._log("", pb.FILE_DESCRIPTOR_INFO, pb.TASK_STATE_ACTIVE)

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
        if self.failure is None:
            self.plane.start_task(function)
            return
        pending, function.pending = function.pending, []
        for entry in pending:
            self.plane.finish(entry, pb.FunctionPutOutputsItem(result=self.failure, input_id=entry.id))

    # ---- what the process finds ----------------------------------------------------------------------------

    def _unpack(self) -> None:
        """/root and everything else the function's image and mounts hold lies under the task's folder."""
        (self.dir / "root").mkdir(parents=True)
        definition = self.function.definition
        for image in self.plane.image_chain(definition.image_id):
            copies = [m for c in image.definition.dockerfile_commands if (m := COPY.fullmatch(c))]
            for source, target in (m.groups() for m in copies if image.definition.context_mount_id):
                if source == ".":
                    self._place(image.definition.context_mount_id, target)
        for mount_id in definition.mount_ids:
            self._place(mount_id, "/")
        arguments = pb.ContainerArguments(
            task_id=self.id,
            function_id=self.function.id,
            app_id=self.app.id,
            function_def=definition,
            environment_name=self.app.environment,
            app_layout=self.plane.layout(self.app),
            serialized_params=self.function.parameters,
        )
        (self.dir / "arguments").write_bytes(arguments.SerializeToString())

    def _place(self, mount_id: str, under: str) -> None:
        for file in self.plane.mounts.get(mount_id, ()):
            if file.filename.startswith("/pkg/"):
                continue  # the modal package: the interpreter has its own
            target = (self.dir / under.lstrip("/") / file.filename.lstrip("/")).resolve()
            if target.is_relative_to(self.dir.resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.plane.file(file.sha256_hex), target)

    def _environ(self) -> dict[str, str]:
        plane, definition = self.plane, self.function.definition
        env = {k: v for k, v in os.environ.items() if not k.startswith(HOST_ONLY)}
        env |= plane.image_env(definition.image_id)
        for secret_id in definition.secret_ids:
            env |= plane.shelf.get(Secret, secret_id).values
        # a function that reads its bucket with boto3 must not ask the real one
        env |= {"AWS_ENDPOINT_URL": plane.s3_url or NO_S3, "AWS_EC2_METADATA_DISABLED": "true"}
        if plane.scenario.gpu.simulate:
            env["PREFLIGHT_SANDBOX"] = "1"
        stand_ins = list(plane.scenario.container.pythonpath)
        if plane.scenario.gpu.simulate and definition.module_name == PROBE:
            stand_ins += plane.scenario.gpu.stand_ins
        return {
            **env,
            "MODAL_IS_REMOTE": "1",
            "MODAL_TASK_ID": self.id,
            "MODAL_SERVER_URL": f"unix://{self.socket}",
            "MODAL_CONTAINER_ARGUMENTS_PATH": str(self.dir / "arguments"),
            "MODAL_IMAGE_ID": definition.image_id,
            "MODAL_ENVIRONMENT": self.app.environment,
            "MODAL_CLOUD_PROVIDER": "CLOUD_PROVIDER_LOCAL",
            "MODAL_CONFIG_PATH": str(self.dir / "no-modal.toml"),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(self.dir / "root"), *stand_ins]),
            **plane.scenario.container.env,
        }

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
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
