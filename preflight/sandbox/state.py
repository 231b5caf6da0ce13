"""A scenario: one world that the sandbox can be, as data.

Every field has a default that makes the healthy world, so a scenario says only what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from preflight.model import Status
from preflight.toml_rows import Typed

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


Given = Literal["right", "wrong", "none"]  # the token in the user's environment; the server does not know a wrong one
Reach = Literal["answers", "refuses", "hangs"]  # refuses: nothing listens on the port; hangs: accepts, and says no word
AppState = Literal["EPHEMERAL", "DETACHED", "DETACHED_DISCONNECTED", "DEPLOYED", "STOPPED"]  # of Modal's own
Access = Literal["allowed", "denied"]


class Part(Typed, frozen=True, kw_only=True, rename="kebab"):
    """A table of a scenario."""


class Token(Part, frozen=True, kw_only=True):
    id: str = "ak-sandbox"
    secret: str = "as-sandbox"
    name: str = "laptop"
    expires_in_days: float | None = 180.0  # None: never
    given: Given = "right"


class Workspace(Part, frozen=True, kw_only=True):
    id: str = "ac-sandbox"
    name: str = "sandbox"
    username: str = "alice"
    image_builder_version: str = "2025.06"


class Environment(Part, frozen=True, kw_only=True):
    """Money in USD a billing cycle; ``None`` is not set."""

    default: bool = False
    image_builder_version: str | None = None
    cycle_budget_dollars: float | None = None
    current_cycle_usage: float = 0.0
    spend_limit_reached: bool = False
    max_concurrent_gpus: int | None = None


class Billing(Part, frozen=True, kw_only=True):
    """USD as decimal text, the way the server sends it."""

    metered_cost: str = "31.50"
    billed_cost: str = "1.50"
    adjustments: Mapping[str, str] = msgspec.field(default_factory=lambda: {"Credits Applied": "-30.00"})
    metered_cost_breakdown: Mapping[str, str] = msgspec.field(default_factory=lambda: {"Ephemeral Apps": "31.50"})


class App(Part, frozen=True, kw_only=True):
    """An app that was there before; ``log`` is what it has printed."""

    description: str
    state: AppState = "DEPLOYED"
    name: str = ""  # of a deployed app
    age_hours: float = 0.0
    tasks: int = 0
    environment: str = "main"
    log: str = ""
    functions: tuple[str, ...] = ()  # that others look up by name; what they do is not known here
    classes: tuple[str, ...] = ()


class BuildFailure(Part, frozen=True, kw_only=True):
    """An image whose dockerfile commands match the regex ``match`` prints ``log`` and fails."""

    match: str
    log: str
    exception: str = ""  # empty: the client's own text, which names `modal image logs`


class Fault(Part, frozen=True, kw_only=True):
    """What one RPC does instead of answering: a gRPC status by name, or silence."""

    status: str = "UNAVAILABLE"
    message: str = "the sandbox was told to fail here"
    times: int = -1  # -1: always
    hang: bool = False


class Server(Part, frozen=True, kw_only=True):
    """``delays`` are seconds an RPC, ``*`` for all; ``faults`` likewise.  Containers are spared."""

    reach: Reach = "answers"
    delays: Mapping[str, float] = {}
    faults: Mapping[str, Fault] = {}
    unimplemented: tuple[str, ...] = ()
    header_warnings: tuple[str, ...] = ()  # on every answer, shown by clients from 1.6.0
    hello_warnings: tuple[str, ...] = ()  # on ClientHello
    function_warnings: tuple[str, ...] = ()  # on FunctionCreate


class Builds(Part, frozen=True, kw_only=True):
    cached: bool = False  # every image is already there
    step_s: float = 0.0
    failures: tuple[BuildFailure, ...] = ()


class Container(Part, frozen=True, kw_only=True):
    """``pythonpath`` holds stand-in packages, relative to the scenario's folder."""

    env: Mapping[str, str] = {}
    pythonpath: tuple[str, ...] = ()
    python: str = ""  # another interpreter with the modal package; empty: this one
    is_confined: bool = False  # not to be run where it can't be: it is an app of the user's
    project: str = ""  # a folder that containers don't see


class Gpu(Part, frozen=True, kw_only=True):
    """``stand_ins`` are folders with a torch, mamba-ssm and causal-conv1d that only the probe's containers see;

    every verdict made with them says that it is simulated.  Relative to the scenario's folder.
    """

    simulate: bool = True  # PREFLIGHT_SANDBOX=1 in every container
    stand_ins: tuple[str, ...] = ("../../probe/standin/base", "../../probe/standin/conv")


class Bucket(Part, frozen=True, kw_only=True):
    """``objects`` maps a key to its text."""

    name: str = "eeg-training-data"
    region: str = "us-east-1"
    access: Access = "allowed"
    objects: Mapping[str, str] = {}


class Storage(Part, frozen=True, kw_only=True):
    """``region`` and the key pair are what the user's environment holds."""

    access_key_id: str = "AKIASANDBOX000000000"
    secret_access_key: str = "sandbox-secret-access-key"
    region: str = "us-east-1"
    buckets: tuple[Bucket, ...] = ()


class Edit(Part, frozen=True, kw_only=True):
    """The first ``old`` in ``path`` becomes ``new``."""

    path: str
    old: str
    new: str


class Project(Part, frozen=True, kw_only=True):
    """How this world's copy of the example differs from it."""

    files: Mapping[str, str] = {}
    edits: tuple[Edit, ...] = ()


class Expect(Part, frozen=True, kw_only=True):
    """``checks`` maps a check's name to its status; ``exit`` is that of `preflight run --sandbox`."""

    exit: int
    checks: Mapping[str, Status] = {}


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


class Scenario(Part, frozen=True, kw_only=True):
    title: str
    wrong: str  # what is wrong with this world; "nothing" in the healthy one
    expect: Expect | None = None
    origin: str = ""  # where its texts come from
    token: Token = Token()
    workspace: Workspace = Workspace()
    environments: Mapping[str, Environment] = msgspec.field(default_factory=_main)
    rates: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(RATES))
    billing: Billing = Billing()
    secrets: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=_s3_secret)
    volumes: tuple[str, ...] = ("training-results",)
    dicts: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    file_systems: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    apps: tuple[App, ...] = ()
    server: Server = Server()
    builds: Builds = Builds()
    container: Container = Container()
    gpu: Gpu = Gpu()
    storage: Storage = msgspec.field(default_factory=_seeded)
    project: Project = Project()
    environ: Mapping[str, str] = {}  # set for the user, beyond the sandbox's own
    invents: bool = False  # a rehearsal: what an app looks up by name, and nobody has listed, is made then
    permissive: bool = False  # every secret and volume exists, images succeed at once, nothing is uploaded or run


NAMED = {  # the fields of a scenario that hold names alone, and what is called so
    "volumes": "volume",
    "dicts": "dict",
    "queues": "queue",
    "file_systems": "network file system",
    "proxies": "proxy",
}
MUCH_DOLLARS = 1_000_000.0  # of a budget that was made up: it must not be what stops a rehearsal
NO_S3 = "http://127.0.0.1:9"  # the discard port, where nothing listens: AWS is out of reach in a world without S3
