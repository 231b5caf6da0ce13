"""What an app's file says, with file:line, as text or JSON."""

from __future__ import annotations

import ast
import json
from typing import Any

import click

from preflight.model import Where
from preflight.recipe.model import (
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
from preflight.recipe.values import Opaque, UserFunction
from preflight.report.text import printable

SCHEMA = "preflight.discovered/1"


def show(recipe: Recipe, *, as_json: bool) -> None:
    """Apps, functions, images step by step, secrets, and what the text left open."""
    document = discovered(recipe)
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for line in _lines(document):
        click.echo(printable(line))


def discovered(recipe: Recipe) -> dict[str, Any]:
    """The document ``preflight.discovered/1``."""
    return {
        "schema": SCHEMA,
        "path": recipe.source.path,
        "broken": recipe.broken or None,
        "apps": [{"name": _value(a.name), "variable": a.variable, "where": str(a.where)} for a in recipe.apps],
        "functions": [_function(f) for f in recipe.functions],
        "images": [_image(i) for i in recipe.images],
        "environ": [
            {"key": r.key, "by": r.by, "required": r.is_required, "inside": r.inside, "where": str(r.where)}
            for r in recipe.environ_reads
        ],
        "unresolved": [{"why": u.why, "where": str(u.where)} for u in recipe.unresolved],
    }


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
    }


def _image(image: Image) -> dict[str, Any]:
    return {
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


def _lines(document: dict[str, Any]) -> list[str]:
    lines = [f"{document['path']}" + (f": {document['broken']}" if document["broken"] else "")]
    for app in document["apps"]:
        lines.append(f"  app {_text(app['name'])}  ({app['where']})")
    for function in document["functions"]:
        lines.append(f"  {function['kind']} {function['name']}  ({function['where']})")
        for key in ("gpu", "timeout_s", "startup_timeout_s", "cpu", "memory_mib", "retries", "schedule", "image"):
            value = function[key]
            if value not in (None, []):
                shown = (
                    ", ".join(g["written"] for g in value) if key == "gpu" and isinstance(value, list) else _text(value)
                )
                lines.append(f"      {key:<18} {shown}")
        for secret in function["secrets"]:
            keys = " ".join(secret.get("required_keys", []))
            lines.append(f"      {'secret':<18} {_text(secret.get('name') or secret)}  {keys}")
        for path, mount in function["volumes"].items():
            lines.append(f"      {'mount ' + path:<18} {_text(mount)}")
    for image in document["images"]:
        open_ended = "" if image["complete"] else ", not all of it is in the text"
        lines.append(f"  image {image['variable'] or '(inline)'}  ({image['where']}{open_ended})")
        for step in image["steps"]:
            said = step["packages"] or step["args"]
            lines.append(f"      {step['where'].rsplit(':', 1)[-1]:>5}  .{step['method']}  {_text(said)}")
    for read in document["environ"]:
        need = "needs" if read["required"] else "reads"
        lines.append(f"  {need} {read['key']}  ({read['by']}, {read['where']})")
    for each in document["unresolved"]:
        lines.append(f"  not in the text: {each['why']}  ({each['where']})")
    return lines


def _text(value: Any) -> str:
    if isinstance(value, dict):
        if "unresolved" in value:
            return f"not in the text: {value['unresolved']}"
        return "  ".join(f"{k}={_text(v)}" for k, v in value.items() if v not in (None, False) and k != "where")
    if isinstance(value, list):
        return ", ".join(_text(v) for v in value)
    return str(value)
