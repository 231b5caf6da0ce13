"""Apps: created, published, listed, stopped; and what they and image builds have printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from importlib import metadata

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import App, Topic, now
from preflight.sandbox.control_plane.tasks import Task

CLIENT = metadata.version("modal")
PAGE = "http://localhost/apps"


class Apps(Topic):
    async def app_list(self, request: pb.AppListRequest) -> pb.AppListResponse:
        environment = self.plane.environment(request.environment_name).name
        items = [
            pb.AppListResponse.AppListItem(
                app_id=a.id,
                description=a.description,
                state=a.state,
                created_at=a.created_at,
                stopped_at=a.stopped_at,
                n_running_tasks=a.extra_tasks + len(a.tasks),
                name=a.name,
                metadata=a.metadata(),
            )
            for a in self.plane.apps.values()
            if a.environment == environment
        ]
        return pb.AppListResponse(apps=items)

    async def app_create(self, request: pb.AppCreateRequest) -> pb.AppCreateResponse:
        environment = self.plane.environment(request.environment_name).name
        app = App(request.description, request.app_state, environment)
        self.plane.apps[app.id] = app
        url = f"{PAGE}/{app.id}"
        return pb.AppCreateResponse(app_id=app.id, app_page_url=url, app_logs_url=f"{url}/logs")

    async def app_publish(self, request: pb.AppPublishRequest) -> pb.AppPublishResponse:
        app = self.plane.app(request.app_id)
        app.layout = pb.AppLayout(function_ids=request.function_ids, class_ids=request.class_ids)
        app.state, app.name = request.app_state, request.name or app.name
        if app.state == pb.APP_STATE_DEPLOYED:
            app.deploys.append((now(), request.deployment_tag))
        return pb.AppPublishResponse(url=f"{PAGE}/{app.id}", deployed_at=now())

    async def app_get_layout(self, request: pb.AppGetLayoutRequest) -> pb.AppGetLayoutResponse:
        return pb.AppGetLayoutResponse(app_layout=self.plane.layout(self.plane.app(request.app_id)))

    async def app_heartbeat(self, request: pb.AppHeartbeatRequest) -> None:
        self.plane.app(request.app_id)

    async def app_get_lifecycle(self, request: pb.AppGetLifecycleRequest) -> pb.AppGetLifecycleResponse:
        return pb.AppGetLifecycleResponse(lifecycle=self.plane.app(request.app_id).lifecycle())

    async def app_get_info(self, request: pb.AppGetInfoRequest) -> pb.AppGetInfoResponse:
        return pb.AppGetInfoResponse(info=self.plane.app(request.app_id).metadata())

    async def app_get_by_deployment_name(
        self, request: pb.AppGetByDeploymentNameRequest
    ) -> pb.AppGetByDeploymentNameResponse:
        app = self.plane.deployed(request.name, request.environment_name)
        environment = self.plane.environment(request.environment_name).name
        return pb.AppGetByDeploymentNameResponse(
            app_id=app.id if app else "", environment_name=environment, lifecycle=app.lifecycle() if app else None
        )

    async def app_get_or_create(self, request: pb.AppGetOrCreateRequest) -> pb.AppGetOrCreateResponse:
        environment = self.plane.environment(request.environment_name).name
        name = request.app_name
        app = self.plane.apps.get(name) or self.plane.deployed(name, environment)
        if app is None:
            if request.object_creation_type != pb.OBJECT_CREATION_TYPE_CREATE_IF_MISSING:
                raise GRPCError(Status.NOT_FOUND, f"App '{name}' not found in environment '{environment}'")
            app = self.plane.make_up_app(name, environment)
        return pb.AppGetOrCreateResponse(app_id=app.id, handle_metadata=app.metadata())

    async def app_deployment_history(self, request: pb.AppDeploymentHistoryRequest) -> pb.AppDeploymentHistoryResponse:
        deploys = self.plane.app(request.app_id).deploys
        rows = (
            pb.AppDeploymentHistory(
                app_id=request.app_id, version=n, deployed_at=at, deployed_by="alice", tag=tag, client_version=CLIENT
            )
            for n, (at, tag) in enumerate(deploys, start=1)
        )
        return pb.AppDeploymentHistoryResponse(
            app_deployment_histories=reversed(list(rows)), production_app_version=len(deploys)
        )

    async def app_set_tags(self, request: pb.AppSetTagsRequest) -> None:
        app = self.plane.app(request.app_id)
        app.tags = dict(request.tags)

    async def app_get_tags(self, request: pb.AppGetTagsRequest) -> pb.AppGetTagsResponse:
        return pb.AppGetTagsResponse(tags=self.plane.app(request.app_id).tags)

    async def app_stop(self, request: pb.AppStopRequest) -> None:
        await self.plane.stop_app(self.plane.app(request.app_id))

    async def app_client_disconnect(self, request: pb.AppClientDisconnectRequest) -> None:
        app = self.plane.app(request.app_id)
        is_over = request.reason == pb.APP_DISCONNECT_REASON_ENTRYPOINT_COMPLETED
        if app.state == pb.APP_STATE_DETACHED and not is_over:
            app.state = pb.APP_STATE_DETACHED_DISCONNECTED
        elif app.state != pb.APP_STATE_DEPLOYED:
            self.plane.background(self.plane.stop_app(app))

    async def task_list(self, request: pb.TaskListRequest) -> pb.TaskListResponse:
        tasks = [
            pb.TaskStats(
                task_id=t.id,
                app_id=a.id,
                app_description=a.description,
                started_at=t.started_at,
                enqueued_at=t.started_at,
            )
            for a in self.plane.apps.values()
            for t in a.tasks
            if request.app_id in ("", a.id)
        ]
        return pb.TaskListResponse(tasks=tasks)

    def _task(self, task_id: str) -> tuple[App, Task]:
        for app in self.plane.apps.values():
            for task in app.tasks:
                if task.id == task_id:
                    return app, task
        raise GRPCError(Status.NOT_FOUND, f"Container '{task_id}' not found")

    async def task_get_info(self, request: pb.TaskGetInfoRequest) -> pb.TaskGetInfoResponse:
        app, task = self._task(request.task_id)
        info = pb.TaskInfo(id=task.id, started_at=task.started_at, enqueued_at=task.started_at)
        return pb.TaskGetInfoResponse(app_id=app.id, info=info)

    async def container_stop(self, request: pb.ContainerStopRequest) -> pb.ContainerStopResponse:
        _, task = self._task(request.task_id)
        self.plane.background(task.stop(0.2))
        return pb.ContainerStopResponse()


class Logs(Topic):
    async def app_get_logs(self, request: pb.AppGetLogsRequest) -> AsyncIterator[pb.TaskLogsBatch]:
        """Ends with ``app_done``, without which a client waits another logs_timeout (10 s)."""
        app = self.plane.app(request.app_id)
        seen = int(request.last_entry_id.split("-")[0]) if request.last_entry_id else 0
        async for batch in app.changed.rows(lambda: app.logs, seen, lambda: app.logs_done, request.timeout):
            yield batch
        if app.logs_done:
            yield pb.TaskLogsBatch(app_done=True)

    async def app_fetch_logs(self, request: pb.AppFetchLogsRequest) -> pb.AppFetchLogsResponse:
        batches = self._between(request)
        return pb.AppFetchLogsResponse(batches=batches[-request.limit :] if request.limit else batches)

    async def app_count_logs(self, request: pb.AppCountLogsRequest) -> pb.AppCountLogsResponse:
        start = request.since.seconds
        stamps = (b.items[0].timestamp for b in self._between(request))
        counts = Counter(int((t - start) // request.bucket_secs) for t in stamps)
        response = pb.AppCountLogsResponse(app_id=request.app_id)
        for number in sorted(counts):
            bucket = response.buckets.add(stdout_logs=counts[number])
            bucket.bucket_start_at.FromSeconds(start + number * request.bucket_secs)
        return response

    def _between(self, request: pb.AppFetchLogsRequest | pb.AppCountLogsRequest) -> list[pb.TaskLogsBatch]:
        first, end = (t.ToNanoseconds() / 1e9 for t in (request.since, request.until))

        def is_wanted(item: pb.TaskLogs) -> bool:
            source = not request.source or item.file_descriptor == request.source
            return bool(item.data) and first <= item.timestamp < end and source

        return [b for b in self.plane.app(request.app_id).logs if any(map(is_wanted, b.items))]
