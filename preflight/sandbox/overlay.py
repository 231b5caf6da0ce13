"""One scenario's fault laid over a derived world: what it says of the example's things, it says of the app's."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from preflight.sandbox import state, worlds

AS_GIVEN = ("token", "rates", "billing", "server", "builds", "gpu", "environ")  # of the account, not of any app


def laid_over(world: state.Scenario, fault: state.Scenario, name: str) -> state.Scenario:
    """Raises ValueError for a scenario that changes the example's files, and nothing else that an app could meet."""
    healthy = worlds.load("healthy")
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
