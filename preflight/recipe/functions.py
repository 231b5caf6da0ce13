"""Functions and classes as their App's decorator hands them to Modal: GPU, limits, secrets, mounts, image."""

from __future__ import annotations

import ast
import re
from typing import Any

from preflight.model import Where
from preflight.recipe.interpreter import Shared, images_of
from preflight.recipe.model import (
    BucketMount,
    Call,
    Function,
    Gpu,
    Image,
    Known,
    SecretRef,
    Span,
    Unresolved,
    VolumeRef,
)
from preflight.recipe.values import Alternatives, AppValue, ImageValue, Opaque, Value

GPU = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9-]*)([!+]*)\s*(?::\s*(\d+))?\s*")


def build(shared: Shared, images: dict[int, Image]) -> tuple[Function, ...]:
    """Every decorated def, in the order of the text.  ``images`` are the built images by id of their value."""
    made = [_function(node, call, app, others, images) for node, call, app, others in shared.decorated]
    return tuple(sorted(made, key=lambda f: (f.where.path, f.where.line)))


def _function(node: Any, call: Call, app: AppValue, others: tuple[Call, ...], images: dict[int, Image]) -> Function:
    given = {**{k: v for k, v in app.defaults if k in ("image", "volumes")}, **call.kwargs}
    kind = call.name.rsplit(".", 1)[-1]
    inner = tuple(others) + tuple(_method_decorators(node))
    return Function(
        name=node.name,
        kind=kind,
        app=app.variable,
        where=Where(call.where.path, node.lineno, node.col_offset + 1),
        images=None if kind == "local_entrypoint" else _images(given.get("image"), call.where, images),
        gpu=gpus(given.get("gpu"), call),
        timeout_s=_number(call, given.get("timeout"), "timeout"),
        startup_timeout_s=_number(call, given.get("startup_timeout"), "startup_timeout"),
        cpu=_pair(given.get("cpu"), call.where),
        memory_mib=_pair(given.get("memory"), call.where),
        retries=_retries(call, given.get("retries")),
        secrets=tuple(_secrets(dict(app.defaults).get("secrets"), call.where))
        + tuple(_secrets(given.get("secrets"), call.where))
        + tuple(_secrets([given["secret"]] if "secret" in given else None, call.where)),
        volumes=_volumes(given, call.where),
        schedule=_schedule(call),
        call=call,
        body=node,
        decorators=inner,
    )


def _method_decorators(node: Any) -> list[Call]:
    """Bare and called ``modal.x`` decorators of a class's methods, as far as their name shows it."""
    if not isinstance(node, ast.ClassDef):
        return []
    found = []
    for item in node.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in item.decorator_list:
                func = decorator.func if isinstance(decorator, ast.Call) else decorator
                name = ast.unparse(func)
                if name.startswith("modal."):
                    where = Where("", decorator.lineno, decorator.col_offset + 1)
                    found.append(Call(name=name, where=where, span=None, is_bare=func is decorator, node=decorator))
    return found


def _images(value: Value, where: Where, images: dict[int, Image]) -> tuple[Image, ...] | Unresolved | None:
    if value is None:
        return None
    found = tuple(images[id(v)] for v in images_of(value) if id(v) in images)
    if found:
        return found
    return value if isinstance(value, Unresolved) else Unresolved("the image is not made in the text", where)


def gpus(value: Value, call: Call) -> tuple[Gpu, ...] | Unresolved:
    """The alternatives of ``gpu=``; () for none, Unresolved when the text does not say."""
    if value is None or value is False:
        return ()
    if isinstance(value, Alternatives):
        return Unresolved("the GPU depends on a condition", call.where)
    if isinstance(value, list | tuple):
        found: list[Gpu] = []
        for each in value:
            one = gpus(each, call)
            if isinstance(one, Unresolved):
                return one
            found += one
        return tuple(found)
    at, span = _place(call, "gpu")
    if isinstance(value, str):
        parsed = GPU.fullmatch(value)
        if parsed is None:
            return (Gpu(value.upper(), 1, str(value), at, span),)
        return (Gpu(parsed[1].upper(), int(parsed[3] or 1), str(value), at, span),)
    if isinstance(value, Opaque) and value.kind.startswith("gpu.") and value.call is not None:
        return (_gpu_object(value, at, span),)
    return value if isinstance(value, Unresolved) else Unresolved("the GPU is not in the text", at)


def _gpu_object(value: Opaque, at: Where, span: Span | None) -> Gpu:
    """``modal.gpu.A100(count=4, size="80GB")``: removed from Modal, still in many apps."""
    assert value.call is not None
    kind = value.kind.removeprefix("gpu.").upper()
    size, count = value.call.kwargs.get("size"), value.call.kwargs.get("count", 1)
    if isinstance(size, str) and kind == "A100":
        kind = f"A100-{size.upper()}"
    return Gpu(kind, count if isinstance(count, int) else 1, ast.unparse(value.call.node), at, span)  # type: ignore[arg-type]


def _place(call: Call, keyword: str) -> tuple[Where, Span | None]:
    if isinstance(call.node, ast.Call):
        for each in call.node.keywords:
            if each.arg == keyword:
                return Where(call.where.path, each.lineno, each.col_offset + 1), call.kwarg_spans.get(keyword)
    return call.where, None


def _number(call: Call, value: Value, keyword: str) -> Known[float] | Unresolved | None:
    at, span = _place(call, keyword)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Known(float(value), at, span)
    return value if isinstance(value, Unresolved) else Unresolved(f"{keyword} is not a number in the text", at, span)


def _pair(value: Value, where: Where) -> tuple[float, float | None] | Unresolved | None:
    """(request, limit) of ``cpu=`` or ``memory=``."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value), None
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value):
        return float(value[0]), float(value[1])
    return value if isinstance(value, Unresolved) else Unresolved("it is not a number in the text", where)


def _retries(call: Call, value: Value) -> Known[int] | Unresolved | None:
    at, span = _place(call, "retries")
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return Known(value, at, span)
    if isinstance(value, Opaque) and value.kind == "Retries" and value.call is not None:
        most = value.call.kwargs.get("max_retries")
        if isinstance(most, int):
            return Known(most, at, span)
    return value if isinstance(value, Unresolved) else Unresolved("retries is not a number in the text", at, span)


def _secrets(value: Value, where: Where) -> list[SecretRef | Unresolved]:
    if value is None:
        return []
    if isinstance(value, Alternatives):
        return [s for each in value.values for s in _secrets(each, where)]
    if not isinstance(value, list | tuple):
        value = [value]
    found: list[SecretRef | Unresolved] = []
    for each in value:
        if isinstance(each, SecretRef):
            found.append(each)
        elif isinstance(each, Alternatives):
            found += [v for v in each.values if isinstance(v, SecretRef)]
        elif each is not None:
            found.append(
                each if isinstance(each, Unresolved) else Unresolved("a secret is not made in the text", where)
            )
    return found


def _volumes(given: dict[str, Value], where: Where) -> dict[str, VolumeRef | BucketMount | Unresolved]:
    found: dict[str, VolumeRef | BucketMount | Unresolved] = {}
    for keyword in ("volumes", "network_file_systems", "shared_volumes"):
        value = given.get(keyword)
        if value is None:
            continue
        if isinstance(value, Alternatives):
            value = next((v for v in value.values if isinstance(v, dict)), None)
        if not isinstance(value, dict):
            found[f"<{keyword}>"] = value if isinstance(value, Unresolved) else Unresolved("not in the text", where)
            continue
        for path, each in value.items():
            if isinstance(each, Alternatives):
                each = next((v for v in each.values if isinstance(v, VolumeRef | BucketMount)), None)
            ok = isinstance(each, VolumeRef | BucketMount | Unresolved)
            found[str(path)] = each if ok else Unresolved("a mount is not made in the text", where)
    return found


def _schedule(call: Call) -> str | None:
    if isinstance(call.node, ast.Call):
        for each in call.node.keywords:
            if each.arg == "schedule" and not (isinstance(each.value, ast.Constant) and each.value.value is None):
                return ast.unparse(each.value)
    return None


def chain_of(value: ImageValue) -> tuple[int, ...]:
    """What makes two chains the same: their steps, by identity."""
    return tuple(id(step) for step in value.steps)
