"""What can be asked of dicts, queues, proxies and secrets alone; the rest is the same for all (``stored``)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.plane import Topic
from preflight.sandbox.control_plane.stores.stored import Dict, Proxy, Queue, Secret

MOST_VALUES = 5000  # in one partition of a queue


class Dicts(Topic):
    def _entries(self, dict_id: str) -> dict[bytes, bytes]:
        return self.shelf.get(Dict, dict_id).entries

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


class Queues(Topic):
    async def queue_clear(self, request: pb.QueueClearRequest) -> None:
        partitions = self.shelf.get(Queue, request.queue_id).partitions
        if request.all_partitions:
            partitions.clear()
        else:
            partitions.pop(request.partition_key, None)

    async def queue_put(self, request: pb.QueuePutRequest) -> None:
        queue = self.shelf.get(Queue, request.queue_id)
        held = queue.partitions.setdefault(request.partition_key, [])
        if len(held) + len(request.values) > MOST_VALUES:
            raise GRPCError(Status.RESOURCE_EXHAUSTED, f"Queue is full: a partition holds {MOST_VALUES} values")
        held.extend(request.values)
        queue.changed.fire()

    async def queue_get(self, request: pb.QueueGetRequest) -> pb.QueueGetResponse:
        queue = self.shelf.get(Queue, request.queue_id)
        await queue.changed.until(lambda: queue.partitions.get(request.partition_key), request.timeout)
        held = queue.partitions.get(request.partition_key, [])
        count = request.n_values or 1
        taken, held[:] = held[:count], held[count:]
        return pb.QueueGetResponse(values=taken)

    async def queue_len(self, request: pb.QueueLenRequest) -> pb.QueueLenResponse:
        partitions = self.shelf.get(Queue, request.queue_id).partitions
        if request.total:
            return pb.QueueLenResponse(len=sum(map(len, partitions.values())))
        return pb.QueueLenResponse(len=len(partitions.get(request.partition_key, [])))

    async def queue_next_items(self, request: pb.QueueNextItemsRequest) -> pb.QueueNextItemsResponse:
        queue = self.shelf.get(Queue, request.queue_id)
        seen = int(request.last_entry_id.split("-")[0]) if request.last_entry_id else 0

        def held() -> list[bytes]:
            return queue.partitions.get(request.partition_key, [])[seen:]

        await queue.changed.until(held, request.item_poll_timeout)
        items = (pb.QueueItem(value=v, entry_id=f"{n}-0") for n, v in enumerate(held(), start=seen + 1))
        return pb.QueueNextItemsResponse(items=items)


class Proxies(Topic):
    async def proxy_get(self, request: pb.ProxyGetRequest) -> pb.ProxyGetResponse:
        environment = self.plane.environment(request.environment_name).name
        row = self.shelf.named(Proxy, request.name, environment)
        if row is None and self.plane.makes_what_is_asked_for:
            row = self.shelf.add(Proxy(request.name, environment))
        if row is None:
            raise GRPCError(Status.NOT_FOUND, f"Proxy '{request.name}' not found in environment '{environment}'.")
        return pb.ProxyGetResponse(proxy=row.shown_in(pb.Proxy))


class Secrets(Topic):
    async def secret_update(self, request: pb.SecretUpdateRequest) -> None:
        values = self.shelf.get(Secret, request.secret_id).values
        for update in request.updates:
            if update.HasField("value"):
                values[update.key] = update.value
            else:
                values.pop(update.key, None)
