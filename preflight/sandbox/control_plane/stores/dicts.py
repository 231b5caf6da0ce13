"""Dicts, queues, network file systems and proxies: in memory, for as long as the sandbox lives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.stores.stored import Dict, FileSystem, Proxy, Queue

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane

MOST_VALUES = 5000  # in one partition of a queue


class Dicts:
    def __init__(self, plane: Plane) -> None:
        self._shelf = plane.shelf

    def _entries(self, dict_id: str) -> dict[bytes, bytes]:
        return self._shelf.get(Dict, dict_id).entries

    async def dict_get_or_create(self, request: pb.DictGetOrCreateRequest) -> pb.DictGetOrCreateResponse:
        row = self._shelf.get_or_make(Dict, request)
        row.entries.update((e.key, e.value) for e in request.data)
        return pb.DictGetOrCreateResponse(dict_id=row.id, metadata=_dict_metadata(row))

    async def dict_get_by_id(self, request: pb.DictGetByIdRequest) -> pb.DictGetByIdResponse:
        row = self._shelf.get(Dict, request.dict_id)
        return pb.DictGetByIdResponse(dict_id=row.id, metadata=_dict_metadata(row))

    async def dict_list(self, request: pb.DictListRequest) -> pb.DictListResponse:
        environment, rows = self._shelf.page(Dict, request)
        items = (
            pb.DictListResponse.DictInfo(name=r.name, created_at=r.created_at, dict_id=r.id, metadata=_dict_metadata(r))
            for r in rows
        )
        return pb.DictListResponse(dicts=items, environment_name=environment)

    async def dict_heartbeat(self, request: pb.DictHeartbeatRequest) -> None:
        self._shelf.get(Dict, request.dict_id)

    async def dict_delete(self, request: pb.DictDeleteRequest) -> None:
        self._shelf.drop(Dict, request.dict_id)

    async def dict_clear(self, request: pb.DictClearRequest) -> None:
        self._entries(request.dict_id).clear()

    async def dict_contains(self, request: pb.DictContainsRequest) -> pb.DictContainsResponse:
        return pb.DictContainsResponse(found=request.key in self._entries(request.dict_id))

    async def dict_get(self, request: pb.DictGetRequest) -> pb.DictGetResponse:
        value = self._entries(request.dict_id).get(request.key)
        return pb.DictGetResponse(found=value is not None, value=value)

    async def dict_pop(self, request: pb.DictPopRequest) -> pb.DictPopResponse:
        value = self._entries(request.dict_id).pop(request.key, None)
        return pb.DictPopResponse(found=value is not None, value=value)

    async def dict_len(self, request: pb.DictLenRequest) -> pb.DictLenResponse:
        return pb.DictLenResponse(len=len(self._entries(request.dict_id)))

    async def dict_update(self, request: pb.DictUpdateRequest) -> pb.DictUpdateResponse:
        entries = self._entries(request.dict_id)
        created = False
        for update in request.updates:
            if not (request.if_not_exists and update.key in entries):
                entries[update.key], created = update.value, True
        return pb.DictUpdateResponse(created=created)

    async def dict_contents(self, request: pb.DictContentsRequest) -> AsyncIterator[pb.DictEntry]:
        for key, value in list(self._entries(request.dict_id).items()):
            yield pb.DictEntry(key=key if request.keys else b"", value=value if request.values else b"")


class Queues:
    def __init__(self, plane: Plane) -> None:
        self._shelf = plane.shelf

    async def queue_get_or_create(self, request: pb.QueueGetOrCreateRequest) -> pb.QueueGetOrCreateResponse:
        row = self._shelf.get_or_make(Queue, request)
        return pb.QueueGetOrCreateResponse(queue_id=row.id, metadata=_queue_metadata(row))

    async def queue_get_by_id(self, request: pb.QueueGetByIdRequest) -> pb.QueueGetByIdResponse:
        row = self._shelf.get(Queue, request.queue_id)
        return pb.QueueGetByIdResponse(queue_id=row.id, metadata=_queue_metadata(row))

    async def queue_list(self, request: pb.QueueListRequest) -> pb.QueueListResponse:
        environment, rows = self._shelf.page(Queue, request)
        items = (
            pb.QueueListResponse.QueueInfo(
                name=r.name,
                created_at=r.created_at,
                queue_id=r.id,
                metadata=_queue_metadata(r),
                num_partitions=len(r.partitions),
                total_size=sum(map(len, r.partitions.values())),
            )
            for r in rows
        )
        return pb.QueueListResponse(queues=items, environment_name=environment)

    async def queue_heartbeat(self, request: pb.QueueHeartbeatRequest) -> None:
        self._shelf.get(Queue, request.queue_id)

    async def queue_delete(self, request: pb.QueueDeleteRequest) -> None:
        self._shelf.drop(Queue, request.queue_id)

    async def queue_clear(self, request: pb.QueueClearRequest) -> None:
        partitions = self._shelf.get(Queue, request.queue_id).partitions
        if request.all_partitions:
            partitions.clear()
        else:
            partitions.pop(request.partition_key, None)

    async def queue_put(self, request: pb.QueuePutRequest) -> None:
        queue = self._shelf.get(Queue, request.queue_id)
        held = queue.partitions.setdefault(request.partition_key, [])
        if len(held) + len(request.values) > MOST_VALUES:
            raise GRPCError(Status.RESOURCE_EXHAUSTED, f"Queue is full: a partition holds {MOST_VALUES} values")
        held.extend(request.values)
        queue.changed.fire()

    async def queue_get(self, request: pb.QueueGetRequest) -> pb.QueueGetResponse:
        queue = self._shelf.get(Queue, request.queue_id)
        await queue.changed.until(lambda: queue.partitions.get(request.partition_key), request.timeout)
        held = queue.partitions.get(request.partition_key, [])
        count = request.n_values or 1
        taken, held[:] = held[:count], held[count:]
        return pb.QueueGetResponse(values=taken)

    async def queue_len(self, request: pb.QueueLenRequest) -> pb.QueueLenResponse:
        partitions = self._shelf.get(Queue, request.queue_id).partitions
        if request.total:
            return pb.QueueLenResponse(len=sum(map(len, partitions.values())))
        return pb.QueueLenResponse(len=len(partitions.get(request.partition_key, [])))

    async def queue_next_items(self, request: pb.QueueNextItemsRequest) -> pb.QueueNextItemsResponse:
        queue = self._shelf.get(Queue, request.queue_id)
        seen = int(request.last_entry_id.split("-")[0]) if request.last_entry_id else 0

        def held() -> list[bytes]:
            return queue.partitions.get(request.partition_key, [])[seen:]

        await queue.changed.until(held, request.item_poll_timeout)
        items = (pb.QueueItem(value=v, entry_id=f"{n}-0") for n, v in enumerate(held(), start=seen + 1))
        return pb.QueueNextItemsResponse(items=items)


class Others:
    def __init__(self, plane: Plane) -> None:
        self._shelf = plane.shelf
        self._plane = plane

    async def shared_volume_get_or_create(
        self, request: pb.SharedVolumeGetOrCreateRequest
    ) -> pb.SharedVolumeGetOrCreateResponse:
        return pb.SharedVolumeGetOrCreateResponse(shared_volume_id=self._shelf.get_or_make(FileSystem, request).id)

    async def shared_volume_list(self, request: pb.SharedVolumeListRequest) -> pb.SharedVolumeListResponse:
        environment, rows = self._shelf.page(FileSystem, request)
        items = (pb.SharedVolumeListItem(label=r.name, shared_volume_id=r.id, created_at=r.created_at) for r in rows)
        return pb.SharedVolumeListResponse(items=items, environment_name=environment)

    async def shared_volume_heartbeat(self, request: pb.SharedVolumeHeartbeatRequest) -> None:
        self._shelf.get(FileSystem, request.shared_volume_id)

    async def shared_volume_delete(self, request: pb.SharedVolumeDeleteRequest) -> None:
        self._shelf.drop(FileSystem, request.shared_volume_id)

    async def proxy_get(self, request: pb.ProxyGetRequest) -> pb.ProxyGetResponse:
        environment = self._plane.environment(request.environment_name).name
        row = self._shelf.named(Proxy, request.name, environment)
        if row is None and self._plane.makes_what_is_asked_for:
            row = self._shelf.add(Proxy(request.name, environment))
        if row is None:
            raise GRPCError(Status.NOT_FOUND, f"Proxy '{request.name}' not found in environment '{environment}'.")
        return pb.ProxyGetResponse(proxy=pb.Proxy(name=row.name, proxy_id=row.id))


def _dict_metadata(row: Dict) -> pb.DictMetadata:
    return pb.DictMetadata(name=row.name, creation_info=row.creation)


def _queue_metadata(row: Queue) -> pb.QueueMetadata:
    return pb.QueueMetadata(name=row.name, creation_info=row.creation)
