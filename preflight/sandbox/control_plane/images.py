"""Images: "built" by printing what a build prints, failing where the scenario says so."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sys
from collections.abc import AsyncIterator

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import App, Image, Topic, new_id, now

SUCCESS = pb.GenericResult.GENERIC_STATUS_SUCCESS
FAILURE = pb.GenericResult.GENERIC_STATUS_FAILURE
LEGACY = "Using legacy Image Builder version. We suggest upgrading at https://modal.com/settings/image-config."
BROKEN = 'Terminating task due to error: failed to run builder command "{}": container exit status: 1'
LEGACY_BEFORE = "2024.04"  # the line was seen in two public logs of workspaces on 2023.12
BUILDER_APPS = "__image-builds"  # an environment that no list shows


class Images(Topic):
    async def image_get_or_create(self, request: pb.ImageGetOrCreateRequest) -> pb.ImageGetOrCreateResponse:
        recipe = request.image.SerializeToString(deterministic=True) + request.builder_version.encode()
        image_id = "im-" + hashlib.sha256(recipe).hexdigest()[:22]
        image = self.plane.images.get(image_id)
        if image is None:
            image = self.plane.images[image_id] = Image(request.image, request.builder_version)
            if self.plane.scenario.builds.cached or self.plane.scenario.permissive:
                image.status = SUCCESS
        response = pb.ImageGetOrCreateResponse(image_id=image_id)
        if image.status == SUCCESS and not request.force_build:
            response.result.status = image.status
            response.metadata.CopyFrom(_metadata(image))
        elif not image.is_building:
            image.status, image.logs, image.is_building = pb.GenericResult.GENERIC_STATUS_UNSPECIFIED, [], True
            self.plane.background(self._build(image_id, image))
        return response

    async def _build(self, image_id: str, image: Image) -> None:
        commands = list(image.definition.dockerfile_commands) or ["(build function)"]
        _say(image, f"Building image {image_id}")
        if image.builder_version and image.builder_version < LEGACY_BEFORE:
            _say(image, LEGACY)
        for number, command in enumerate(commands):
            _say(image, f"\n=> Step {number}: {command}")
            await asyncio.sleep(self.plane.scenario.builds.step_s)
        recipe = "\n".join(commands)
        failure = next((f for f in self.plane.scenario.builds.failures if re.search(f.match, recipe)), None)
        if failure is None:
            _say(image, f"Saving image...\nImage saved, took 0.01s\n\nBuilt image {image_id} in 0.01s")
            image.status, image.exception = SUCCESS, ""
        else:
            step = next((c for c in commands if re.search(failure.match, c)), commands[-1])
            for line in failure.log.splitlines():
                _say(image, line)
            _say(image, BROKEN.format(step.removeprefix("RUN ")))
            image.status, image.exception = FAILURE, failure.exception
        image.is_building = False
        image.changed.fire()

    async def image_join_streaming(
        self, request: pb.ImageJoinStreamingRequest
    ) -> AsyncIterator[pb.ImageJoinStreamingResponse]:
        image = self.plane.image(request.image_id)
        seen = int(request.last_entry_id or 0)
        async for row in image.changed.rows(lambda: image.logs, seen, lambda: image.status, request.timeout):
            seen += 1
            yield pb.ImageJoinStreamingResponse(task_logs=[row], entry_id=str(seen))
        if image.status:
            result = pb.GenericResult(status=image.status, exception=image.exception)
            yield pb.ImageJoinStreamingResponse(result=result, eof=True, metadata=_metadata(image))

    async def image_from_id(self, request: pb.ImageFromIdRequest) -> pb.ImageFromIdResponse:
        return pb.ImageFromIdResponse(image_id=request.image_id, metadata=_metadata(self.plane.image(request.image_id)))

    async def image_build_chain_get(self, request: pb.ImageBuildChainGetRequest) -> pb.ImageBuildChainGetResponse:
        """Build logs are fetched as those of a builder app, so one is made up for the asking."""
        image = self.plane.image(request.image_id)
        if not image.logs:
            raise GRPCError(Status.NOT_FOUND, f"Image '{request.image_id}' was not built here")
        app = App("image-build", pb.APP_STATE_STOPPED, BUILDER_APPS, logs_done=True)
        app.logs = [
            pb.TaskLogsBatch(entry_id=f"{n}-0", items=[line], image_id=request.image_id)
            for n, line in enumerate(image.logs, start=1)
        ]
        self.plane.apps[app.id] = app
        step = pb.ImageBuildStep(image_id=request.image_id, builder_app_id=app.id, builder_task_id=new_id("ta"))
        step.started_at.FromSeconds(int(image.logs[0].timestamp))
        step.finished_at.FromSeconds(int(now()) + 1)
        return pb.ImageBuildChainGetResponse(build_steps=[step])


def _say(image: Image, line: str) -> None:
    row = pb.TaskLogs(data=line + "\n", timestamp=now(), file_descriptor=pb.FILE_DESCRIPTOR_INFO)
    image.logs.append(row)
    image.changed.fire()


def _metadata(image: Image) -> pb.ImageMetadata:
    python = ".".join(map(str, sys.version_info[:3]))
    return pb.ImageMetadata(python_version_info=f"Python {python}", image_builder_version=image.builder_version)
