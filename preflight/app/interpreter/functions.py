"""Functions and classes as their App's decorator hands them to Modal: GPU, limits, secrets, mounts, image; and the
helpers that nothing calls, which may make them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, cast

from preflight.app import syntax
from preflight.app.interpreter import objects
from preflight.app.interpreter.flow import TooMuch, images_of, merged, values_of
from preflight.app.interpreter.modal_objects import BASES, RUN_BY_MODAL, place
from preflight.app.interpreter.values import (
    Alternatives,
    ClassValue,
    Decorated,
    ImageValue,
    ObjectValue,
    Opaque,
    UserFunction,
    Value,
    missing_in,
    shown_value,
    usual,
    variable_of,
)
from preflight.app.model import BucketMount, Call, Function, Gpu, Image, Known, SecretRef, Unresolved, VolumeRef
from preflight.app.places import Offsets

if TYPE_CHECKING:
    from preflight.app.interpreter.module import Interpreter

N = TypeVar("N", int, float)
MAKERS = BASES | RUN_BY_MODAL | {"App", "Stub"}
SPEAKING = syntax.naming(MAKERS)
Def = ast.FunctionDef | ast.AsyncFunctionDef
GPU = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9-]*)([!+]*)\s*(?::\s*(\d+))?\s*")


def build(decorated: Iterable[Decorated], image_of: Callable[[ImageValue], Image]) -> tuple[Function, ...]:
    """Every decorated def, in the order of the text."""
    made = [_Given(each).function(image_of) for each in decorated]
    return tuple(sorted(made, key=lambda f: (f.where.path, f.where.line)))


def shown(call: Call) -> Call:
    """The call with arguments as the model promises them: branches are unresolved, paths are strings."""
    args, keywords = cast("tuple[Value, ...]", call.args), cast("Mapping[str, Value]", call.kwargs)
    kwargs = {k: shown_value(v, call.where) for k, v in keywords.items()}
    return replace(call, args=tuple(shown_value(a, call.where) for a in args), kwargs=kwargs)


class _Given:
    """A decorator's arguments by name; one that a ``**`` may hold is unresolved."""

    def __init__(self, each: Decorated) -> None:
        self.each, self.call, self.where = each, each.call, each.call.where
        self.given = cast("Mapping[str, Value]", each.call.kwargs)  # as it was read: nothing is turned into words yet

    def __getitem__(self, name: str) -> Value:
        return objects.value_of_member(self.given.get(name, self.given.get("**")))

    def with_default(self, name: str) -> list[Value]:
        """The App's value and the function's own, which come together for secrets and volumes."""
        return [v for v in (self.each.app.defaults.get(name), self[name]) if v is not None]

    def function(self, image_of: Callable[[ImageValue], Image]) -> Function:
        each, kind = self.each, self.call.name.rsplit(".", 1)[-1]
        secrets = [s for v in self.with_default("secrets") for s in self.secrets(v)]
        return Function(
            name=each.node.name,
            kind=kind,
            app=each.app.variable,
            where=Offsets.of(each.source).where(each.node),
            images=None if kind == "local_entrypoint" else self.images(image_of),
            gpu=self.gpus(self["gpu"]),
            timeout_s=self.number("timeout", float),
            startup_timeout_s=self.number("startup_timeout", float),
            cpu=self.pair("cpu"),
            memory_mib=self.pair("memory"),
            retries=self.number("retries", int),
            secrets=(*secrets, *self.secrets(self.given.get("secret"))),
            volumes=self.volumes(),
            schedule=self.schedule(),
            call=shown(self.call),
            body=each.node,
            decorators=each.others,
        )

    def images(self, image_of: Callable[[ImageValue], Image]) -> tuple[Image, ...] | Unresolved | None:
        value = self["image"] if self["image"] is not None else self.each.app.defaults.get("image")
        if value is None:
            return None
        found = tuple(image_of(v) for v in images_of(value))
        return found or missing_in(value, self.where) or Unresolved("the image is not made in the text", self.where)

    def gpus(self, value: Value) -> tuple[Gpu, ...] | Unresolved:
        """The alternatives of ``gpu=``; () for none, Unresolved when the text does not say."""
        value = objects.value_of_member(usual(value))
        if value is None or value is False:
            return ()
        if isinstance(value, Alternatives):
            return Unresolved("the GPU depends on a condition", self.where)
        if isinstance(value, list | tuple):
            every = [self.gpus(each) for each in value]
            missing = next((one for one in every if isinstance(one, Unresolved)), None)
            return missing or tuple(gpu for one in every if isinstance(one, tuple) for gpu in one)
        at, span = place(self.call, -1, "gpu")
        if isinstance(value, str):
            parsed = GPU.fullmatch(value)
            kind, count = (parsed[1], int(parsed[3] or 1)) if parsed is not None else (value, 1)
            return (Gpu(kind.upper(), count, str(value), at, span, variable_of(value)),)
        if isinstance(value, Opaque) and value.kind.startswith("gpu.") and value.call is not None:
            return self._gpu_object(value.kind.removeprefix("gpu.").upper(), value.call)
        return missing_in(value, at) or Unresolved("the GPU is not in the text", at)

    def _gpu_object(self, kind: str, made: Call) -> tuple[Gpu, ...] | Unresolved:
        """``modal.gpu.A100(count=4, size="80GB")``: removed from Modal, still in many apps."""
        at, span = place(self.call, -1, "gpu")
        given = made.kwargs
        size, count = given.get("size"), given.get("count", next(iter(made.args), 1))
        if size is None and isinstance(given.get("memory"), int):
            size = f"{given['memory']}GB"
        missing = missing_in([size, count], at)
        if missing is not None or not isinstance(count, int):
            return missing or Unresolved("the count of GPUs is not in the text", at, span)
        if isinstance(size, str) and kind == "A100" and size:
            kind = f"A100-{size.upper()}"
        return (Gpu(kind, count, ast.unparse(made.node), at, span, variable_of(count)),)  # type: ignore[arg-type]

    def number(self, name: str, kind: type[N]) -> Known[N] | Unresolved | None:
        """A number of that kind; of a ``modal.Retries``, how many."""
        at, span = place(self.call, -1, name)
        value: object = usual(self[name])
        if value is None:
            return None
        if isinstance(value, Opaque) and value.kind == "Retries" and value.call is not None:
            value = value.call.kwargs.get("max_retries")
        if isinstance(value, int if kind is int else int | float) and not isinstance(value, bool):
            return Known(kind(value), at, span, variable_of(value))
        return missing_in(value, at) or Unresolved(f"{name} is not a number in the text", at, span)

    def pair(self, name: str) -> tuple[float, float | None] | Unresolved | None:
        """(request, limit) of ``cpu=`` or ``memory=``."""
        value = usual(self[name])
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value), None
        if isinstance(value, list | tuple) and len(value) == 2:
            request, limit = value
            if isinstance(request, int | float) and isinstance(limit, int | float):
                return float(request), float(limit)
        return missing_in(value, self.where) or Unresolved("it is not a number in the text", self.where)

    def secrets(self, value: Value) -> list[SecretRef | Unresolved]:
        """Those of a list.  Where a condition decides, those of every branch, and Unresolved for the condition."""
        found: list[SecretRef | Unresolved] = []
        for branch in values_of(value):
            for item in branch if isinstance(branch, list | tuple) else [branch]:
                for each in values_of(item):
                    if isinstance(each, SecretRef):
                        found.append(each)
                    elif each is not None:
                        why = Unresolved("a secret is not made in the text", self.where)
                        found.append(missing_in(each, self.where) or why)
                if isinstance(item, Alternatives):
                    found.append(Unresolved("a condition decides which secret it is", self.where))
        if isinstance(value, Alternatives):
            found.append(Unresolved("a condition decides which secrets these are", self.where))
        return list(dict.fromkeys(found))

    def volumes(self) -> dict[str, VolumeRef | BucketMount | Unresolved]:
        """What is mounted where; of a path for which a condition decides between mounts, Unresolved."""
        found: dict[str, VolumeRef | BucketMount | Unresolved] = {}
        for name in ("volumes", "network_file_systems", "shared_volumes"):
            for value in self.with_default(name) if name == "volumes" or name in self.given else ():
                mounts = merged(value)
                if not isinstance(mounts, dict):
                    missing = missing_in(mounts, self.where)
                    found[f"<{name}>"] = missing or Unresolved("it is not in the text", self.where)
                    continue
                for path, each in mounts.items():
                    found[f"<{name}>" if path == "**" else str(path)] = self._mount(each)
        return found

    def _mount(self, value: Value) -> VolumeRef | BucketMount | Unresolved:
        """One mount.  ``None`` in another branch is no mount: there the path is not in the container at all."""
        if isinstance(value, Alternatives):
            some = [v for v in value.values if v is not None]
            value = some[0] if len(some) == 1 else value.default
        if isinstance(value, VolumeRef | BucketMount | Unresolved):
            return value
        return missing_in(value, self.where) or Unresolved("a mount is not in the text", self.where)

    def schedule(self) -> str | None:
        """As the text makes it: ``modal.Cron("0 * * * *")``."""
        value = self.given.get("schedule")
        if isinstance(value, Opaque) and value.call is not None and value.call.node is not None:
            return ast.unparse(value.call.node)
        keywords = self.call.node.keywords if value is not None and isinstance(self.call.node, ast.Call) else []
        return next((ast.unparse(k.value) for k in keywords if k.arg == "schedule"), None)


def read_uncalled(scope: Interpreter) -> None:
    """Runs each helper that nothing at the top level calls, but that makes Modal's objects: factories, `main()` …

    With its defaults, and with other parameters unresolved; its images and functions are noted as everywhere.
    """
    if scope.source.tree is None:
        return
    for node, holder in _defs(scope):
        if id(node) in scope.shared.inlined or not any(_makes_objects(scope, s) for s in node.body):
            continue
        receiver = ObjectValue(holder, {}) if holder is not None else None
        try:
            returned = scope.call_with(UserFunction(node, scope, (), receiver), [], {}, node)
            for image in images_of(returned):
                scope.note_image("", image)
        except (TooMuch, RecursionError):
            scope.shared.is_cut = True
            return


def _defs(scope: Interpreter) -> Iterator[tuple[Def, ClassValue | None]]:
    """The defs of the module and of its classes, under ``if`` too, but not those inside other defs."""
    assert scope.source.tree is not None
    pending: list[tuple[ast.stmt, ClassValue | None]] = [(s, None) for s in reversed(scope.source.tree.body)]
    while pending:
        node, holder = pending.pop()
        if isinstance(node, Def):
            yield node, holder
            continue
        if isinstance(node, ast.ClassDef):
            value: Value = scope.names.get(node.name)
            holder = value if isinstance(value, ClassValue) else None
        inner = [c for c in syntax.children(node) if isinstance(c, ast.stmt | ast.ExceptHandler)]
        pending += [(c, holder) for c in reversed(inner)]  # type: ignore[misc]  # a handler holds statements too


def _makes_objects(scope: Interpreter, statement: ast.stmt) -> bool:
    if not scope.offsets.may_hold(statement, SPEAKING):
        return False
    for inner in syntax.walk(statement):
        func = inner.func if isinstance(inner, ast.Call) else None
        if (func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")) in MAKERS:
            return True
        if any(getattr(d, "attr", "") in RUN_BY_MODAL for d in getattr(inner, "decorator_list", ())):
            return True
    return False
