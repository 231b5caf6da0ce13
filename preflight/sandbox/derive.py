"""The world that an app takes for granted: everything it names exists, with stand-in values and stand-in data.

Read from the app's text, filled from a recording where there is one, and from the user's own settings.  What only a
running body names is made when it is asked for (``Scenario.invents``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from preflight.app.model import BucketMount, Call, Function, Known, Recipe, SecretRef, VolumeRef
from preflight.sandbox import state
from preflight.settings import Settings

STAND_IN = "stand-in-for-"  # how every made-up value begins: a traceback that holds it stumbled over the rehearsal
GCS = "storage.googleapis.com"
LOOKED_UP = {  # constructors whose first argument is the name of something that must be there
    "modal.Dict.from_name": "dicts",
    "modal.Queue.from_name": "queues",
    "modal.NetworkFileSystem.from_name": "file_systems",
    "modal.Volume.from_name": "volumes",
    "modal.Proxy.from_name": "proxies",
}
DEPLOYED = {"modal.Function.from_name": "functions", "modal.Cls.from_name": "classes", "modal.App.lookup": "apps"}


def derived(recipes: Sequence[Recipe], settings: Settings) -> state.Scenario:
    """One world for all the apps of a rehearsal."""
    return _World(recipes, settings).scenario()


class _World:
    def __init__(self, recipes: Sequence[Recipe], settings: Settings) -> None:
        self.settings = settings
        self.storage = state.Storage(buckets=())
        self.secrets: dict[str, dict[str, str]] = {}
        self.buckets: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.named: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.environments: dict[str, None] = {}
        self.apps: defaultdict[tuple[str, str], defaultdict[str, dict[str, None]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        self.default = settings.environment or "main"
        for recipe in recipes:
            for secret in recipe.secrets:
                self._secret(secret)
            for function in recipe.functions:
                self._function(function, recipe)
            for call in recipe.calls:
                self._call(call)
        self._read_settings()

    def scenario(self) -> state.Scenario:
        environments = {self.default: state.Environment(default=True, cycle_budget_dollars=state.MUCH_DOLLARS)}
        environments |= {name: state.Environment() for name in self.environments if name not in environments}
        buckets = tuple(state.Bucket(name=n, region=self._region, objects=o) for n, o in sorted(self.buckets.items()))
        apps = tuple(
            state.App(
                description=app, name=app, environment=env, functions=(*tags["functions"],), classes=(*tags["classes"],)
            )
            for (env, app), tags in self.apps.items()
        )
        named = {kind: tuple(sorted(self.named[kind])) for kind in state.NAMED}
        world = state.Scenario(
            title="everything that the app names is there",
            wrong="nothing",
            workspace=state.Workspace(
                image_builder_version=self.settings.builder or self.settings.image_builder.minimum
            ),
            environments=environments,
            secrets=self.secrets,
            storage=state.Storage(region=self._region, buckets=buckets),
            apps=apps,
            invents=True,
        )
        return replace(world, **named)

    @property
    def _region(self) -> str:
        environ = self.settings.environ
        given = self.settings.s3.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        return given or state.Storage().region

    def _function(self, function: Function, recipe: Recipe) -> None:
        """A variable that its body must have stands in each of its secrets: which one holds it, nobody says."""
        needs = {r.key for r in recipe.environ_reads if r.is_required and r.inside in ("", function.name)}
        for secret in function.secrets:
            if isinstance(secret, SecretRef):
                self._secret(secret, *sorted(needs))
        for mount in function.volumes.values():
            if isinstance(mount, BucketMount):
                self._mount(mount)
            elif isinstance(mount, VolumeRef) and mount.name is not None:
                self.named["file_systems" if mount.kind != "volume" else "volumes"][mount.name] = None
                self._environment(mount.environment)

    def _secret(self, secret: SecretRef, *keys: str) -> None:
        if secret.name is not None:
            self._keys(secret.name, *secret.required_keys, *keys)
            self._environment(secret.environment)

    def _keys(self, name: str, *keys: str) -> None:
        """The S3 keys hold what the local S3 takes, whatever else they stand in for."""
        real = {
            "AWS_ACCESS_KEY_ID": self.storage.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.storage.secret_access_key,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
        }
        values = self.secrets.setdefault(name, {})
        for key in keys:
            values.setdefault(key, real.get(key, f"{STAND_IN}{key}"))

    def _environment(self, name: str | None) -> None:
        if name:
            self.environments[name] = None

    def _mount(self, mount: BucketMount) -> None:
        endpoint = _text(mount.endpoint_url) or ""
        if isinstance(mount.secret, SecretRef) and mount.secret.name is not None:
            google = ("GOOGLE_ACCESS_KEY_ID", "GOOGLE_ACCESS_KEY_SECRET")
            self._secret(mount.secret, *(google if GCS in endpoint else self.settings.s3.keys))
        if (bucket := _text(mount.bucket)) is not None:
            self._object(bucket, _text(mount.prefix) or "")

    def _object(self, bucket: str, prefix: str) -> None:
        key = f"{prefix}{'' if not prefix or prefix.endswith('/') else '/'}stand-in.txt"
        self.buckets[bucket][key] = "made up for a rehearsal\n"

    def _call(self, call: Call) -> None:
        name, environment = _argument(call, 0, "name"), _argument(call, 99, "environment_name")
        if call.name in LOOKED_UP and name:
            self.named[LOOKED_UP[call.name]][name] = None
        elif call.name in DEPLOYED and (app := _argument(call, 0, "app_name") or name):
            tags = self.apps[environment or self.default, app][DEPLOYED[call.name]]
            if tag := _argument(call, 1, "name"):
                tags[tag] = None
        if call.name.endswith((".from_name", ".lookup")):
            self._environment(environment)

    def _read_settings(self) -> None:
        s3 = self.settings.s3
        if s3.secret is not None:
            self._keys(s3.secret, *s3.keys)
        if s3.bucket is not None:
            self._object(s3.bucket, s3.prefix or "")
        elif s3.prefix:
            for bucket in tuple(self.buckets):
                self._object(bucket, s3.prefix)


def _text(value: object) -> str | None:
    return value.value if isinstance(value, Known) and isinstance(value.value, str) else None


def _argument(call: Call, place: int, name: str) -> str | None:
    value: object = call.args[place] if place < len(call.args) else call.kwargs.get(name)
    return value if isinstance(value, str) and value else None


def listed(world: state.Scenario) -> Iterator[str]:
    """What was made up, as a person reads it: "secret hf (HF_TOKEN)"."""
    for name, values in world.secrets.items():
        yield f"secret {name}" + (f" ({', '.join(values)})" if values else "")
    for bucket in world.storage.buckets:
        yield f"bucket {bucket.name}"
    for kind, word in state.NAMED.items():
        yield from (f"{word} {name}" for name in getattr(world, kind))
    for app in world.apps:
        inside = ", ".join((*app.functions, *app.classes))
        yield f"app {app.name}" + (f" ({inside})" if inside else "")
    yield from (f"environment {name}" for name, given in world.environments.items() if not given.default)
