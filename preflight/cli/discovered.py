"""The document ``preflight.discovered/1``: what an app's file says, with file:line, and what a recording adds."""

from __future__ import annotations

import ast
from typing import Any

from preflight.app.interpreter.values import Opaque, UserFunction
from preflight.app.model import (
    BucketMount,
    Function,
    Image,
    Known,
    Recipe,
    SecretRef,
    Step,
    Unresolved,
    VolumeRef,
)
from preflight.build.forecast import Forecast
from preflight.build.foretell import foretold
from preflight.discover.compare import differences
from preflight.discover.recorder import NotRecorded
from preflight.discover.recording import (
    RecordedBucket,
    RecordedFunction,
    RecordedSecret,
    RecordedVolume,
    Recording,
)
from preflight.model import Where
from preflight.redact import without_secrets

SCHEMA = "preflight.discovered/1"


def document(recipe: Recipe, recording: Recording | NotRecorded | None = None) -> dict[str, Any]:
    """``recipe`` as filled from the recording.  Secrets are taken from every text of it."""
    filled = [f for f in recipe.functions if "images" in f.recorded]
    recorded = {id(i) for f in filled if isinstance(f.images, tuple) for i in f.images}
    whole = {
        "schema": SCHEMA,
        "path": recipe.source.path,
        "broken": recipe.broken or None,
        "apps": [{"name": _value(a.name), "variable": a.variable, "where": str(a.where)} for a in recipe.apps],
        "functions": [_function(f) for f in recipe.functions],
        "images": [_image(i, is_recorded=id(i) in recorded) for i in recipe.images],
        "extensions": [_extension(f) for f in foretold(recipe, None)],
        "environ": [
            {"key": r.key, "by": r.by, "required": r.is_required, "inside": r.inside, "where": str(r.where)}
            for r in recipe.environ_reads
        ],
        "unresolved": [{"why": u.why, "where": str(u.where)} for u in recipe.unresolved],
        "recording": _recording(recipe, recording),
    }
    clean: dict[str, Any] = _clean(whole)
    return clean


def _function(function: Function) -> dict[str, Any]:
    images = function.images
    return {
        "name": function.name,
        "kind": function.kind,
        "where": str(function.where),
        "gpu": _value(function.gpu)
        if isinstance(function.gpu, Unresolved)
        else [{"type": g.type, "count": g.count, "written": g.written} for g in function.gpu],
        "timeout_s": _value(function.timeout_s),
        "startup_timeout_s": _value(function.startup_timeout_s),
        "cpu": _value(function.cpu),
        "memory_mib": _value(function.memory_mib),
        "retries": _value(function.retries),
        "secrets": [_secret(s) for s in function.secrets],
        "volumes": {path: _mount(v) for path, v in function.volumes.items()},
        "schedule": function.schedule,
        "image": [i.variable or str(i.where) for i in images] if isinstance(images, tuple) else _value(images),
        "recorded": list(function.recorded),
    }


def _image(image: Image, *, is_recorded: bool) -> dict[str, Any]:
    return {
        "recorded": is_recorded,
        "variable": image.variable,
        "where": str(image.where),
        "complete": image.is_complete,
        "steps": [_step(s) for s in image.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "method": step.method,
        "where": str(step.where),
        "args": [_value(a) for a in step.args],
        "kwargs": {k: _value(v) for k, v in step.kwargs.items()},
        "packages": [p.written for install in step.pip for p in install.packages],
        "apt": list(step.apt),
        "complete": step.is_complete,
    }


def _extension(forecast: Forecast) -> dict[str, Any]:
    return {
        "name": forecast.ext.name,
        "version": forecast.version,
        "ending": forecast.ending.value,
        "said": forecast.said,
        "where": str(forecast.where),
    }


def _secret(secret: SecretRef | Unresolved) -> Any:
    if isinstance(secret, Unresolved):
        return _value(secret)
    return {
        "name": secret.name,
        "required_keys": list(secret.required_keys),
        "keys": list(secret.keys),
        "where": str(secret.where),
    }


def _mount(mount: VolumeRef | BucketMount | Unresolved) -> Any:
    if isinstance(mount, VolumeRef):
        return {"volume": mount.name, "create_if_missing": mount.creates_if_missing, "where": str(mount.where)}
    if isinstance(mount, Unresolved):
        return _value(mount)
    return {
        "bucket": _value(mount.bucket),
        "prefix": _value(mount.prefix),
        "endpoint_url": _value(mount.endpoint_url),
        "secret": None if mount.secret is None else _secret(mount.secret),
        "read_only": mount.is_read_only,
        "where": str(mount.where),
    }


def _recording(recipe: Recipe, recording: Recording | NotRecorded | None) -> dict[str, Any] | None:
    if recording is None:
        return None
    if isinstance(recording, NotRecorded):
        return {
            "ok": False,
            "obstacle": recording.obstacle.value,
            "said": recording.said,
            "where": str(recording.where) if recording.where else None,
            "line": recording.line or None,
        }
    return {
        "ok": True,
        "builder": recording.builder,
        "seconds": round(recording.seconds, 2),
        "network_closed_by": recording.closed_by,
        "requests": recording.requests,
        "apps": list(recording.apps),
        "functions": [_recorded(f) for f in recording.functions],
        "differences": [
            {
                "subject": d.subject,
                "read": d.read,
                "recorded": d.recorded,
                "unless": d.unless or None,
                "where": str(d.where),
            }
            for d in differences(recipe, recording)
        ],
    }


def _recorded(function: RecordedFunction) -> dict[str, Any]:
    image = function.image
    return {
        "name": function.name,
        "definition": function.definition,
        "gpu": [{"type": kind, "count": count} for kind, count in function.gpus],
        "timeout_s": function.timeout_s,
        "startup_timeout_s": function.startup_timeout_s,
        "cpu": _value(function.cpu),
        "memory_mib": _value(function.memory_mib),
        "retries": function.retries,
        "secrets": [_recorded_secret(s) for s in function.secrets],
        "mounts": {path: _recorded_mount(m) for path, m in function.mounts.items()},
        "image": [*image.base, *image.commands] if image is not None else [],
    }


def _recorded_secret(secret: RecordedSecret) -> dict[str, Any]:
    return {"name": secret.name, "required_keys": list(secret.required_keys), "keys": list(secret.keys)}


def _recorded_mount(mount: RecordedVolume | RecordedBucket) -> dict[str, Any]:
    if isinstance(mount, RecordedVolume):
        return {mount.kind: mount.name, "read_only": mount.is_read_only}
    return {
        "bucket": mount.bucket,
        "prefix": mount.prefix,
        "endpoint_url": mount.endpoint_url,
        "secret": None if mount.secret is None else _recorded_secret(mount.secret),
        "read_only": mount.is_read_only,
    }


def _value(value: Any) -> Any:
    """Folded data as JSON holds it; what is not in the text as {unresolved: why, where}."""
    if isinstance(value, Known):
        return _value(value.value)
    if isinstance(value, Unresolved):
        return {"unresolved": value.why, "where": str(value.where)}
    if isinstance(value, Where):
        return str(value)
    if isinstance(value, SecretRef):
        return _secret(value)
    if isinstance(value, VolumeRef | BucketMount):
        return _mount(value)
    if isinstance(value, Opaque) and value.call is not None and value.call.node is not None:
        return ast.unparse(value.call.node)
    if isinstance(value, UserFunction):
        return getattr(value.node, "name", "lambda")
    if isinstance(value, dict):
        return {str(k): _value(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [_value(v) for v in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value) if isinstance(value, str) else {"unresolved": type(value).__name__, "where": ""}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {k: _clean(v) for k, v in value.items()}
    return [_clean(v) for v in value] if isinstance(value, list) else value
