"""The document ``preflight.discovered/1``: what an app's file says, with file:line, and what a recording adds."""

from __future__ import annotations

import ast
from typing import Any

from preflight.app.interpreter.values import Opaque, UserFunction
from preflight.app.model import BucketMount, Function, Gpu, Known, Recipe, SecretRef, Step, Unresolved, VolumeRef
from preflight.build.forecast import forecasts_of
from preflight.cli.running.stderr import redactor
from preflight.discover.compare import differences
from preflight.discover.recorder import NotRecorded
from preflight.discover.recording import RecordedBucket, RecordedFunction, RecordedSecret, RecordedVolume, Recording
from preflight.model import Where
from preflight.report.redacted import cleaned

SCHEMA = "preflight.discovered/1"
RESOURCES = ("timeout_s", "startup_timeout_s", "cpu", "memory_mib", "retries")


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
        "images": [
            {"recorded": id(i) in recorded} | _fields(i, "variable", "where", "steps") | {"complete": i.is_complete}
            for i in recipe.images
        ],
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


def _value(value: object) -> object:
    """As JSON holds it; what is not in the text as {unresolved: why, where}."""
    match value:
        case None | bool() | int() | float():
            return value
        case str() | Where():
            return str(value)
        case list() | tuple() | set():
            return [_value(v) for v in value]
        case dict():
            return {str(k): _value(v) for k, v in value.items()}
        case Known():
            return _value(value.value)
        case Unresolved():
            return {"unresolved": value.why, "where": str(value.where)}
        case Opaque() if value.call is not None and value.call.node is not None:
            return ast.unparse(value.call.node)
        case UserFunction():
            return getattr(value.node, "name", "lambda")
        case Function(images=images):
            named = [i.variable or str(i.where) for i in images] if isinstance(images, tuple) else _value(images)
            first = _fields(value, "name", "kind", "where", "gpu", *RESOURCES)
            return first | _fields(value, "secrets", "volumes", "schedule", "recorded") | {"image": named}
        case Gpu():
            return _fields(value, "type", "count", "written")
        case Step():
            packages = [p.written for install in value.pip for p in install.packages]
            more = {"packages": packages, "complete": value.is_complete}
            return _fields(value, "method", "where", "args", "kwargs", "apt") | more
        case SecretRef():
            return _fields(value, "name", "required_keys", "keys", "where")
        case VolumeRef():
            return {"volume": value.name, "create_if_missing": value.creates_if_missing, "where": str(value.where)}
        case BucketMount():
            more = {"read_only": value.is_read_only}
            return _fields(value, "bucket", "prefix", "endpoint_url", "secret", "where") | more
        case RecordedFunction(image=image):
            gpu = [{"type": kind, "count": count} for kind, count in value.gpus]
            commands = [*image.base, *image.commands] if image is not None else []
            first = _fields(value, "name", "definition", *RESOURCES, "secrets", "mounts")
            return first | {"gpu": gpu, "image": commands}
        case RecordedSecret():
            return _fields(value, "name", "required_keys", "keys")
        case RecordedVolume():
            return {value.kind: value.name, "read_only": value.is_read_only}
        case RecordedBucket():
            return _fields(value, "bucket", "prefix", "endpoint_url", "secret") | {"read_only": value.is_read_only}
    return {"unresolved": type(value).__name__, "where": ""}
