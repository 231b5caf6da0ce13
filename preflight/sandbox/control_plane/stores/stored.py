"""Things that have a name in an environment: looked up, made, listed and deleted in one way, whatever they hold."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from google.protobuf import message_factory
from google.protobuf.message import Message
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import Changed, Topic, new_id, now

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane

M = TypeVar("M", bound=Message)
MOST_VALUES = 5000  # in one partition of a queue
UNNAMED = (pb.OBJECT_CREATION_TYPE_ANONYMOUS_OWNED_BY_APP, pb.OBJECT_CREATION_TYPE_EPHEMERAL)


class Listing(Protocol):
    """A request for what an environment holds."""

    environment_name: str


class Lookup(Listing, Protocol):
    """A request for one thing by its name."""

    deployment_name: str
    object_creation_type: pb.ObjectCreationType.ValueType


@dataclass(eq=False)
class Stored:
    """``name`` is empty for one that an app makes for itself; ``word`` is how its kind is called in a field's name."""

    what: ClassVar[str]
    word: ClassVar[str]
    prefix: ClassVar[str]

    name: str
    environment: str
    id: str = ""
    created_at: float = field(default_factory=now)
    creates_if_missing: bool = False  # as it was last asked for

    def __post_init__(self) -> None:
        self.id = self.id or new_id(self.prefix)

    def facts(self) -> dict[str, object]:
        """By the names of the fields that answers have for them."""
        return {
            "name": self.name,
            "label": self.name,
            f"{self.word}_id": self.id,
            "environment_name": self.environment,
            "created_at": self.created_at,
            "creation_info": pb.CreationInfo(created_at=self.created_at, created_by="alice"),
        }

    def take(self, request: Any, shelf: Shelf, *, is_new: bool) -> None:
        """What a request for it by its name says of what it holds."""

    def shown_in(self, answer: type[M]) -> M:
        """A message of that type with all that it asks of this one."""
        fields = answer.DESCRIPTOR.fields_by_name
        facts = {k: v for k, v in self.facts().items() if k in fields}
        if "metadata" in fields:
            facts["metadata"] = self.shown_in(message_factory.GetMessageClass(fields["metadata"].message_type))
        shown: M = answer(**facts)
        return shown


S = TypeVar("S", bound=Stored)


@dataclass(eq=False)
class Secret(Stored):
    what, word, prefix = "Secret", "secret", "st"
    values: dict[str, str] = field(default_factory=dict)
    last: pb.SecretGetOrCreateRequest = field(default_factory=pb.SecretGetOrCreateRequest)

    def facts(self) -> dict[str, object]:
        return super().facts() | {"keys": sorted(self.values)}

    def take(self, request: pb.SecretGetOrCreateRequest, shelf: Shelf, *, is_new: bool) -> None:
        """The keys are checked here, as Modal's server does.

        One that a rehearsal makes up holds what its namesake elsewhere does, or what is asked.
        """
        self.last = request
        if is_new or request.object_creation_type == pb.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS:
            self.values = dict(request.env_dict)  # all keys: what is not given again is gone
        if is_new and self.name and not self.values and shelf.plane.scenario.invents:
            namesake = shelf.named(Secret, self.name, shelf.plane.main) or self
            self.values = dict(namesake.values) or {k: f"stand-in-for-{k}" for k in request.required_keys}
        missing = [k for k in request.required_keys if k not in self.values]
        if missing and not shelf.plane.scenario.permissive:
            raise GRPCError(Status.FAILED_PRECONDITION, f"Secret is missing key(s): {', '.join(missing)}")


@dataclass(eq=False)
class Volume(Stored):
    what, word, prefix = "Volume", "volume", "vo"
    version: pb.VolumeFsVersion.ValueType = pb.VOLUME_FS_VERSION_V1
    is_assumed: bool = False  # of a world that was made up: it has the version that the app asks for

    def facts(self) -> dict[str, object]:
        return super().facts() | {"version": self.version}

    def take(self, request: pb.VolumeGetOrCreateRequest, shelf: Shelf, *, is_new: bool) -> None:
        if is_new or (self.is_assumed and request.version):
            self.version = request.version or pb.VOLUME_FS_VERSION_V1


@dataclass(eq=False)
class Dict(Stored):
    what, word, prefix = "Dict", "dict", "di"
    entries: dict[bytes, bytes] = field(default_factory=dict)

    def take(self, request: pb.DictGetOrCreateRequest, shelf: Shelf, *, is_new: bool) -> None:
        self.entries.update((e.key, e.value) for e in request.data)


@dataclass(eq=False)
class Queue(Stored):
    what, word, prefix = "Queue", "queue", "qu"
    partitions: dict[bytes, list[bytes]] = field(default_factory=dict)
    changed: Changed = field(default_factory=Changed)

    def facts(self) -> dict[str, object]:
        sizes = [*map(len, self.partitions.values())]
        return super().facts() | {"num_partitions": len(sizes), "total_size": sum(sizes)}


@dataclass(eq=False)
class FileSystem(Stored):
    what, word, prefix = "NetworkFileSystem", "shared_volume", "sv"


@dataclass(eq=False)
class Proxy(Stored):
    what, word, prefix = "Proxy", "proxy", "pr"


KINDS: tuple[type[Stored], ...] = (Secret, Volume, Dict, Queue, FileSystem)


@dataclass(frozen=True)
class Page:
    """What an environment holds of one kind: the named ones, newest first."""

    environment: str
    rows: Sequence[Stored]

    def shown_in(self, answer: type[M]) -> M:
        items = next(f for f in answer.DESCRIPTOR.fields if f.message_type is not None)
        item = message_factory.GetMessageClass(items.message_type)
        rows = [row.shown_in(item) for row in self.rows]
        shown: M = answer(environment_name=self.environment, **{items.name: rows})
        return shown


class Shelf:
    """All of them, by id."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self._rows: dict[str, Stored] = {}

    def add(self, row: S) -> S:
        self._rows[row.id] = row
        return row

    def find(self, kind: type[S], object_id: str) -> S | None:
        row = self._rows.get(object_id)
        return row if isinstance(row, kind) else None

    def get(self, kind: type[S], object_id: str) -> S:
        row = self.find(kind, object_id)
        if row is None:
            raise GRPCError(Status.NOT_FOUND, f"{kind.what} '{object_id}' not found")
        return row

    def named(self, kind: type[S], name: str, environment: str) -> S | None:
        rows = (r for r in self._rows.values() if isinstance(r, kind))
        return next((r for r in rows if (r.name, r.environment) == (name, environment)), None)

    def answers(self) -> dict[str, Callable[[Any], Awaitable[Stored | Page]]]:
        """To the RPCs that are the same for every kind, by their names as methods: ``dict_list``, ``queue_delete``."""
        by_verb: dict[str, Callable[[type[Stored], Any], Awaitable[Stored | Page]]] = {
            "get_or_create": self._get_or_make,
            "get_by_id": self._asked_for,
            "get_info": self._asked_for,
            "heartbeat": self._asked_for,
            "list": self._page,
            "delete": self._drop,
        }
        return {f"{k.word}_{verb}": functools.partial(a, k) for k in KINDS for verb, a in by_verb.items()}

    async def _get_or_make(self, kind: type[Stored], request: Lookup) -> Stored:
        """As the request's creation type has it; in a permissive or an inventing world a lookup makes it, too."""
        environment, how = self.plane.environment(request.environment_name).name, request.object_creation_type
        name = "" if how in UNNAMED else request.deployment_name
        found = None if how in UNNAMED else self.named(kind, name, environment)
        if found is None and how == pb.OBJECT_CREATION_TYPE_UNSPECIFIED and not self.plane.makes_what_is_asked_for:
            raise GRPCError(Status.NOT_FOUND, f"{kind.what} '{name}' not found in environment '{environment}'.")
        if found is not None and how == pb.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(Status.ALREADY_EXISTS, f"{kind.what} '{name}' already exists")
        row = found or self.add(kind(name, environment))
        row.creates_if_missing = how == pb.OBJECT_CREATION_TYPE_CREATE_IF_MISSING
        row.take(request, self, is_new=found is None)
        return row

    async def _asked_for(self, kind: type[Stored], request: object) -> Stored:
        return self.get(kind, getattr(request, f"{kind.word}_id"))

    async def _drop(self, kind: type[Stored], request: object) -> Stored:
        return self._rows.pop((await self._asked_for(kind, request)).id)

    async def _page(self, kind: type[Stored], request: Listing) -> Page:
        environment = self.plane.environment(request.environment_name).name
        pagination: pb.ListPagination = getattr(request, "pagination", None) or pb.ListPagination()
        before = pagination.created_before or float("inf")
        rows = [r for r in self._rows.values() if isinstance(r, kind) and r.name and r.environment == environment]
        rows = sorted((r for r in rows if r.created_at < before), key=lambda r: -r.created_at)
        return Page(environment, rows[: pagination.max_objects or None])


# ---- what can be asked of one kind alone ----------------------------------------------------------------------------


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
