"""A scenario: one world that the sandbox can be, as data.

``names()`` are the scenarios shipped with the package, ``load`` reads one of them or a TOML file of your own.
Every field has a default that makes the healthy world, so a scenario says only what differs.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from preflight.sandbox import typed_toml

SCENARIOS = Path(__file__).parent / "scenarios"
STATUSES = frozenset({"pass", "warn", "fail", "skip", "blocked", "error"})

RATES = {  # USD an hour, as `modal billing rates --json` printed them in September 2026
    "cpu_hour_cost": "0.04730",
    "mem_gib_hour_cost": "0.00800",
    "gpu_hour_cost_t4": "0.59",
    "gpu_hour_cost_l4": "0.80",
    "gpu_hour_cost_a10g": "1.10",
    "gpu_hour_cost_l40s": "1.95",
    "gpu_hour_cost_a100_40gb": "2.10",
    "gpu_hour_cost_a100_80gb": "2.50",
    "gpu_hour_cost_h100": "3.95",
    "gpu_hour_cost_h200": "4.54",
    "gpu_hour_cost_b200": "6.25",
}


class ScenarioNotFound(ValueError):
    """Neither a shipped scenario nor a file."""


class Credentials(StrEnum):
    """What the sandbox's user has in the environment."""

    RIGHT = "right"
    WRONG = "wrong"  # a token the server does not know
    NONE = "none"


class Reach(StrEnum):
    """What a connection to the control plane meets."""

    ANSWERS = "answers"
    REFUSES = "refuses"  # nothing listens on the port
    HANGS = "hangs"  # accepts, and never says a word


class AppState(StrEnum):
    """The states of Modal's AppState that a scenario may put an app in."""

    EPHEMERAL = "EPHEMERAL"
    DETACHED = "DETACHED"
    DETACHED_DISCONNECTED = "DETACHED_DISCONNECTED"
    DEPLOYED = "DEPLOYED"
    STOPPED = "STOPPED"


class Access(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"


@dataclass(frozen=True, kw_only=True)
class Token:
    id: str = "ak-sandbox"
    secret: str = "as-sandbox"
    name: str = "laptop"
    expires_in_days: float | None = 180.0  # None: never
    given: Credentials = Credentials.RIGHT


@dataclass(frozen=True, kw_only=True)
class Workspace:
    id: str = "ac-sandbox"
    name: str = "sandbox"
    username: str = "alice"
    image_builder_version: str = "2025.06"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Money in USD a billing cycle; ``None`` is not set."""

    default: bool = False
    image_builder_version: str | None = None
    cycle_budget_dollars: float | None = None
    current_cycle_usage: float = 0.0
    spend_limit_reached: bool = False
    max_concurrent_gpus: int | None = None


@dataclass(frozen=True, kw_only=True)
class Billing:
    """USD as decimal text, the way the server sends it."""

    metered_cost: str = "31.50"
    billed_cost: str = "1.50"
    adjustments: Mapping[str, str] = field(default_factory=lambda: {"Credits Applied": "-30.00"})
    metered_cost_breakdown: Mapping[str, str] = field(default_factory=lambda: {"Ephemeral Apps": "31.50"})


@dataclass(frozen=True, kw_only=True)
class App:
    """An app that was there before; ``log`` is what it has printed."""

    description: str
    state: AppState = AppState.DEPLOYED
    name: str = ""  # of a deployed app
    age_hours: float = 0.0
    tasks: int = 0
    environment: str = "main"
    log: str = ""
    functions: tuple[str, ...] = ()  # that others look up by name; what they do is not known here
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BuildFailure:
    """An image whose dockerfile commands match the regex ``match`` prints ``log`` and fails."""

    match: str
    log: str
    exception: str = ""  # empty: the client's own text, which names `modal image logs`


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What one RPC does instead of answering: a gRPC status by name, or silence."""

    status: str = "UNAVAILABLE"
    message: str = "the sandbox was told to fail here"
    times: int = -1  # -1: always
    hang: bool = False


@dataclass(frozen=True, kw_only=True)
class Server:
    """``delays`` are seconds an RPC, ``*`` for all; ``faults`` likewise.  Containers are spared."""

    reach: Reach = Reach.ANSWERS
    delays: Mapping[str, float] = field(default_factory=dict)
    faults: Mapping[str, Fault] = field(default_factory=dict)
    unimplemented: tuple[str, ...] = ()
    header_warnings: tuple[str, ...] = ()  # on every answer, shown by clients from 1.6.0
    hello_warnings: tuple[str, ...] = ()  # on ClientHello
    function_warnings: tuple[str, ...] = ()  # on FunctionCreate


@dataclass(frozen=True, kw_only=True)
class Builds:
    cached: bool = False  # every image is already there
    step_s: float = 0.0
    failures: tuple[BuildFailure, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Container:
    """``pythonpath`` holds stand-in packages, relative to the scenario's folder."""

    env: Mapping[str, str] = field(default_factory=dict)
    pythonpath: tuple[str, ...] = ()
    python: str = ""  # another interpreter with the modal package; empty: this one
    is_confined: bool = False  # not to be run where it can't be: it is an app of the user's
    project: str = ""  # a folder that containers don't see


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """``stand_ins`` are folders with a torch, mamba-ssm and causal-conv1d that only the probe's containers see;

    every verdict made with them says that it is simulated.  Relative to the scenario's folder.
    """

    simulate: bool = True  # PREFLIGHT_SANDBOX=1 in every container
    stand_ins: tuple[str, ...] = ("../../probe/standin/base", "../../probe/standin/conv")


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """``objects`` maps a key to its text."""

    name: str = "eeg-training-data"
    region: str = "us-east-1"
    access: Access = Access.ALLOWED
    objects: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Storage:
    """``region`` and the key pair are what the user's environment holds."""

    access_key_id: str = "AKIASANDBOX000000000"
    secret_access_key: str = "sandbox-secret-access-key"
    region: str = "us-east-1"
    buckets: tuple[Bucket, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Edit:
    """The first ``old`` in ``path`` becomes ``new``."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Project:
    """How this world's copy of the example differs from it."""

    files: Mapping[str, str] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Expect:
    """``checks`` maps a check's name to its status; ``exit`` is that of `preflight run --sandbox`."""

    exit: int
    checks: Mapping[str, str] = field(default_factory=dict)


def _main() -> Mapping[str, Environment]:
    return {
        "main": Environment(default=True, cycle_budget_dollars=200.0, current_cycle_usage=31.5, max_concurrent_gpus=10)
    }


def _s3_secret() -> Mapping[str, Mapping[str, str]]:
    return {
        "aws-s3-secret": {
            "AWS_ACCESS_KEY_ID": "AKIASANDBOX000000000",
            "AWS_SECRET_ACCESS_KEY": "sandbox-secret-access-key",
            "AWS_REGION": "us-east-1",
        }
    }


def _seeded() -> Storage:
    objects = {f"tusz/train/{n:04d}.npz": f"sandbox recording {n}\n" for n in range(3)}
    return Storage(buckets=(Bucket(objects={**objects, "tusz/MANIFEST": "3 recordings\n"}),))


@dataclass(frozen=True, kw_only=True)
class Scenario:
    title: str
    wrong: str  # what is wrong with this world; "nothing" in the healthy one
    expect: Expect | None = None
    origin: str = ""  # where its texts come from
    token: Token = Token()
    workspace: Workspace = Workspace()
    environments: Mapping[str, Environment] = field(default_factory=_main)
    rates: Mapping[str, str] = field(default_factory=lambda: dict(RATES))
    billing: Billing = field(default_factory=Billing)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=_s3_secret)
    volumes: tuple[str, ...] = ("training-results",)
    dicts: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    file_systems: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    apps: tuple[App, ...] = ()
    server: Server = field(default_factory=Server)
    builds: Builds = field(default_factory=Builds)
    container: Container = field(default_factory=Container)
    gpu: Gpu = Gpu()
    storage: Storage = field(default_factory=_seeded)
    project: Project = field(default_factory=Project)
    environ: Mapping[str, str] = field(default_factory=dict)  # set for the user, beyond the sandbox's own
    invents: bool = False  # a rehearsal: what an app looks up by name, and nobody has listed, is made then
    permissive: bool = False  # every secret and volume exists, images succeed at once, nothing is uploaded or run


MUCH_DOLLARS = 1_000_000.0  # of a budget that was made up: it must not be what stops a rehearsal
NO_S3 = "http://127.0.0.1:9"  # the discard port, where nothing listens: AWS is out of reach in a world without S3
RECORDER = "recorder"  # a permissive world without S3, whose requests are kept


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


def load(name_or_path: str | Path) -> Scenario:
    """Raises ScenarioNotFound, or WrongTable naming the file, the key and what was wanted there."""
    if str(name_or_path) == RECORDER:
        return Scenario(title="what a client would deploy", wrong="", permissive=True, storage=Storage())
    path = path_of(name_or_path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as e:
        raise typed_toml.WrongTable(str(path), "the file", "TOML", str(e)) from e
    scenario = typed_toml.read(Scenario, table, str(path))
    _consistent(scenario, str(path))
    container = replace(scenario.container, pythonpath=_beside(path, scenario.container.pythonpath))
    return replace(
        scenario, container=container, gpu=replace(scenario.gpu, stand_ins=_stand_ins(path, scenario.gpu.stand_ins))
    )


def _stand_ins(path: Path, folders: tuple[str, ...]) -> tuple[str, ...]:
    """A scenario of the user's own that names none has the shipped ones."""
    is_default = folders == Gpu().stand_ins
    return _beside(SCENARIOS / "healthy.toml" if is_default else path, folders)


def _beside(path: Path, folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str((path.parent / folder).resolve()) for folder in folders)


def _consistent(scenario: Scenario, source: str) -> None:
    for name, status in (scenario.expect.checks if scenario.expect else {}).items():
        if status not in STATUSES:
            wanted = f"one of {', '.join(sorted(STATUSES))}"
            raise typed_toml.WrongTable(source, f"expect.checks.{name}", wanted, repr(status))
    if sum(e.default for e in scenario.environments.values()) != 1:
        raise typed_toml.WrongTable(
            source, "environments", "exactly one with default = true", str(dict(scenario.environments))
        )
