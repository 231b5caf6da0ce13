"""Classes of the project and their objects: config dataclasses, enums, named tuples, namespaces of constants."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from preflight.app.interpreter.values import ClassValue, DefaultStr, Dotted, ObjectValue, UserFunction, Value
from preflight.app.model import Unresolved
from preflight.app.syntax import dotted

if TYPE_CHECKING:
    from preflight.app.interpreter.module import Interpreter

PLAIN_BASES = frozenset(  # they change nothing of how a class holds its constants
    "builtins.object typing.NamedTuple typing.Protocol typing.Generic typing_extensions.Protocol abc.ABC "
    "pydantic.BaseModel".split()
)
ENUMS = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum"})
MIXINS = frozenset({"builtins.str", "builtins.int"})
PROPERTIES = frozenset({"property", "cached_property"})
FIELDS = frozenset({"dataclasses.field", "pydantic.Field"})
NAMESPACES = frozenset({"types.SimpleNamespace", "argparse.Namespace"})
NAMED_TUPLE = "collections.namedtuple"


def class_of(node: ast.ClassDef, bases: list[Value], body: Interpreter) -> ClassValue:
    """The class whose body was read in the scope ``body``."""
    names: dict[str, Value] = {}
    fields: dict[str, None] = {}
    for base in reversed(bases):
        if isinstance(base, ClassValue):
            names |= base.names
            fields |= dict.fromkeys(base.fields)
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            fields[statement.target.id] = None
    dotted = {b.name for b in bases if isinstance(b, Dotted)}
    is_enum = bool(dotted & ENUMS)
    is_followed = not node.keywords and all(
        b.is_followed if isinstance(b, ClassValue) else isinstance(b, Dotted) and b.name in PLAIN_BASES | ENUMS | MIXINS
        for b in bases
    )
    return ClassValue(
        name=node.name,
        names={**names, **body.names},
        fields=tuple(fields),
        is_followed=is_followed and (is_enum or not dotted & MIXINS),
        is_enum=is_enum,
        node=node,
        scope=body,
        decorators=tuple(d for f in body.names.values() if isinstance(f, UserFunction) for d in f.decorators),
    )


def construct(
    scope: Interpreter, made_by: ClassValue, args: list[Value], keywords: dict[str, Value], node: ast.Call
) -> Value:
    """An object of a class of the project: through its ``__init__``, or by its fields as a dataclass has them."""
    if not made_by.is_followed or made_by.is_enum:
        return Unresolved(f"an object of {made_by.name} is not followed", scope.where(node))
    made = ObjectValue(made_by, {})
    init = made_by.names.get("__init__")
    if isinstance(init, UserFunction):
        scope.call_with(replace(init, receiver=made), args, keywords, node)
        return made
    made.names.update(zip(made_by.fields, args, strict=False))
    made.names.update((k, v) for k, v in keywords.items() if k != "**")
    if "**" in keywords:
        made.names.update((f, keywords["**"]) for f in made_by.fields if f not in made.names)
    after = made_by.names.get("__post_init__")
    if isinstance(after, UserFunction):
        scope.call_with(replace(after, receiver=made), [], {}, node)
    return made


def attribute(scope: Interpreter, receiver: ClassValue | ObjectValue, node: ast.Attribute) -> Value:
    """``receiver.name``: its own, or of its class."""
    name = node.attr
    if isinstance(receiver, ObjectValue) and name in receiver.names:
        return receiver.names[name]
    made_by = receiver.made_by if isinstance(receiver, ObjectValue) else receiver
    if name not in made_by.names or not made_by.is_followed:
        return Unresolved(f"{made_by.name}.{name} is not in the text", scope.where(node))
    found = made_by.names[name]
    if not isinstance(found, UserFunction):
        is_member = made_by.is_enum and isinstance(receiver, ClassValue) and not name.startswith("_")
        return ObjectValue(made_by, {"name": name, "value": found}) if is_member else found
    decorators = {dotted(d).rpartition(".")[2] for d in getattr(found.node, "decorator_list", ())}
    if decorators & PROPERTIES and isinstance(receiver, ObjectValue):
        return scope.call_with(replace(found, receiver=receiver), [], {}, node)
    if "classmethod" in decorators:
        return replace(found, receiver=made_by)
    return replace(found, receiver=receiver) if isinstance(receiver, ObjectValue) else found


def library_made(
    scope: Interpreter, name: str, args: list[Value], keywords: dict[str, Value], node: ast.Call
) -> Value | None:
    """What the standard library makes of a class's parts; None when ``name`` is nothing of the kind."""
    if name in NAMESPACES and not args and "**" not in keywords:
        return ObjectValue(ClassValue(name, {}), dict(keywords))
    if name in FIELDS:
        factory = keywords.get("default_factory")
        if isinstance(factory, UserFunction):
            return scope.call_with(factory, [], {}, node)
        if isinstance(factory, Dotted):
            empty: dict[str, Value] = {"builtins.list": [], "builtins.dict": {}, "builtins.tuple": ()}
            return empty.get(factory.name)
        return keywords.get("default", args[0] if args and name == "pydantic.Field" else None)
    if name == NAMED_TUPLE and len(args) == 2:
        parts: Value = [*args[1].replace(",", " ").split()] if isinstance(args[1], str) else args[1]
        if isinstance(parts, list | tuple) and all(isinstance(p, str) for p in parts):
            return ClassValue(str(args[0]), {}, tuple(map(str, parts)))
    return None


def value_of_member(value: Value) -> Value:
    """The text or number of an enum's member where Modal takes one; any other value as it is."""
    if isinstance(value, ObjectValue) and value.made_by.is_enum:
        inner = value.names["value"]
        return inner if isinstance(inner, str | DefaultStr | int) else value
    return value
