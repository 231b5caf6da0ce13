"""The document ``preflight.discovered/1``: what an app's file says, with file:line, and what a recording adds."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from typing import Any

from preflight.app.interpreter.values import Opaque, UserFunction
from preflight.app.model import BucketMount, Function, Gpu, Image, Known, Recipe, SecretRef, Step, Unresolved, VolumeRef
from preflight.build.forecast import forecasts_of
from preflight.cli.running.stderr import redactor
from preflight.discover.compare import differences
from preflight.discover.recorder import NotRecorded
from preflight.discover.recording import RecordedBucket, RecordedFunction, RecordedSecret, RecordedVolume, Recording
from preflight.model import Where
from preflight.report.redacted import cleaned

SCHEMA = "preflight.discovered/1"


def document(recipe: Recipe, recording: Recording | NotRecorded | None = None) -> dict[str, Any]:
    """``recipe`` as filled from the recording.  Secrets are taken from every text of it."""
    filled = [f for f in recipe.functions if "images" in f.recorded]
    recorded = {id(i) for f in filled if isinstance(f.images, tuple) for i in f.images}
    whole = {
        "schema": SCHEMA,
        "path": recipe.source.path,
        "broken": recipe.broken or None,
        "apps": [_fields(a, "name", "variable", "where") for a in recipe.apps],
        "functions": [_value(f) for f in recipe.functions],
        "images": [{"recorded": id(i) in recorded} | _image(i) for i in recipe.images],
        "extensions": [
            {"name": f.ext.name, "ending": f.outcome.value, "said": f.text} | _fields(f, "version", "where")
            for f in forecasts_of(recipe, None)
        ],
        "environ": [
            _fields(r, "key", "by", "inside", "where") | {"required": r.is_required} for r in recipe.environ_reads
        ],
        "unresolved": [_fields(u, "why", "where") for u in recipe.unresolved],
        "recording": _recording(recipe, recording),
    }
    clean: dict[str, Any] = cleaned(whole, redactor().text)
    return clean


def _recording(recipe: Recipe, recording: Recording | NotRecorded | None) -> dict[str, object] | None:
    if recording is None:
        return None
    if isinstance(recording, NotRecorded):
        return {
            "ok": False,
            "obstacle": recording.obstacle.value,
            "said": recording.message,
            "where": _value(recording.where),
            "line": recording.line or None,
        }
    return {
        "ok": True,
        "seconds": round(recording.seconds, 2),
        "network_closed_by": recording.closed_by,
        **_fields(recording, "builder", "requests", "apps", "functions"),
        "differences": [
            _fields(d, "subject", "read", "recorded", "where") | {"unless": d.unless or None}
            for d in differences(recipe, recording)
        ],
    }


def _fields(of: object, *names: str) -> dict[str, object]:
    return {name: _value(getattr(of, name)) for name in names}


@functools.singledispatch
def _value(value: object) -> object:
    """As JSON holds it; what is not in the text as {unresolved: why, where}."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value) if isinstance(value, str | Where) else {"unresolved": type(value).__name__, "where": ""}


@_value.register(Known)
def _known(value: Known[object]) -> object:
    return _value(value.value)


@_value.register
def _unresolved(value: Unresolved) -> object:
    return {"unresolved": value.why, "where": str(value.where)}


@_value.register(list)
@_value.register(tuple)
@_value.register(set)
def _list(value: Iterable[object]) -> object:
    return [_value(v) for v in value]


@_value.register(dict)
def _dict(value: dict[object, object]) -> object:
    return {str(k): _value(v) for k, v in value.items()}


@_value.register
def _opaque(value: Opaque) -> object:
    node = value.call.node if value.call is not None else None
    return {"unresolved": "Opaque", "where": ""} if node is None else ast.unparse(node)


@_value.register
def _lambda(value: UserFunction) -> object:
    return getattr(value.node, "name", "lambda")


@_value.register
def _function(function: Function) -> dict[str, object]:
    """The image by its variable, or by its place."""
    images = function.images
    return {
        **_fields(function, "name", "kind", "where", "gpu", "timeout_s", "startup_timeout_s", "cpu", "memory_mib"),
        **_fields(function, "retries", "secrets", "volumes", "schedule", "recorded"),
        "image": [i.variable or str(i.where) for i in images] if isinstance(images, tuple) else _value(images),
    }


@_value.register
def _gpu(gpu: Gpu) -> object:
    return _fields(gpu, "type", "count", "written")


def _image(image: Image) -> dict[str, object]:
    return _fields(image, "variable", "where", "steps") | {"complete": image.is_complete}


@_value.register
def _step(step: Step) -> object:
    packages = [p.written for install in step.pip for p in install.packages]
    return _fields(step, "method", "where", "args", "kwargs", "apt") | {
        "packages": packages,
        "complete": step.is_complete,
    }


@_value.register
def _secret(secret: SecretRef) -> object:
    return _fields(secret, "name", "required_keys", "keys", "where")


@_value.register
def _volume(mount: VolumeRef) -> object:
    return {"volume": mount.name, "create_if_missing": mount.creates_if_missing, "where": str(mount.where)}


@_value.register
def _bucket(mount: BucketMount) -> object:
    return _fields(mount, "bucket", "prefix", "endpoint_url", "secret", "where") | {"read_only": mount.is_read_only}


@_value.register
def _recorded(function: RecordedFunction) -> object:
    image = function.image
    return {
        **_fields(function, "name", "definition", "timeout_s", "startup_timeout_s", "cpu", "memory_mib", "retries"),
        **_fields(function, "secrets", "mounts"),
        "gpu": [{"type": kind, "count": count} for kind, count in function.gpus],
        "image": [*image.base, *image.commands] if image is not None else [],
    }


@_value.register
def _recorded_secret(secret: RecordedSecret) -> object:
    return _fields(secret, "name", "required_keys", "keys")


@_value.register
def _recorded_volume(mount: RecordedVolume) -> object:
    return {mount.kind: mount.name, "read_only": mount.is_read_only}


@_value.register
def _recorded_bucket(mount: RecordedBucket) -> object:
    return _fields(mount, "bucket", "prefix", "endpoint_url", "secret") | {"read_only": mount.is_read_only}
