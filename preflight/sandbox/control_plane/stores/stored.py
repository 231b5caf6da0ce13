"""Things that have a name in an environment: looked up, made, listed and deleted in one way, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from google.protobuf import message_factory
from google.protobuf.message import Message
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import Changed, new_id, now

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane

M = TypeVar("M", bound=Message)
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

    @property
    def creation(self) -> pb.CreationInfo:
        return pb.CreationInfo(created_at=self.created_at, created_by="alice")

    def facts(self) -> dict[str, object]:
        """By the names of the fields that answers have for them."""
        return {
            "name": self.name,
            "label": self.name,
            f"{self.word}_id": self.id,
            "environment_name": self.environment,
            "created_at": self.created_at,
            "creation_info": self.creation,
        }

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
    asked: pb.SecretGetOrCreateRequest = field(default_factory=pb.SecretGetOrCreateRequest)  # at last

    def facts(self) -> dict[str, object]:
        return super().facts() | {"keys": sorted(self.values)}


@dataclass(eq=False)
class Volume(Stored):
    what, word, prefix = "Volume", "volume", "vo"
    version: pb.VolumeFsVersion.ValueType = pb.VOLUME_FS_VERSION_V1
    is_assumed: bool = False  # of a world that was made up: it has the version that the app asks for

    def facts(self) -> dict[str, object]:
        return super().facts() | {"version": self.version}


@dataclass(eq=False)
class Dict(Stored):
    what, word, prefix = "Dict", "dict", "di"
    entries: dict[bytes, bytes] = field(default_factory=dict)


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


class Shelf:
    """All of them, by id."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
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

    def drop(self, kind: type[S], object_id: str) -> None:
        self.get(kind, object_id)
        del self._rows[object_id]

    def named(self, kind: type[S], name: str, environment: str) -> S | None:
        rows = (r for r in self._rows.values() if isinstance(r, kind))
        return next((r for r in rows if (r.name, r.environment) == (name, environment)), None)

    def get_or_make(self, kind: type[S], request: Lookup, make: Callable[[str, str], S] | None = None) -> S:
        """As the request's creation type has it; in a permissive or an inventing world a lookup makes it, too."""
        make = make or kind
        environment, how = self._plane.environment(request.environment_name).name, request.object_creation_type
        row = None if how in UNNAMED else self.named(kind, request.deployment_name, environment)
        if row is None:
            if how == pb.OBJECT_CREATION_TYPE_UNSPECIFIED and not self._plane.makes_what_is_asked_for:
                text = f"{kind.what} '{request.deployment_name}' not found in environment '{environment}'."
                raise GRPCError(Status.NOT_FOUND, text)
            row = self.add(make("" if how in UNNAMED else request.deployment_name, environment))
        elif how == pb.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(Status.ALREADY_EXISTS, f"{kind.what} '{row.name}' already exists")
        row.creates_if_missing = how == pb.OBJECT_CREATION_TYPE_CREATE_IF_MISSING
        return row

    def page(self, kind: type[S], request: Listing) -> tuple[str, Sequence[S]]:
        """The environment's name, and its named ones, newest first."""
        environment = self._plane.environment(request.environment_name).name
        pagination: pb.ListPagination = getattr(request, "pagination", None) or pb.ListPagination()
        before = pagination.created_before or float("inf")
        rows = [r for r in self._rows.values() if isinstance(r, kind) and r.name and r.environment == environment]
        rows = sorted((r for r in rows if r.created_at < before), key=lambda r: -r.created_at)
        return environment, rows[: pagination.max_objects or None]
