"""Functions and classes as their App's decorator hands them to Modal: GPU, limits, secrets, mounts, image."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from preflight.model import Where
from preflight.recipe.flow import images_of, values_of
from preflight.recipe.modal_objects import place, plain
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
from preflight.recipe.offsets import Offsets
from preflight.recipe.values import (
    Alternatives,
    AppValue,
    Decorated,
    ImageValue,
    Opaque,
    Value,
    shown_value,
    unresolved_in,
    variable_of,
)

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
        return self.call.kwargs.get(name, self.open_end)

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
    return unresolved_in(value) or Unresolved("the image is not made in the text", where)


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
    at, span = place(call, -1, "gpu")
    if isinstance(value, str):
        parsed = GPU.fullmatch(value)
        kind, count = (parsed[1], int(parsed[3] or 1)) if parsed is not None else (value, 1)
        return (Gpu(kind.upper(), count, str(value), at, span, variable_of(value)),)
    if isinstance(value, Opaque) and value.kind.startswith("gpu.") and value.call is not None:
        return (_gpu_object(value, at, span),)
    return unresolved_in(value) or Unresolved("the GPU is not in the text", at)


def _gpu_object(value: Opaque, at: Where, span: Span | None) -> Gpu:
    """``modal.gpu.A100(count=4, size="80GB")``: removed from Modal, still in many apps."""
    assert value.call is not None
    kind = value.kind.removeprefix("gpu.").upper()
    size, count = value.call.kwargs.get("size"), value.call.kwargs.get("count", 1)
    if isinstance(size, str) and kind == "A100":
        kind = f"A100-{size.upper()}"
    return Gpu(kind, count if isinstance(count, int) else 1, ast.unparse(value.call.node), at, span)  # type: ignore[arg-type]


def _number(call: Call, value: Value, keyword: str) -> Known[float] | Unresolved | None:
    at, span = place(call, -1, keyword)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Known(float(value), at, span, variable_of(value))
    return unresolved_in(value) or Unresolved(f"{keyword} is not a number in the text", at, span)


def _pair(value: Value, where: Where) -> tuple[float, float | None] | Unresolved | None:
    """(request, limit) of ``cpu=`` or ``memory=``."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value), None
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value):
        return float(value[0]), float(value[1])
    return unresolved_in(value) or Unresolved("it is not a number in the text", where)


def _retries(call: Call, value: Value) -> Known[int] | Unresolved | None:
    at, span = place(call, -1, "retries")
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return Known(plain(value), at, span, variable_of(value))
    if isinstance(value, Opaque) and value.kind == "Retries" and value.call is not None:
        most = value.call.kwargs.get("max_retries")
        if isinstance(most, int):
            return Known(most, at, span)
    return unresolved_in(value) or Unresolved("retries is not a number in the text", at, span)


def _secrets(value: Value, where: Where) -> list[SecretRef | Unresolved]:
    """The secrets of a list.  Where a condition decides, those of every branch, and Unresolved for the condition."""
    found: list[SecretRef | Unresolved] = []
    for branch in values_of(value):
        for item in branch if isinstance(branch, list | tuple) else [branch]:
            for each in values_of(item):
                if isinstance(each, SecretRef | Unresolved):
                    found.append(each)
                elif each is not None:
                    found.append(Unresolved("a secret is not made in the text", where))
            if isinstance(item, Alternatives):
                found.append(Unresolved("a condition decides which secret it is", where))
    if isinstance(value, Alternatives):
        found.append(Unresolved("a condition decides which secrets these are", where))
    return list(dict.fromkeys(found))


def _volumes(given: _Given, where: Where) -> dict[str, VolumeRef | BucketMount | Unresolved]:
    """What is mounted where; of a mount that a condition decides, Unresolved."""
    found: dict[str, VolumeRef | BucketMount | Unresolved] = {}
    for keyword in ("volumes", "network_file_systems", "shared_volumes"):
        for value in given.with_default(keyword) if keyword == "volumes" or keyword in given.call.kwargs else ():
            for branch in values_of(value):
                if not isinstance(branch, dict):
                    found[f"<{keyword}>"] = unresolved_in(branch) or Unresolved("it is not in the text", where)
                    continue
                for path, each in branch.items():
                    known = isinstance(each, VolumeRef | BucketMount | Unresolved)
                    mount = each if known else unresolved_in(each) or Unresolved("a mount is not in the text", where)
                    found[f"<{keyword}>" if path == "**" else str(path)] = mount
    return found


def _schedule(call: Call) -> str | None:
    if isinstance(call.node, ast.Call):
        for each in call.node.keywords:
            if each.arg == "schedule" and not (isinstance(each.value, ast.Constant) and each.value.value is None):
                return ast.unparse(each.value)
    return None
