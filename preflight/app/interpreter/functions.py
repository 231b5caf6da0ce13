"""Functions and classes as their App's decorator hands them to Modal: GPU, limits, secrets, mounts, image."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from preflight.app.interpreter import objects
from preflight.app.interpreter.flow import images_of, merged, values_of
from preflight.app.interpreter.modal_objects import place
from preflight.app.interpreter.values import (
    Alternatives,
    AppValue,
    Decorated,
    ImageValue,
    Opaque,
    Value,
    missing_in,
    shown_value,
    variable_of,
)
from preflight.app.model import (
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
from preflight.app.offsets import Offsets
from preflight.model import Where

GPU = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9-]*)([!+]*)\s*(?::\s*(\d+))?\s*")


def build(decorated: Iterable[Decorated], image_of: Callable[[ImageValue], Image]) -> tuple[Function, ...]:
    """Every decorated def, in the order of the text."""
    made = [_function(each, image_of) for each in decorated]
    return tuple(sorted(made, key=lambda f: (f.where.path, f.where.line)))


class _Given:
    """The decorator's arguments by name; one that a ``**`` may hold is unresolved."""

    def __init__(self, call: Call, app: AppValue) -> None:
        self.call = call
        self.defaults = app.defaults
        self.open_end = call.kwargs.get("**")

    def __getitem__(self, name: str) -> Value:
        return objects.value_of_member(self.call.kwargs.get(name, self.open_end))

    def with_default(self, name: str) -> list[Value]:
        """The App's value and the function's own, which come together for secrets and volumes."""
        return [v for v in (self.defaults.get(name), self[name]) if v is not None]


def _function(each: Decorated, image_of: Callable[[ImageValue], Image]) -> Function:
    call, given = each.call, _Given(each.call, each.app)
    kind = call.name.rsplit(".", 1)[-1]
    image = given["image"] if given["image"] is not None else each.app.defaults.get("image")
    return Function(
        name=each.node.name,
        kind=kind,
        app=each.app.variable,
        where=Offsets.of(each.source).where(each.node),
        images=None if kind == "local_entrypoint" else _images(image, call.where, image_of),
        gpu=gpus(given["gpu"], call),
        timeout_s=_number(call, given["timeout"], "timeout"),
        startup_timeout_s=_number(call, given["startup_timeout"], "startup_timeout"),
        cpu=_pair(given["cpu"], call.where),
        memory_mib=_pair(given["memory"], call.where),
        retries=_retries(call, given["retries"]),
        secrets=tuple(s for v in given.with_default("secrets") for s in _secrets(v, call.where))
        + tuple(_secrets(call.kwargs.get("secret"), call.where)),
        volumes=_volumes(given, call.where),
        schedule=_schedule(call),
        call=shown(call),
        body=each.node,
        decorators=each.others,
    )


def shown(call: Call) -> Call:
    """The call with arguments as the model promises them: branches are unresolved, paths are strings."""
    kwargs = {k: shown_value(v, call.where) for k, v in call.kwargs.items()}
    return replace(call, args=tuple(shown_value(a, call.where) for a in call.args), kwargs=kwargs)


def _images(
    value: Value, where: Where, image_of: Callable[[ImageValue], Image]
) -> tuple[Image, ...] | Unresolved | None:
    if value is None:
        return None
    found = tuple(image_of(v) for v in images_of(value))
    if found:
        return found
    return missing_in(value, where) or Unresolved("the image is not made in the text", where)


def gpus(value: Value, call: Call) -> tuple[Gpu, ...] | Unresolved:
    """The alternatives of ``gpu=``; () for none, Unresolved when the text does not say."""
    value = value.default if isinstance(value, Alternatives) else objects.value_of_member(value)
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
    at, span = place(call, -1, "gpu")
    if isinstance(value, str):
        parsed = GPU.fullmatch(value)
        kind, count = (parsed[1], int(parsed[3] or 1)) if parsed is not None else (value, 1)
        return (Gpu(kind.upper(), count, str(value), at, span, variable_of(value)),)
    if isinstance(value, Opaque) and value.kind.startswith("gpu.") and value.call is not None:
        return _gpu_object(value, at, span)
    return missing_in(value, at) or Unresolved("the GPU is not in the text", at)


def _gpu_object(value: Opaque, at: Where, span: Span | None) -> tuple[Gpu, ...] | Unresolved:
    """``modal.gpu.A100(count=4, size="80GB")``: removed from Modal, still in many apps."""
    assert value.call is not None
    kind = value.kind.removeprefix("gpu.").upper()
    given = value.call.kwargs
    size, count = given.get("size"), given.get("count", next(iter(value.call.args), 1))
    if size is None and isinstance(given.get("memory"), int):
        size = f"{given['memory']}GB"
    missing = missing_in([size, count], at)
    if missing is not None or not isinstance(count, int):
        return missing or Unresolved("the count of GPUs is not in the text", at, span)
    if isinstance(size, str) and kind == "A100" and size:
        kind = f"A100-{size.upper()}"
    return (Gpu(kind, count, ast.unparse(value.call.node), at, span, variable_of(count)),)  # type: ignore[arg-type]


def _number(call: Call, value: Value, keyword: str) -> Known[float] | Unresolved | None:
    at, span = place(call, -1, keyword)
    value = value.default if isinstance(value, Alternatives) else value
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Known(float(value), at, span, variable_of(value))
    return missing_in(value, at) or Unresolved(f"{keyword} is not a number in the text", at, span)


def _pair(value: Value, where: Where) -> tuple[float, float | None] | Unresolved | None:
    """(request, limit) of ``cpu=`` or ``memory=``."""
    value = value.default if isinstance(value, Alternatives) else value
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value), None
    if isinstance(value, list | tuple) and len(value) == 2:
        request, limit = value
        if isinstance(request, int | float) and isinstance(limit, int | float):
            return float(request), float(limit)
    return missing_in(value, where) or Unresolved("it is not a number in the text", where)


def _retries(call: Call, value: Value) -> Known[int] | Unresolved | None:
    at, span = place(call, -1, "retries")
    value = value.default if isinstance(value, Alternatives) else value
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return Known(int(value), at, span, variable_of(value))
    if isinstance(value, Opaque) and value.kind == "Retries" and value.call is not None:
        most = value.call.kwargs.get("max_retries")
        if isinstance(most, int):
            return Known(most, at, span)
    return missing_in(value, at) or Unresolved("retries is not a number in the text", at, span)


def _secrets(value: Value, where: Where) -> list[SecretRef | Unresolved]:
    """The secrets of a list.  Where a condition decides, those of every branch, and Unresolved for the condition."""
    found: list[SecretRef | Unresolved] = []
    for branch in values_of(value):
        for item in branch if isinstance(branch, list | tuple) else [branch]:
            for each in values_of(item):
                if isinstance(each, SecretRef):
                    found.append(each)
                elif each is not None:
                    found.append(missing_in(each, where) or Unresolved("a secret is not made in the text", where))
            if isinstance(item, Alternatives):
                found.append(Unresolved("a condition decides which secret it is", where))
    if isinstance(value, Alternatives):
        found.append(Unresolved("a condition decides which secrets these are", where))
    return list(dict.fromkeys(found))


def _volumes(given: _Given, where: Where) -> dict[str, VolumeRef | BucketMount | Unresolved]:
    """What is mounted where; of a path for which a condition decides between mounts, Unresolved."""
    found: dict[str, VolumeRef | BucketMount | Unresolved] = {}
    for keyword in ("volumes", "network_file_systems", "shared_volumes"):
        for value in given.with_default(keyword) if keyword == "volumes" or keyword in given.call.kwargs else ():
            mounts = merged(value)
            if not isinstance(mounts, dict):
                found[f"<{keyword}>"] = missing_in(mounts, where) or Unresolved("it is not in the text", where)
                continue
            for path, each in mounts.items():
                found[f"<{keyword}>" if path == "**" else str(path)] = _mount(each, where)
    return found


def _mount(value: Value, where: Where) -> VolumeRef | BucketMount | Unresolved:
    """One mount.  ``None`` in another branch is no mount: there the path is not in the container at all."""
    if isinstance(value, Alternatives):
        some = [v for v in value.values if v is not None]
        value = some[0] if len(some) == 1 else value.default
    if isinstance(value, VolumeRef | BucketMount | Unresolved):
        return value
    return missing_in(value, where) or Unresolved("a mount is not in the text", where)


def _schedule(call: Call) -> str | None:
    """The schedule as the text makes it: ``modal.Cron("0 * * * *")``."""
    value = call.kwargs.get("schedule")
    if value is None:
        return None
    if isinstance(value, Opaque) and value.call is not None and value.call.node is not None:
        return ast.unparse(value.call.node)
    keywords = call.node.keywords if isinstance(call.node, ast.Call) else []
    return next((ast.unparse(k.value) for k in keywords if k.arg == "schedule"), None)
