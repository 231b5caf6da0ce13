"""Scenarios as TOML: those shipped with the package, one of the user's own, and one that is written to be edited."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec.structs import replace

from preflight.sandbox import state
from preflight.toml_rows import WrongRow

SCENARIOS = Path(__file__).parent / "scenarios"


class ScenarioNotFound(ValueError):
    """Neither a shipped scenario nor a file."""


def names() -> tuple[str, ...]:
    """The scenarios shipped with the package, healthy first."""
    return tuple(sorted((p.stem for p in SCENARIOS.glob("*.toml")), key=lambda n: (n != "healthy", n)))


def path_of(name_or_path: str | Path) -> Path:
    """Raises ScenarioNotFound naming the shipped ones."""
    if str(name_or_path) in names():
        return SCENARIOS / f"{name_or_path}.toml"
    path = Path(name_or_path)
    if path.suffix == ".toml" and path.is_file():
        return path.resolve()
    near = difflib.get_close_matches(str(name_or_path), names(), n=1)
    hint = f"did you mean {near[0]}?" if near else f"name one of {', '.join(names())}, or a .toml file"
    raise ScenarioNotFound(f"no scenario {str(name_or_path)!r}: {hint}")


def load(name_or_path: str | Path) -> state.Scenario:
    """Raises ScenarioNotFound, or WrongRow naming the file, the key and what was wanted there."""
    path = path_of(name_or_path)
    try:
        scenario = read(path.read_text(encoding="utf-8"))
    except WrongRow as e:
        raise WrongRow(f"{path}: {e}") from e
    return placed(scenario, path)


def placed(scenario: state.Scenario, path: Path = SCENARIOS / "healthy.toml") -> state.Scenario:
    """With its folders where they are, seen from its file; one that names no stand-ins has the shipped ones."""
    gpu, container = scenario.gpu, scenario.container
    gpu_path = SCENARIOS / "healthy.toml" if gpu.stand_ins == state.Gpu().stand_ins else path
    return replace(
        scenario,
        container=replace(container, pythonpath=_beside(path, container.pythonpath)),
        gpu=replace(gpu, stand_ins=_beside(gpu_path, gpu.stand_ins)),
    )


def _beside(path: Path, folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str((path.parent / folder).resolve()) for folder in folders)


def read(text: str) -> state.Scenario:
    """Raises WrongRow naming the key and what was wanted there."""
    try:
        scenario = msgspec.convert(tomllib.loads(text), state.Scenario)
    except tomllib.TOMLDecodeError as e:
        raise WrongRow(f"not TOML: {e}") from e
    except msgspec.ValidationError as e:
        message, _, at = str(e).partition(" - at `$")
        place = at.strip(".`")
        raise WrongRow(f"{place or 'the top level'}: {message}{_wanted(place)}") from e
    if sum(e.default for e in scenario.environments.values()) != 1:
        raise WrongRow("environments: wanted exactly one with default = true")
    return scenario


def _wanted(place: str) -> str:
    """The keys or the words that may stand there."""
    kind: object = state.Scenario
    for name in re.sub(r"\[.*?\]", "", place).split(".") if place else ():
        kind = {f.encode_name: f.type for f in msgspec.structs.fields(kind)}[name]  # type: ignore[arg-type]
        while within := [a for a in typing.get_args(kind) if a not in (types.NoneType, ...)]:
            kind = within[-1]
    if not isinstance(kind, type) or not issubclass(kind, state.Part | StrEnum):
        return ""
    words = list(kind) if issubclass(kind, StrEnum) else [f.encode_name for f in msgspec.structs.fields(kind)]
    return f"; wanted one of {', '.join(words)}"


def write(scenario: state.Scenario) -> str:
    """What of it differs from the defaults, as TOML that ``read`` takes."""
    return "\n".join(_lines(_differing(scenario), ())).lstrip("\n") + "\n"


def _differing(part: state.Part) -> dict[str, object]:
    values = ((f, getattr(part, f.name)) for f in msgspec.structs.fields(part))
    return {f.encode_name: v for f, v in values if v is not None and v != _default(f)}


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _lines(table: Mapping[str, object], path: tuple[str, ...]) -> list[str]:
    """Values first, then the tables below: the order that TOML wants."""
    lines: list[str] = []
    below: list[str] = []
    for key, value in table.items():
        here = (*path, key)
        if isinstance(value, Mapping | state.Part):
            inner = _differing(value) if isinstance(value, state.Part) else value
            below += ["", f"[{_dotted(here)}]", *_lines(inner, here)]
        elif isinstance(value, tuple) and value and isinstance(value[0], state.Part):
            for each in value:
                below += ["", f"[[{_dotted(here)}]]", *_lines(_differing(each), here)]
        else:
            lines.append(f"{_dotted((key,))} = {_written(value)}")
    return [*lines, *below]


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(p if re.fullmatch(r"[A-Za-z0-9_-]+", p) else _written(p) for p in path)


def _written(value: object) -> str:
    """JSON's text, numbers, lists and booleans are TOML's too, but for DEL."""
    return json.dumps(value).replace("\x7f", "\\u007f")
