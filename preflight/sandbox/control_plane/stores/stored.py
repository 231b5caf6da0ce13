"""Things that have a name in an environment: looked up, made, listed and deleted in one way, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import Changed, new_id, now

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.plane import Plane

UNNAMED = (pb.OBJECT_CREATION_TYPE_ANONYMOUS_OWNED_BY_APP, pb.OBJECT_CREATION_TYPE_EPHEMERAL)


@dataclass(eq=False)
class Stored:
    """``name`` is empty for one that an app makes for itself."""

    what: ClassVar[str] = "Object"
    prefix: ClassVar[str] = "ob"

    name: str
    environment: str
    id: str = ""
    created_at: float = field(default_factory=now)

    def __post_init__(self) -> None:
        self.id = self.id or new_id(self.prefix)

    @property
    def creation(self) -> pb.CreationInfo:
        return pb.CreationInfo(created_at=self.created_at, created_by="alice")


S = TypeVar("S", bound=Stored)


@dataclass(eq=False)
class Secret(Stored):
    what, prefix = "Secret", "st"
    values: dict[str, str] = field(default_factory=dict)

    def metadata(self) -> pb.SecretMetadata:
        return pb.SecretMetadata(
            name=self.name,
            keys=sorted(self.values),
            environment_name=self.environment,
            creation_info=self.creation,
        )


@dataclass(eq=False)
class Volume(Stored):
    what, prefix = "Volume", "vo"
    version: pb.VolumeFsVersion.ValueType = pb.VOLUME_FS_VERSION_V1
    is_assumed: bool = False  # of a world that was made up: it has the version that the app asks for

    def metadata(self) -> pb.VolumeMetadata:
        return pb.VolumeMetadata(version=self.version, name=self.name, creation_info=self.creation)


@dataclass(eq=False)
class Dict(Stored):
    what, prefix = "Dict", "di"
    entries: dict[bytes, bytes] = field(default_factory=dict)


@dataclass(eq=False)
class Queue(Stored):
    what, prefix = "Queue", "qu"
    partitions: dict[bytes, list[bytes]] = field(default_factory=dict)
    changed: Changed = field(default_factory=Changed)


@dataclass(eq=False)
class FileSystem(Stored):
    what, prefix = "NetworkFileSystem", "sv"


@dataclass(eq=False)
class Proxy(Stored):
    what, prefix = "Proxy", "pr"


class Shelf:
    """All of them, by id."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._rows: dict[str, Stored] = {}

    def add(self, row: S) -> S:
        self._rows[row.id] = row
        return row

    def get(self, kind: type[S], object_id: str) -> S:
        row = self._rows.get(object_id)
        if not isinstance(row, kind):
            raise GRPCError(Status.NOT_FOUND, f"{kind.what} '{object_id}' not found")
        return row

    def drop(self, kind: type[S], object_id: str) -> None:
        self.get(kind, object_id)
        del self._rows[object_id]

    def named(self, kind: type[S], name: str, environment: str) -> S | None:
        rows = (r for r in self._rows.values() if isinstance(r, kind))
        return next((r for r in rows if (r.name, r.environment) == (name, environment)), None)

    def get_or_make(self, kind: type[S], request: Any, make: Callable[[str, str], S] | None = None) -> S:
        """As the request's creation type has it; in a permissive or an inventing world a lookup makes it, too."""
        make = make or kind
        environment, how = self._plane.environment(request.environment_name).name, request.object_creation_type
        if how in UNNAMED:
            return self.add(make("", environment))
        row = self.named(kind, request.deployment_name, environment)
        if row is None:
            if how == pb.OBJECT_CREATION_TYPE_UNSPECIFIED and not self._plane.makes_what_is_asked_for:
                text = f"{kind.what} '{request.deployment_name}' not found in environment '{environment}'."
                raise GRPCError(Status.NOT_FOUND, text)
            return self.add(make(request.deployment_name, environment))
        if how == pb.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(Status.ALREADY_EXISTS, f"{kind.what} '{row.name}' already exists")
        return row

    def page(self, kind: type[S], request: Any) -> tuple[str, Sequence[S]]:
        """The environment's name, and its named ones, newest first."""
        environment = self._plane.environment(request.environment_name).name
        pagination: Any = getattr(request, "pagination", pb.ListPagination())
        before = pagination.created_before or float("inf")
        rows = [r for r in self._rows.values() if isinstance(r, kind) and r.name and r.environment == environment]
        rows = sorted((r for r in rows if r.created_at < before), key=lambda r: -r.created_at)
        return environment, rows[: pagination.max_objects or None]
