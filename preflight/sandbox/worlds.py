"""Scenarios as TOML: those shipped with the package, one of the user's own, and one that is written to be edited.

One scenario's fault is laid over a derived world: what it says of the example's things, it says of the app's.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from preflight.sandbox import state
from preflight.toml_rows import WrongRow

SCENARIOS = Path(__file__).parent / "scenarios"
AS_GIVEN = ("token", "rates", "billing", "server", "builds", "gpu", "environ")  # of the account, not of any app


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
    kind: Any = state.Scenario
    for name in re.sub(r"\[.*?\]", "", place).split(".") if place else ():
        kind = {f.encode_name: f.type for f in msgspec.structs.fields(kind)}[name]
        while typing.get_origin(kind) is not Literal and (within := [a for a in typing.get_args(kind) if a != ...]):
            kind = next(a for a in reversed(within) if a is not types.NoneType)
    words = [*typing.get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, state.Part | StrEnum):
        words = [*kind] if issubclass(kind, StrEnum) else [f.encode_name for f in msgspec.structs.fields(kind)]
    return f"; wanted one of {', '.join(words)}" if words else ""


def write(scenario: state.Scenario) -> str:
    """What of it differs from the defaults, as TOML that ``read`` takes."""
    import tomlkit

    return tomlkit.dumps(_differing(scenario))


def _differing(part: object) -> Any:
    if isinstance(part, state.Part):
        values = ((f, getattr(part, f.name)) for f in msgspec.structs.fields(part))
        return {f.encode_name: _differing(v) for f, v in values if v is not None and v != _default(f)}
    if isinstance(part, Mapping):
        return {key: _differing(value) for key, value in part.items()}
    return [_differing(each) for each in part] if isinstance(part, tuple) else part


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


# ---- a fault laid over ----------------------------------------------------------------------------------------------


def laid_over(world: state.Scenario, fault: state.Scenario, name: str) -> state.Scenario:
    """Raises ValueError for a scenario that changes the example's files, and nothing else that an app could meet."""
    healthy = load("healthy")
    changes: dict[str, object] = {f: getattr(fault, f) for f in AS_GIVEN if getattr(fault, f) != getattr(healthy, f)}
    if fault.workspace != healthy.workspace:
        changes["workspace"] = fault.workspace
    if fault.environments != healthy.environments:
        (given,) = [e for e in fault.environments.values() if e.default]
        changes["environments"] = {n: given if e.default else e for n, e in world.environments.items()}
    if fault.apps:
        changes["apps"] = (*world.apps, *fault.apps)
    if fault.secrets != healthy.secrets:
        changes["secrets"] = _secrets(world.secrets, fault.secrets, healthy.secrets)
    if fault.storage != healthy.storage:
        changes["storage"] = replace(world.storage, buckets=_buckets(world, fault, healthy))
    if changes.keys() <= {"environ"} and fault.project != healthy.project:
        raise ValueError(f"scenario {name} changes the files of the bundled example; leave out APP to see it")
    # what the fault takes away must not be made up again when it is asked for
    invents = world.invents and not changes.keys() & {"secrets", "storage"}
    return replace(world, title=fault.title, wrong=fault.wrong, invents=invents, **changes)


def _secrets(
    ours: Mapping[str, Mapping[str, str]],
    theirs: Mapping[str, Mapping[str, str]],
    before: Mapping[str, Mapping[str, str]],
) -> dict[str, dict[str, str]]:
    """Without those that it lacks, without the keys that it lacks, and with its values for the keys that it changes."""
    (was,) = before.values()
    is_there = set(before) <= set(theirs)
    now = theirs[next(iter(before))] if is_there else {}
    if not is_there:
        return {}
    gone = was.keys() - now.keys()
    changed = {k: v for k, v in now.items() if was.get(k) not in (None, v)}
    return {n: {k: changed.get(k, v) for k, v in held.items() if k not in gone} for n, held in ours.items()}


def _buckets(world: state.Scenario, fault: state.Scenario, healthy: state.Scenario) -> tuple[state.Bucket, ...]:
    (was,) = healthy.storage.buckets
    now = next((b for b in fault.storage.buckets if b.name == was.name), None)
    if now is None:
        return ()
    has_data = any(key in was.objects for key in now.objects)
    return tuple(
        replace(b, region=now.region, access=now.access, objects=b.objects if has_data else {})
        for b in world.storage.buckets
    )
