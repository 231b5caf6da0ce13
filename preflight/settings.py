"""What the user set: ``[tool.preflight]`` of pyproject.toml, with the command line on top.

Every key is read here and nowhere else.  A key that does not exist, or a value of another type, is refused
with the file, the key and what was wanted: a misspelt key must not switch a check off in silence.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import timedelta
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from preflight.interpreter import Interpreter

AWS_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")  # Modal finds the bucket's region out by itself
BUILDER_VERSION = re.compile(r"\d{4}\.\d{2}")
FILES = ("pyproject.toml", "preflight.toml")
AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
AGE_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
CHOICES = {"fail_on": ("warn", "fail"), "stage": ("static", "remote", "paid")}
ABOVE_ZERO = (
    "budget.hours budget.epochs budget.epoch_minutes budget.steps_per_epoch lint.timeout_s smoke.minutes "
    "smoke.timeout_s probe.timeout_s probe.build_timeout_s s3.sample"
).split()
AT_LEAST_ZERO = ("spend_max", "budget.usd", "budget.startup_minutes")
BOUNDS: tuple[
    tuple[Collection[str], Callable[[Any], object], str], ...
] = (  # of what is set: whether it holds, or else
    (("builder", "image_builder.minimum"), BUILDER_VERSION.fullmatch, "like '2025.06'"),
    (("stale_apps.older_than",), lambda age: AGE.fullmatch(age.strip().lower()), "like 90m, 24h or 2d"),
    *(((name,), words.__contains__, " or ".join(words)) for name, words in CHOICES.items()),
    ((*ABOVE_ZERO, *AT_LEAST_ZERO), lambda n: not isinstance(n, Decimal) or n.is_finite(), "a number"),
    (ABOVE_ZERO, lambda n: n > 0, "more than 0"),
    (("spend_max",), lambda n: n >= 0, "dollars, 0 or more"),
    (AT_LEAST_ZERO, lambda n: n >= 0, "0 or more"),
)
KINDS = {  # msgspec's words for types, and ours
    "object": "a table",
    "array": "a list of strings",
    "str": "a string",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
}


class SettingsError(Exception):
    """The configuration can't be used as it stands; the text says where and what was wanted."""


@dataclass(frozen=True, kw_only=True)
class ImageBuilderSettings:
    minimum: str = "2025.06"


@dataclass(frozen=True, kw_only=True)
class S3Settings:
    secret: str | None = None
    keys: tuple[str, ...] = AWS_KEYS
    bucket: str | None = None
    prefix: str | None = None
    region: str | None = None
    endpoint: str | None = None
    sample: int = 1000  # objects listed at most
    inside: bool = False  # also prove it inside Modal, with the secret's own credentials


@dataclass(frozen=True, kw_only=True)
class BudgetSettings:
    """``usd``: what the user allows for the planned run; ``hours``: how long it takes, start-up included.

    Without ``hours``, ``epochs`` times ``epoch_minutes`` or what the smoke test's log shows; a log that gives the
    time of a step needs ``steps_per_epoch``.  ``startup_minutes`` go by in every attempt before its first step.
    """

    usd: Decimal | None = None
    function: str | None = None
    hours: Decimal | None = None
    epochs: int | None = None
    epoch_minutes: Decimal | None = None
    steps_per_epoch: int | None = None
    startup_minutes: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class LintSettings:
    command: str | None = None
    timeout_s: float = 600.0


@dataclass(frozen=True, kw_only=True)
class SmokeSettings:
    """``minutes`` and ``function`` give its price; ``epoch_pattern`` finds an epoch's seconds in its log."""

    command: str | None = None
    function: str | None = None
    minutes: float = 15.0
    timeout_s: float = 1800.0
    epoch_pattern: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    function: str | None = None
    blocks: tuple[str, ...] = ()
    model: str | None = None
    model_args: str | None = None
    model_input: str | None = None
    full_autotune: bool = False
    gpu_health: bool = False
    fallback_env: str = "SEIZURE_MAMBA_FORCE_FALLBACK"
    gpus: tuple[str, ...] = ()
    timeout_s: float = 300.0
    build_timeout_s: float = 3600.0


@dataclass(frozen=True, kw_only=True)
class StaleAppsSettings:
    older_than: str = "24h"
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One project's settings.  ``project`` is the folder of its pyproject.toml, or where preflight was started."""

    project: Path = field(default_factory=Path)
    app: str | None = None
    environment: str | None = None
    skip: tuple[str, ...] = ()
    fail_on: str | None = None  # warn or fail
    stage: str | None = None  # static, remote or paid: how far a run goes
    accept_unknown: tuple[str, ...] = ()  # checks whose unknown the user accepts; the report says so
    spend_max: Decimal = Decimal("2.00")
    python: str | None = None  # the project's interpreter, where it is not found by itself
    record: bool = False
    volumes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()  # patterns of what the project's own commands write: no sources
    watch: tuple[str, ...] = ()  # what else the app takes from this machine, where its text does not say
    image_builder: ImageBuilderSettings = field(default_factory=ImageBuilderSettings)
    s3: S3Settings = field(default_factory=S3Settings)
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    lint: LintSettings = field(default_factory=LintSettings)
    smoke: SmokeSettings = field(default_factory=SmokeSettings)
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    stale_apps: StaleAppsSettings = field(default_factory=StaleAppsSettings)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    sandbox: str | None = None  # the scenario's name: every line and document says it
    interpreter: Interpreter | None = None  # the project's; None where nobody has looked
    builder: str | None = None  # the Image Builder that static rules take for the one in force
    state: Path | None = None  # where passes, logs and the ledger are kept; None keeps nothing
    read_from: Path | None = None  # the pyproject.toml, if there was one


GIVEN_BY_US = frozenset({"project", "environ", "sandbox", "interpreter", "state", "read_from"})


def find_project(start: Path) -> Path | None:
    """The nearest folder at or above ``start`` with a pyproject.toml or a preflight.toml."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in FILES):
            return folder
    return None


def folder_of(state: Path, project: Path) -> Path:
    """Where one project's passes and logs are kept.  Two projects never share one."""
    digest = hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:16]
    return state / "projects" / digest


def load(start: Path, *, environ: Mapping[str, str], state: Path | None = None) -> Settings:
    """The settings for a command started in ``start``.  Raises SettingsError."""
    project = find_project(start)
    given = {"environ": environ, "state": state}
    if project is None:
        return Settings(project=start.resolve(), **given)  # type: ignore[arg-type]
    file, table = _table(project)
    return parse(table, file=file, project=project, **given)


def _table(project: Path) -> tuple[Path, object]:
    """The file that holds the settings, and they.  Raises SettingsError where both do, or a name is misspelt."""
    general, own = (project / name for name in FILES)
    whole = _document(general)
    tools = whole.get("tool", {})
    tools = tools if isinstance(tools, dict) else {}
    if "preflight" in whole and general.exists():
        raise SettingsError(f"{general}: [preflight] is not read; wanted [tool.preflight]")
    near = (
        "" if "preflight" in tools else next(iter(difflib.get_close_matches("preflight", tools, n=1, cutoff=0.85)), "")
    )
    if near:
        raise SettingsError(f"{general}: [tool.{near}] is not read; did you mean [tool.preflight]?")
    if not own.is_file():
        return general, tools.get("preflight", {})
    if "preflight" in tools:
        raise SettingsError(f"settings are in {own} and in [tool.preflight] of {general.name}; keep one of them")
    table = _document(own)
    if set(table) == {"tool"}:
        raise SettingsError(f"{own}: the keys stand at the top of this file, without [tool.preflight]")
    return own, table


def _document(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        raise SettingsError(f"{file}: not TOML: {e}") from e
    except (OSError, UnicodeDecodeError) as e:
        raise SettingsError(f"{file}: can't be read: {e}") from e


def parse(table: object, *, file: Path, project: Path, **given: Any) -> Settings:
    """The typed form of a ``[tool.preflight]`` table.  Raises SettingsError."""
    at = f"{file}: tool.preflight"
    if not isinstance(table, dict):
        raise SettingsError(f"{at}: wanted a table, found {table!r}")
    named = _named(Settings, table, at)
    try:
        settings = msgspec.convert(named, Settings)
    except msgspec.ValidationError as e:
        raise SettingsError(f"{at}{_explained(str(e), named)}") from e
    for names, holds, wanted in BOUNDS:
        for name in names:
            value = attrgetter(name)(settings)
            if value is not None and not holds(value):
                shown = repr(value) if isinstance(value, str) else value
                raise SettingsError(f"{at}.{_key(name)} is {shown}; wanted {wanted}")
    return replace(settings, project=project, read_from=file, **given)


def _named(into: type, table: dict[str, Any], at: str) -> dict[str, Any]:
    """By the names of the fields.  Raises SettingsError for a key that is none."""
    known = {_key(f.name): f for f in fields(into) if f.name not in GIVEN_BY_US}
    values = {}
    for key, value in table.items():
        field = known.get(_key(key))
        if field is None:
            near = difflib.get_close_matches(_key(key), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
            raise SettingsError(f"{at}: no key {key!r}; {hint}")
        inner: Any = field.default_factory
        is_table = isinstance(value, dict) and is_dataclass(inner)
        values[field.name] = _named(inner, value, f"{at}.{key}") if is_table else value
    return values


def _explained(message: str, value: Any) -> str:
    """What msgspec says of a key in our words, with what was found there."""
    text, _, place = message.partition(" - at `$")
    keys = re.findall(r"\w+", place)
    for key in keys:
        value = value[int(key)] if isinstance(value, list) else value[key]
    wanted = re.search("|".join(KINDS), text)
    found = repr(value) if isinstance(value, str | list | dict) else str(value).lower()  # true, nan, a date: as in TOML
    return f"{_key('.'.join(['', *keys]))}: wanted {KINDS[wanted[0]] if wanted else 'something else'}, found {found}"


def _key(name: str) -> str:
    return name.replace("_", "-")


def parse_age(text: str) -> timedelta:
    """``90m``, ``24h``, ``2d``.  Raises ValueError that says what was wanted."""
    found = AGE.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is not an age; wanted like 90m, 24h or 2d")
    return timedelta(seconds=float(found.group(1)) * AGE_UNITS_S[found.group(2)])
