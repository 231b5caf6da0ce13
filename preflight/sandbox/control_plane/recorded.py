"""What a client has deployed, read out of the plane that it asked: the app as it would be on Modal."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modal_proto import api_pb2 as pb

from preflight.discover.recording import (
    RecordedBucket,
    RecordedFunction,
    RecordedImage,
    RecordedSecret,
    RecordedVolume,
    Recording,
)
from preflight.sandbox.control_plane.entities import Function
from preflight.sandbox.control_plane.plane import Plane
from preflight.sandbox.control_plane.stores.stored import FileSystem, Secret, Volume

ADDED_PYTHON = re.compile(r"python-build-standalone\.[^.]*\.(3\.\d+)")  # the name of Modal's own mount


def recorded(plane: Plane, *, seconds: float, closed_by: str) -> Recording | None:
    """None where nothing was deployed."""
    apps = tuple(a.name for a in plane.apps.values() if a.deploys)
    if not apps:
        return None
    return Recording(
        apps=apps,
        functions=tuple(_function(plane, f) for f in plane.functions.values() if f.is_the_apps),
        builder=plane.builder_version,
        seconds=seconds,
        closed_by=closed_by,
        requests=len(plane.requests),
    )


def _function(plane: Plane, function: Function) -> RecordedFunction:
    data = function.data
    alternatives = [r.function for r in sorted(data.ranked_functions, key=lambda r: r.rank)]
    first = alternatives[0]
    resources = first.resources
    return RecordedFunction(
        name=data.function_name.removesuffix(".*"),
        definition=(first.implementation_name or first.function_name).removesuffix(".*"),
        is_class=data.is_class,
        gpus=tuple((g.gpu_type.upper(), g.count) for a in alternatives if (g := a.resources.gpu_config).count),
        timeout_s=data.timeout_secs,
        startup_timeout_s=data.startup_timeout_secs,
        cpu=_pair(resources.milli_cpu / 1000, resources.milli_cpu_max / 1000),
        memory_mib=_pair(resources.memory_mb, resources.memory_mb_max),
        retries=first.retry_policy.retries,
        secrets=tuple(s for i in first.secret_ids if (s := _secret(plane, i))),
        mounts=dict(_mounts(plane, first)),
        image=_image(plane, first.image_id),
    )


def _pair(request: float, limit: float) -> tuple[float, float | None] | None:
    return (float(request), float(limit) or None) if request else None


def _secret(plane: Plane, secret_id: str) -> RecordedSecret | None:
    """With the keys of its values; the values are left behind."""
    row = plane.shelf.find(Secret, secret_id)
    if row is None:
        return None
    return RecordedSecret(
        name=row.name or None,
        required_keys=tuple(row.last.required_keys),
        keys=tuple(row.last.env_dict),
        environment=row.last.environment_name or None,
    )


def _mounts(plane: Plane, function: pb.Function) -> Iterator[tuple[str, RecordedVolume | RecordedBucket]]:
    for mount in function.volume_mounts:
        if volume := plane.shelf.find(Volume, mount.volume_id):
            yield mount.mount_path, _volume(volume, "volume", is_read_only=mount.read_only)
    for shared in function.shared_volume_mounts:
        if files := plane.shelf.find(FileSystem, shared.shared_volume_id):
            yield shared.mount_path, _volume(files, "network-file-system", is_read_only=False)
    for bucket in function.cloud_bucket_mounts:
        yield (
            bucket.mount_path,
            RecordedBucket(
                bucket=bucket.bucket_name,
                prefix=bucket.key_prefix or None,
                endpoint_url=bucket.bucket_endpoint_url or None,
                secret=_secret(plane, bucket.credentials_secret_id),
                has_oidc_role=bool(bucket.oidc_auth_role_arn),
                is_read_only=bucket.read_only,
                is_requester_pays=bucket.requester_pays,
                is_path_style=bucket.force_path_style,
            ),
        )


def _volume(row: Volume | FileSystem, kind: str, *, is_read_only: bool) -> RecordedVolume:
    return RecordedVolume(
        name=row.name or None, kind=kind, creates_if_missing=row.creates_if_missing, is_read_only=is_read_only
    )


def _image(plane: Plane, image_id: str) -> RecordedImage | None:
    layers = [i.definition for i in plane.image_chain(image_id)]
    if not layers:
        return None
    python = plane.mounts.get(layers[0].context_mount_id)
    added = ADDED_PYTHON.match(python.deployment_name) if python else None
    return RecordedImage(
        base=tuple(layers[0].dockerfile_commands),
        commands=tuple(c for layer in layers[1:] for c in layer.dockerfile_commands if c not in _links(layer)),
        files={f.filename: f.data.decode("utf-8", "replace") for layer in layers for f in layer.context_files},
        is_whole=not any(layer.HasField("build_function") for layer in layers),
        added_python=added[1] if added else None,
    )


def _links(layer: pb.Image) -> set[str]:
    """`FROM base`: how a layer names the one below it."""
    return {f"FROM {base.docker_tag}" for base in layer.base_images}
