"""What apps and image builds have printed: followed, fetched, counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from modal_proto import api_pb2 as pb

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.entities import App
    from preflight.sandbox.control_plane.plane import Plane


class Logs:
    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def app_get_logs(self, request: pb.AppGetLogsRequest) -> AsyncIterator[pb.TaskLogsBatch]:
        """Ends with ``app_done``, without which a client waits another logs_timeout (10 s)."""
        app = self._plane.app(request.app_id)
        seen = int(request.last_entry_id.split("-")[0]) if request.last_entry_id else 0
        end = time.monotonic() + request.timeout
        while True:
            left = max(0.0, end - time.monotonic())
            if not await app.changed.until(partial(_has_more, app, seen), left):
                return
            while seen < len(app.logs):
                seen += 1
                yield app.logs[seen - 1]
            if app.logs_done:
                yield pb.TaskLogsBatch(app_done=True)
                return

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

        return [b for b in self._plane.app(request.app_id).logs if any(map(is_wanted, b.items))]


def _has_more(app: App, seen: int) -> bool:
    return len(app.logs) > seen or app.logs_done
