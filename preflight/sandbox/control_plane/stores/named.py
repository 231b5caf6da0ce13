"""Dicts, queues, network file systems, proxies and secrets: in memory, for as long as the sandbox lives."""

from __future__ import annotations

from collections.abc import AsyncIterator

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.plane import Topic
from preflight.sandbox.control_plane.stores.stored import Dict, FileSystem, Proxy, Queue, Secret

MOST_VALUES = 5000  # in one partition of a queue


class Dicts(Topic):
    def _entries(self, dict_id: str) -> dict[bytes, bytes]:
        return self.shelf.get(Dict, dict_id).entries

    async def dict_get_or_create(self, request: pb.DictGetOrCreateRequest) -> pb.DictGetOrCreateResponse:
        row = self.shelf.get_or_make(Dict, request)
        row.entries.update((e.key, e.value) for e in request.data)
        return row.shown_in(pb.DictGetOrCreateResponse)

    async def dict_get_by_id(self, request: pb.DictGetByIdRequest) -> pb.DictGetByIdResponse:
        return self.shelf.get(Dict, request.dict_id).shown_in(pb.DictGetByIdResponse)

    async def dict_list(self, request: pb.DictListRequest) -> pb.DictListResponse:
        environment, rows = self.shelf.page(Dict, request)
        items = [r.shown_in(pb.DictListResponse.DictInfo) for r in rows]
        return pb.DictListResponse(dicts=items, environment_name=environment)

    async def dict_heartbeat(self, request: pb.DictHeartbeatRequest) -> None:
        self.shelf.get(Dict, request.dict_id)

    async def dict_delete(self, request: pb.DictDeleteRequest) -> None:
        self.shelf.drop(Dict, request.dict_id)

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
    async def queue_get_or_create(self, request: pb.QueueGetOrCreateRequest) -> pb.QueueGetOrCreateResponse:
        return self.shelf.get_or_make(Queue, request).shown_in(pb.QueueGetOrCreateResponse)

    async def queue_get_by_id(self, request: pb.QueueGetByIdRequest) -> pb.QueueGetByIdResponse:
        return self.shelf.get(Queue, request.queue_id).shown_in(pb.QueueGetByIdResponse)

    async def queue_list(self, request: pb.QueueListRequest) -> pb.QueueListResponse:
        environment, rows = self.shelf.page(Queue, request)
        items = [r.shown_in(pb.QueueListResponse.QueueInfo) for r in rows]
        return pb.QueueListResponse(queues=items, environment_name=environment)

    async def queue_heartbeat(self, request: pb.QueueHeartbeatRequest) -> None:
        self.shelf.get(Queue, request.queue_id)

    async def queue_delete(self, request: pb.QueueDeleteRequest) -> None:
        self.shelf.drop(Queue, request.queue_id)

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


class Others(Topic):
    async def shared_volume_get_or_create(
        self, request: pb.SharedVolumeGetOrCreateRequest
    ) -> pb.SharedVolumeGetOrCreateResponse:
        return self.shelf.get_or_make(FileSystem, request).shown_in(pb.SharedVolumeGetOrCreateResponse)

    async def shared_volume_list(self, request: pb.SharedVolumeListRequest) -> pb.SharedVolumeListResponse:
        environment, rows = self.shelf.page(FileSystem, request)
        items = [r.shown_in(pb.SharedVolumeListItem) for r in rows]
        return pb.SharedVolumeListResponse(items=items, environment_name=environment)

    async def shared_volume_heartbeat(self, request: pb.SharedVolumeHeartbeatRequest) -> None:
        self.shelf.get(FileSystem, request.shared_volume_id)

    async def shared_volume_delete(self, request: pb.SharedVolumeDeleteRequest) -> None:
        self.shelf.drop(FileSystem, request.shared_volume_id)

    async def proxy_get(self, request: pb.ProxyGetRequest) -> pb.ProxyGetResponse:
        environment = self.plane.environment(request.environment_name).name
        row = self.shelf.named(Proxy, request.name, environment)
        if row is None and self.plane.makes_what_is_asked_for:
            row = self.shelf.add(Proxy(request.name, environment))
        if row is None:
            raise GRPCError(Status.NOT_FOUND, f"Proxy '{request.name}' not found in environment '{environment}'.")
        return pb.ProxyGetResponse(proxy=row.shown_in(pb.Proxy))


class Secrets(Topic):
    """Values go in and never come out; the keys are checked here, as Modal's server does."""

    async def secret_get_or_create(self, request: pb.SecretGetOrCreateRequest) -> pb.SecretGetOrCreateResponse:
        secret = self.shelf.get_or_make(Secret, request, lambda name, env: self._made(name, env, request))
        secret.asked = request
        if request.object_creation_type == pb.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS:
            secret.values = dict(request.env_dict)  # all keys: what is not given again is gone
        missing = [k for k in request.required_keys if k not in secret.values]
        if missing and not self.plane.scenario.permissive:
            text = f"Secret is missing key(s): {', '.join(missing)}"
            raise GRPCError(Status.FAILED_PRECONDITION, text)
        return secret.shown_in(pb.SecretGetOrCreateResponse)

    def _made(self, name: str, environment: str, request: pb.SecretGetOrCreateRequest) -> Secret:
        """Of its own values; one that a rehearsal makes up holds what its namesake elsewhere does, or what is asked."""
        values = dict(request.env_dict)
        if name and not values and self.plane.scenario.invents:
            namesake = self.shelf.named(Secret, name, self.plane.main)
            values = dict(namesake.values) if namesake else {k: f"stand-in-for-{k}" for k in request.required_keys}
        return Secret(name, environment, values=values)

    async def secret_list(self, request: pb.SecretListRequest) -> pb.SecretListResponse:
        environment, rows = self.shelf.page(Secret, request)
        items = [s.shown_in(pb.SecretListItem) for s in rows]
        return pb.SecretListResponse(environment_name=environment, items=items)

    async def secret_get_info(self, request: pb.SecretGetInfoRequest) -> pb.SecretGetInfoResponse:
        return self.shelf.get(Secret, request.secret_id).shown_in(pb.SecretGetInfoResponse)

    async def secret_update(self, request: pb.SecretUpdateRequest) -> None:
        values = self.shelf.get(Secret, request.secret_id).values
        for update in request.updates:
            if update.HasField("value"):
                values[update.key] = update.value
            else:
                values.pop(update.key, None)

    async def secret_delete(self, request: pb.SecretDeleteRequest) -> None:
        self.shelf.drop(Secret, request.secret_id)
