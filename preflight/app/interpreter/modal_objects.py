"""Modal's objects as the text makes them: apps, images and their steps, secrets, volumes, bucket mounts."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from preflight.app.interpreter import steps
from preflight.app.interpreter.flow import merged
from preflight.app.interpreter.values import (
    Alternatives,
    AppValue,
    BoundMethod,
    ClassValue,
    Decorated,
    Dotted,
    ImageValue,
    ObjectValue,
    Opaque,
    Partial,
    PathValue,
    UserFunction,
    Value,
    missing_in,
    strings_of,
    usual,
    variable_of,
)
from preflight.app.model import App, BucketMount, Call, Known, SecretRef, Span, Unresolved, VolumeRef
from preflight.app.places import Offsets
from preflight.model import Where

if TYPE_CHECKING:
    from preflight.app.interpreter.module import Interpreter

RUN_BY_MODAL = frozenset({"function", "cls", "local_entrypoint", "server"})
BASES = frozenset(
    "debian_slim from_registry from_dockerfile from_aws_ecr from_gcp_artifact_registry from_scratch micromamba "
    "from_id from_name conda from_dockerhub".split()
)
VOLUMES = frozenset({"Volume", "NetworkFileSystem", "SharedVolume"})
MAKE_VOLUME = frozenset({"from_name", "persisted", "new", "ephemeral", "lookup"})
COST_OF_STEP = 80  # steps of reading that one step of an image stands for: rules look at it with all before it
WHOLE_BASES = frozenset({"debian_slim", "from_registry", "micromamba", "from_scratch", "from_dockerhub"})
SECRETS = frozenset({"from_name", "from_dict", "from_dotenv", "from_local_environ"})
NOT_STEPS = frozenset({"imports", "build", "hydrate", "run", "entrypoint_args", "from_id", "logs"})


def construct(scope: Interpreter, name: str, node: ast.Call) -> Value:
    """``modal.X(…)`` by its dotted name."""
    args, keywords = scope.arguments(node)
    short = name.removeprefix("modal.")
    parts = short.split(".")
    if short == "is_local":
        return True  # the text is read where it is deployed from
    if parts[-2:-1] == ["Image"] and parts[-1] in BASES:
        return _base(scope, parts[-1], node, args, keywords)
    if parts[-1] in ("raw_registry_image", "raw_dockerfile_image"):  # of modal.experimental, before 1.4.0
        return ImageValue(steps.read(scope, parts[-1], node, args, keywords), None, scope.source, is_complete=False)
    call = call_of(scope, name, node, args, keywords)
    if short in ("App", "Stub", "app.App"):
        scope.shared.apps.append(App(name=known(call, "name", 0), variable="", where=call.where, call=call))
        defaults = {k: keywords[k] for k in ("image", "secrets", "volumes") if keywords.get(k) is not None}
        return AppValue(call, "", defaults)
    if parts[-2:-1] == ["Secret"] and parts[-1] in SECRETS:
        return _secret(call, parts[-1])
    if parts[0] in VOLUMES and parts[-1] in MAKE_VOLUME:
        return _volume(call, parts[0])
    if short == "CloudBucketMount":
        return _bucket(call)
    return Opaque(f"gpu.{parts[-1]}" if "gpu" in (parts[0], *parts[-2:-1]) else short, call)


def _base(scope: Interpreter, method: str, node: ast.Call, args: list[Value], keywords: dict[str, Value]) -> ImageValue:
    scope.tick(COST_OF_STEP)
    step = steps.read(scope, method, node, args, keywords)
    return ImageValue(step, None, scope.source, is_complete=method in WHOLE_BASES and step.is_complete)


def extend(scope: Interpreter, image: ImageValue, name: str, node: ast.Call) -> Value:
    """``image.name(…)``: a new, longer chain."""
    args, keywords = scope.arguments(node)
    if name == "pipe":
        if args and isinstance(args[0], UserFunction):
            return scope.call_with(args[0], [image, *args[1:]], keywords, node)
        return image.in_doubt(Unresolved(".pipe() of a function that is not in the project", scope.where(node)))
    if name in BASES:  # a static method: it begins a new chain, whatever it is called on
        return _base(scope, name, node, args, keywords)
    if name in NOT_STEPS:
        return Opaque(f"Image.{name}")
    scope.tick(COST_OF_STEP + 2 * image.length)
    step = steps.read(scope, name, node, args, keywords, lambda: image.steps)
    if scope.is_repeating:
        step = replace(step, is_repeated=True)
    is_complete = image.is_complete and not step.is_repeated
    return ImageValue(step, image, scope.source, is_complete, image.unresolved, image.length + 1)


def method(scope: Interpreter, value: AppValue | Opaque, name: str, node: ast.Call) -> Value:
    """``app.function(…)`` and methods of objects that are only named."""
    args, keywords = scope.arguments(node)
    if isinstance(value, AppValue):
        call = call_of(scope, f"modal.App.{name}", node, args, keywords)
        if name in RUN_BY_MODAL:
            scope.shared.pending[id(call)] = (call, value)
        elif name == "include":
            scope.shared.included += [a for a in args if isinstance(a, AppValue)]
        elif name == "is_inside":
            return False  # the text is read where it is deployed from
        return call
    if name == "persist" and value.kind in VOLUMES:
        return _volume(call_of(scope, name, node, args, keywords), value.kind)
    return value if name == "with_options" else Opaque(f"{value.kind}.{name}")


def mounted(scope: Interpreter, value: Value, name: str, node: ast.Call) -> Value:
    """A Volume with options of its mount: ``read_only()``, ``with_mount_options(read_only=True)``."""
    _, keywords = scope.arguments(node)
    if isinstance(value, VolumeRef):
        is_read_only = name == "read_only" or keywords.get("read_only") is True
        return replace(value, is_read_only=value.is_read_only or is_read_only)
    return missing_in(value, scope.where(node)) or Unresolved(f"{name}() of no Volume", scope.where(node))


def applied(scope: Interpreter, call: Call, node: ast.Call) -> Value:
    """``app.function(…)(fn)``: a decorator called by hand."""
    args, _ = scope.arguments(node)
    pending = scope.shared.pending.get(id(call))
    if pending is not None and args and isinstance(args[0], UserFunction | ClassValue):
        given = args[0]
        if given.node is not None and not isinstance(given.node, ast.Lambda):
            source = given.scope.source if given.scope is not None else scope.source
            scope.shared.decorated.append(Decorated(given.node, call, pending[1], given.decorators, source))
        return given
    return Unresolved("a decorator of what the text does not hold", scope.where(node))


def decorator(scope: Interpreter, node: ast.expr) -> list[tuple[Call, AppValue | None] | UserFunction]:
    """The call a decorator of Modal makes with the App it belongs to; or a helper of the project that may make it."""
    func = node.func if isinstance(node, ast.Call) else node
    receiver = scope.value(func)
    if isinstance(receiver, Alternatives):
        apps = [v for v in receiver.values if isinstance(v, BoundMethod) and isinstance(v.value, AppValue)]
        receiver = apps[0] if apps else receiver.values[0]
    if isinstance(receiver, BoundMethod) and isinstance(receiver.value, AppValue):
        name, app = f"modal.App.{receiver.name}", receiver.value
    elif isinstance(receiver, Dotted) and receiver.name.startswith("modal."):
        name, app = receiver.name, None
    elif isinstance(receiver, UserFunction | Partial | ObjectValue | Call):
        made = scope.value(node)  # the project makes it: `gpu_function()` returns `app.function(…)`, or is a wrapper
        if isinstance(made, UserFunction):
            return [made]
        pending = scope.shared.pending.get(id(made)) if isinstance(made, Call) else None
        return [pending] if pending is not None else []
    else:
        return []
    if isinstance(node, ast.Call):
        return [(call_of(scope, name, node, *scope.arguments(node)), app)]
    return [(bare(scope, name, node), app)]


def bare(scope: Interpreter, name: str, node: ast.expr) -> Call:
    """A decorator without a call."""
    where, span = scope.where(node), scope.offsets.span(node)
    return Call(name=name, where=where, span=span, is_bare=True, node=node, source=scope.source)


def call_of(scope: Interpreter, name: str, node: ast.Call, args: list[Value], keywords: dict[str, Value]) -> Call:
    return Call(
        name=name,
        where=scope.offsets.method(node),
        span=scope.offsets.span(node),
        args=tuple(args),
        kwargs=keywords,
        kwarg_spans=scope.offsets.keywords(node),
        has_spread="**" in keywords or any(isinstance(a, ast.Starred) for a in node.args),
        node=node,
        source=scope.source,
    )


def known(call: Call, name: str, position: int = -1) -> Known[str] | Unresolved | None:
    """An argument as the model holds it: with its place and the variable that may override it."""
    value = usual(_given(call, name, position))
    if value is None or isinstance(value, Unresolved):
        return value
    at, span = place(call, position, name)
    if not isinstance(value, str | int | float | PathValue):
        return missing_in(value, at) or Unresolved(f"{name} is not in the text", at)
    return Known(str(value), at, span, variable_of(value))


def _given(call: Call, name: str, position: int = -1) -> Value:
    """An argument as it was read; one that a ``**`` may hold is unresolved; None when it is not given."""
    args, keywords = cast("tuple[Value, ...]", call.args), cast("Mapping[str, Value]", call.kwargs)
    return args[position] if 0 <= position < len(args) else keywords.get(name, keywords.get("**"))


def place(call: Call, position: int, keyword: str) -> tuple[Where, Span | None]:
    """Where an argument stands: its line, and its characters when it is written there as one literal."""
    node, source = call.node, call.source
    if not isinstance(node, ast.Call) or source is None:
        return call.where, None
    found = next((k.value for k in node.keywords if k.arg == keyword), None)
    if found is None and 0 <= position < len(node.args) and not any(isinstance(a, ast.Starred) for a in node.args):
        found = node.args[position]
    if found is None:
        return call.where, None
    offsets = Offsets.of(source)
    return offsets.where(found), offsets.span(found) if isinstance(found, ast.Constant) else None


def _secret(call: Call, made_by: str) -> Value:
    if made_by == "from_name":
        name = _name(call)
        if not isinstance(name, str):
            return missing_in(name, call.where) or Unresolved("the secret's name is not in the text", call.where)
        required, _ = strings_of(_given(call, "required_keys"))
        return SecretRef(str(name), tuple(required), (), _environment(call), call.where, made_by)
    first = merged(_given(call, "env_keys" if "env_keys" in call.kwargs else "env_dict", 0))
    if isinstance(first, dict):
        keys = tuple(k for k in first if isinstance(k, str) and k != "**")
    else:
        keys = tuple(strings_of(first)[0]) if made_by == "from_local_environ" else ()
    return SecretRef(None, (), keys, None, call.where, made_by)


def _name(call: Call) -> Value:
    """The name an object is looked up by; None when there is none."""
    return usual(_given(call, "label" if "label" in call.kwargs else "name", 0))


def _environment(call: Call) -> str | None:
    name = call.kwargs.get("environment_name")
    return name if isinstance(name, str) else None


def _volume(call: Call, kind: str) -> Value:
    name = _name(call)
    if name is not None and not isinstance(name, str):
        return missing_in(name, call.where) or Unresolved("the volume's name is not in the text", call.where)
    return VolumeRef(
        name=None if name is None else str(name),
        creates_if_missing=call.kwargs.get("create_if_missing") is True,
        where=call.where,
        kind="volume" if kind == "Volume" else "network-file-system",
        environment=_environment(call),
    )


def _bucket(call: Call) -> BucketMount:
    secret = _given(call, "secret")
    if secret is not None and not isinstance(secret, SecretRef | Unresolved):
        secret = missing_in(secret, call.where) or Unresolved("the secret is not in the text", call.where)
    return BucketMount(
        bucket=known(call, "bucket_name", 0) or Unresolved("no bucket_name is given", call.where),
        prefix=known(call, "key_prefix"),
        endpoint_url=known(call, "bucket_endpoint_url", 1),
        secret=secret,
        has_oidc_role=call.kwargs.get("oidc_auth_role_arn") is not None,
        is_read_only=call.kwargs.get("read_only") is True,
        where=call.where,
        is_requester_pays=call.kwargs.get("requester_pays") is True,
        is_path_style=call.kwargs.get("force_path_style") is True,
    )
