"""What the real client asked our plane for, typed: the app as it would be deployed.

Read from the plane's rows {rpc, request, response}, whose field names are those of Modal's own protocol (client 1.6.4).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
ADDED_PYTHON = re.compile(r"python-build-standalone\.[^.]*\.(3\.\d+)")  # the name of Modal's own mount


@dataclass(frozen=True, kw_only=True)
class RecordedSecret:
    """``name`` is None for one that the app makes of values; ``keys`` are then its keys.  Values are never kept."""

    name: str | None
    required_keys: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    environment: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecordedVolume:
    """``name`` is None for an ephemeral one."""

    name: str | None
    kind: str = "volume"  # or "network-file-system"
    creates_if_missing: bool = False
    is_read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class RecordedBucket:
    bucket: str
    prefix: str | None
    endpoint_url: str | None
    secret: RecordedSecret | None
    has_oidc_role: bool
    is_read_only: bool
    is_requester_pays: bool = False
    is_path_style: bool = False


@dataclass(frozen=True, kw_only=True)
class RecordedImage:
    """One chain.  ``base`` are the commands of its first layer, ``commands`` those of all others, in order, as the
    builder renders them.  ``files`` are what it hands to the builder by name: requirement files, a lock.

    ``added_python`` is "3.11" where the client brings its own Python into the base, None where it does not."""

    base: tuple[str, ...]
    commands: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    added_python: str | None = None
    is_whole: bool = True  # False: a layer is what a Python function leaves behind, and no command says what that is


@dataclass(frozen=True, kw_only=True)
class RecordedFunction:
    """``name`` is its tag, ``definition`` the name of the def or class.

    ``gpus`` are (type, count) of each alternative.  ``cpu`` and ``memory_mib`` are (request, limit) and None where
    the app gives none; ``timeout_s`` is Modal's default where the app gives none.
    """

    name: str
    definition: str
    is_class: bool
    gpus: tuple[tuple[str, int], ...]
    timeout_s: int
    startup_timeout_s: int
    cpu: tuple[float, float | None] | None
    memory_mib: tuple[float, float | None] | None
    retries: int
    secrets: tuple[RecordedSecret, ...]
    mounts: Mapping[str, RecordedVolume | RecordedBucket]
    image: RecordedImage | None


@dataclass(frozen=True, kw_only=True)
class Recording:
    """``closed_by`` says who kept the network closed: "kernel", or "python" for Python's own sockets alone."""

    apps: tuple[str, ...]
    functions: tuple[RecordedFunction, ...]
    builder: str
    seconds: float
    closed_by: str
    requests: int


def read(rows: Sequence[Row], *, builder: str, seconds: float, closed_by: str) -> Recording:
    """The recording of one deploy that came to its end."""
    world = _World(rows)
    return Recording(
        apps=tuple(r["request"].get("name", "") for r in _of(rows, "AppPublish")),
        functions=tuple(world.function(r["request"]) for r in _of(rows, "FunctionCreate") if not _builds(r["request"])),
        builder=builder,
        seconds=seconds,
        closed_by=closed_by,
        requests=len(rows),
    )


def together(recordings: Sequence[Recording]) -> Recording:
    """Several apps of one file as one recording; a function that two of them deploy is in it once."""
    functions = {(f.name, f.definition): f for r in recordings for f in r.functions}
    first = recordings[0]
    return Recording(
        apps=tuple(dict.fromkeys(a for r in recordings for a in r.apps)),
        functions=tuple(functions.values()),
        builder=first.builder,
        seconds=sum(r.seconds for r in recordings),
        closed_by=first.closed_by,
        requests=sum(r.requests for r in recordings),
    )


def is_deployed(rows: Iterable[Row]) -> bool:
    return any(r["rpc"] == "AppPublish" and r["response"] is not None for r in rows)


def _of(rows: Iterable[Row], rpc: str) -> Iterator[Row]:
    return (r for r in rows if r["rpc"] == rpc and r["response"] is not None)


class _World:
    """What the ids in the requests stand for."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.secrets = {r["response"]["secret_id"]: _secret(r["request"]) for r in _of(rows, "SecretGetOrCreate")}
        self.images = {r["response"]["image_id"]: r["request"]["image"] for r in _of(rows, "ImageGetOrCreate")}
        self.pythons = {
            r["response"]["mount_id"]: found[1]
            for r in _of(rows, "MountGetOrCreate")
            if (found := ADDED_PYTHON.match(r["request"].get("deployment_name", "")))
        }
        self.made: dict[str, RecordedImage | None] = {}
        self.volumes: dict[str, RecordedVolume] = {}
        for rpc, id_field, kind in (
            ("VolumeGetOrCreate", "volume_id", "volume"),
            ("SharedVolumeGetOrCreate", "shared_volume_id", "network-file-system"),
        ):
            for row in _of(rows, rpc):
                asked = row["request"]
                self.volumes[row["response"][id_field]] = RecordedVolume(
                    name=asked.get("deployment_name") or None,
                    kind=kind,
                    creates_if_missing=asked.get("object_creation_type", "").endswith("CREATE_IF_MISSING"),
                )

    def function(self, request: Row) -> RecordedFunction:
        data = request.get("function_data") or {}
        ranked = sorted(data.get("ranked_functions", []), key=lambda r: int(r.get("rank", 0)))
        alternatives = [r["function"] for r in ranked] or [request["function"]]
        first = alternatives[0]
        whole = data or first
        resources = first.get("resources", {})
        return RecordedFunction(
            name=whole.get("function_name", "").removesuffix(".*"),
            definition=(first.get("implementation_name") or first.get("function_name", "")).removesuffix(".*"),
            is_class=bool(whole.get("is_class")),
            gpus=tuple(g for a in alternatives for g in _gpus(a)),
            timeout_s=int(whole.get("timeout_secs", 0)),
            startup_timeout_s=int(whole.get("startup_timeout_secs", 0)),
            cpu=_pair(resources, "milli_cpu", per=1000),
            memory_mib=_pair(resources, "memory_mb", per=1),
            retries=int(first.get("retry_policy", {}).get("retries", 0)),
            secrets=tuple(self.secrets[i] for i in first.get("secret_ids", []) if i in self.secrets),
            mounts=dict(self._mounts(first)),
            image=self._image(first.get("image_id", "")),
        )

    def _mounts(self, function: Row) -> Iterator[tuple[str, RecordedVolume | RecordedBucket]]:
        for mount in (*function.get("volume_mounts", []), *function.get("shared_volume_mounts", [])):
            volume = self.volumes.get(mount.get("volume_id", mount.get("shared_volume_id", "")))
            if volume is not None:
                read_only = bool(mount.get("read_only"))
                yield (
                    mount["mount_path"],
                    RecordedVolume(
                        name=volume.name,
                        kind=volume.kind,
                        creates_if_missing=volume.creates_if_missing,
                        is_read_only=read_only,
                    ),
                )
        for mount in function.get("cloud_bucket_mounts", []):
            yield (
                mount["mount_path"],
                RecordedBucket(
                    bucket=mount.get("bucket_name", ""),
                    prefix=mount.get("key_prefix") or None,
                    endpoint_url=mount.get("bucket_endpoint_url") or None,
                    secret=self.secrets.get(mount.get("credentials_secret_id", "")),
                    has_oidc_role=bool(mount.get("oidc_auth_role_arn")),
                    is_read_only=bool(mount.get("read_only")),
                    is_requester_pays=bool(mount.get("requester_pays")),
                    is_path_style=bool(mount.get("force_path_style")),
                ),
            )

    def _image(self, image_id: str) -> RecordedImage | None:
        """One object for each image, however many functions run on it."""
        if image_id not in self.made:
            self.made[image_id] = self._made(image_id)
        return self.made[image_id]

    def _made(self, image_id: str) -> RecordedImage | None:
        layers = list(self._layers(image_id))
        if not layers:
            return None
        commands = [c for layer in layers[1:] for c in layer.get("dockerfile_commands", []) if c not in _links(layer)]
        files = {f["filename"]: _text(f.get("data", "")) for layer in layers for f in layer.get("context_files", [])}
        return RecordedImage(
            base=tuple(layers[0].get("dockerfile_commands", [])),
            commands=tuple(commands),
            files=files,
            is_whole=not any("build_function" in layer for layer in layers),
            added_python=self.pythons.get(layers[0].get("context_mount_id", "")),
        )

    def _layers(self, image_id: str) -> Iterator[Row]:
        """The image and what it is built from, base first.  Modal's own chains hold each image once."""
        pending, found = [image_id], dict[str, Row]()
        while pending:
            current = pending.pop()
            if current in self.images and current not in found:
                found[current] = self.images[current]
                pending += [b["image_id"] for b in self.images[current].get("base_images", [])]
        return iter(reversed(found.values()))


def _builds(request: Row) -> bool:
    """A function of `Image.run_function`: it belongs to the image."""
    return bool(request.get("function", {}).get("is_builder_function"))


def _links(layer: Row) -> set[str]:
    """`FROM base`: how a layer names the one below it."""
    return {f"FROM {b.get('docker_tag', '')}" for b in layer.get("base_images", [])}


def _secret(request: Row) -> RecordedSecret:
    return RecordedSecret(
        name=request.get("deployment_name") or None,
        required_keys=tuple(request.get("required_keys", [])),
        keys=tuple(request.get("env_dict", {})),
        environment=request.get("environment_name") or None,
    )


def _gpus(function: Row) -> list[tuple[str, int]]:
    config = function.get("resources", {}).get("gpu_config", {})
    count = int(config.get("count", 0))
    return [(config.get("gpu_type", "").upper(), count)] if count else []


def _pair(resources: Row, name: str, *, per: int) -> tuple[float, float | None] | None:
    request, limit = int(resources.get(name, 0)), int(resources.get(f"{name}_max", 0))
    return (request / per, limit / per if limit else None) if request else None


def _text(data: str) -> str:
    try:
        return base64.b64decode(data).decode("utf-8", "replace")
    except binascii.Error:
        return ""
