"""The facts that a run has met beside those of this machine: what the app asks for, and what Modal answered."""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import preflight
from preflight.app.lookups import RECIPE
from preflight.app.model import BucketMount, Function, Image, Known, Recipe, SecretRef, Step, Unresolved, VolumeRef
from preflight.changes import Group
from preflight.lookups import Lookup
from preflight.model import Report
from preflight.remote.lookups import CLIENT, ENVIRONMENT, LISTED_SECRETS, RATES, RESOLVED_BUILDER, WORKSPACE
from preflight.remote.modal_types import ListedSecret
from preflight.settings import Settings
from preflight.state import sources
from preflight.state.differ import LOCKS
from preflight.state.sources import TooLarge
from preflight.state.vector import Rows, Vector, settings_rows

T = TypeVar("T")

SHOWN_VARIABLES = (
    "MODAL_PROFILE MODAL_ENVIRONMENT MODAL_IMAGE_BUILDER_VERSION MODAL_SERVER_URL"
    " AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE AWS_ENDPOINT_URL"
).split()
LONGEST = 400  # characters of one value; what is longer is cut, and told apart by its files' digests
MOST_LOCK_BYTES = 20_000_000


def of_run(
    settings: Settings, report: Report, found: Mapping[Lookup[Any], object], redact: Callable[[str], str]
) -> Vector:
    """For the comparison with the last pass: of the lookups that a run made (``found``) and its results.

    Everything passes the redactor before it is kept or compared.  A group that could not be looked at is left out,
    and is then not compared.
    """
    groups: Vector = {
        Group.VERSIONS: {"preflight": preflight.__version__, "Python": platform.python_version()},
        Group.SETTINGS: settings_rows(settings),
        Group.VARIABLES: {name: settings.environ[name] for name in SHOWN_VARIABLES if settings.environ.get(name)},
    }
    recipe = _of(found, RECIPE)
    if recipe is not None and not recipe.broken:
        groups |= _app(recipe, settings.project)
    try:
        groups[Group.FILES] = sources.read(settings.project, outputs=settings.outputs, state=settings.state)
    except (TooLarge, OSError):
        pass  # too many to tell apart: not compared
    groups |= _account(found)
    gpu = dict(_gpu(report))
    if gpu:
        groups[Group.GPU] = gpu

    def shown(group: str, text: str) -> str:
        text = redact(text)
        return text if group == Group.STEPS or len(text) <= LONGEST else text[: LONGEST - 1] + "…"

    return {group: {redact(k): shown(group, v) for k, v in rows.items()} for group, rows in groups.items()}


def secret_rows(listed: Sequence[ListedSecret]) -> Rows:
    return {s.name: f"made {s.created:%Y-%m-%d %H:%M:%S} UTC by {s.created_by or '?'}" for s in listed}


def rate_rows(rates: Mapping[str, Decimal]) -> Rows:
    """In dollars an hour."""
    return {key: f"${usd}" for key, usd in sorted(rates.items())}


def _of(found: Mapping[Lookup[Any], object], key: Lookup[T]) -> T | None:
    return found.get(key)  # type: ignore[return-value]


def _account(found: Mapping[Lookup[Any], object]) -> Vector:
    """What Modal has answered; groups whose question was not asked or not answered are missing."""
    groups: Vector = {}
    client, environment, workspace = _of(found, CLIENT), _of(found, ENVIRONMENT), _of(found, WORKSPACE)
    if client is not None:
        groups[Group.CLIENT] = {"modal": client.version, "profile": client.profile or "none"}
    builder = _of(found, RESOLVED_BUILDER)
    if builder is not None:
        groups[Group.BUILDER] = {"Image Builder": builder}
    if workspace is not None:
        groups[Group.ACCOUNT] = {"workspace": workspace.name}
    if environment is not None:
        limits = {
            "environment": environment.name,
            "budget": "none" if environment.budget_usd is None else f"${environment.budget_usd:,.2f}",
            "spend limit": "none" if environment.spend_limit_usd is None else f"${environment.spend_limit_usd:,.2f}",
            "spend limit reached": "yes" if environment.is_spend_limit_reached else "no",
        }
        groups[Group.ACCOUNT] = {**groups.get(Group.ACCOUNT, {}), **limits}
    rates = _of(found, RATES)
    if rates is not None:
        groups[Group.RATES] = rate_rows(rates)
    secrets = _of(found, LISTED_SECRETS)
    if secrets is not None:
        groups[Group.SECRETS] = secret_rows(secrets)
    return groups


def _app(recipe: Recipe, project: Path) -> Vector:
    return {
        Group.PINS: dict(_pins(recipe, project)),
        Group.STEPS: {_name(image, recipe): "\n".join(_step(s) for s in image.steps) for image in recipe.images},
        Group.FUNCTIONS: {f"{f.name} {what}": value for f in recipe.functions for what, value in _requests(f, recipe)},
    }


def _pins(recipe: Recipe, project: Path) -> Iterator[tuple[str, str]]:
    """What each image and each lock file asks for, package by package."""
    for image in recipe.images:
        for _, install in image.pip_installs():
            for package in install.packages:
                if package.name is not None:
                    yield f"{package.name} ({_name(image, recipe)})", package.specifier or package.url or "unpinned"
            if install.index_url or install.extra_index_urls:
                places = " ".join(filter(None, (install.index_url, *install.extra_index_urls)))
                packages = ", ".join(p.name or p.written for p in install.packages[:2])
                yield f"index of {packages} ({_name(image, recipe)})", places
    for name in LOCKS:
        yield from _locked(project / name)


def _locked(file: Path) -> Iterator[tuple[str, str]]:
    try:
        if not file.is_file() or file.stat().st_size > MOST_LOCK_BYTES:
            return
        document = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError):  # none, or no TOML: its digest is among the files
        return
    rows = document.get("package", document.get("packages"))
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("name"), str) and isinstance(row.get("version"), str):
            yield f"{row['name']} ({file.name})", row["version"]


def _name(image: Image, recipe: Recipe) -> str:
    """Its variable, or its file; a second image of the file that no variable holds is numbered."""
    if image.variable:
        return image.variable
    places = sorted({i.where for i in recipe.images if not i.variable and i.where.path == image.where.path})
    number = places.index(image.where) if image.where in places else 0
    return f"the image at {image.where.path}" + (f" ({number + 1})" if number else "")


def _step(step: Step) -> str:
    """One line; packages without their pins, which are facts of their own."""
    packages = [p for install in step.pip for p in install.packages]
    named = dict(step.env or step.kwargs)
    words = [] if step.env else [_text(a) for a in step.args]
    if step.pip and all(p.name for p in packages) and not step.shell:
        words = [p.name or p.written for p in packages] + [o for install in step.pip for o in install.options]
        named = {k: v for k, v in step.kwargs.items() if not k.endswith("index_url")}
    return " ".join(f".{step.method} {' '.join([*words, *(f'{k}={_text(v)}' for k, v in named.items())])}".split())


def _requests(function: Function, recipe: Recipe) -> Iterator[tuple[str, str]]:
    gpu = function.gpu
    yield "gpu", _text(gpu) if isinstance(gpu, Unresolved) else ", ".join(g.written for g in gpu) or "none"
    for what, value, unit in (
        ("timeout", function.timeout_s, " s"),
        ("cpu", function.cpu, " cores"),
        ("memory", function.memory_mib, " MiB"),
        ("retries", function.retries, ""),
    ):
        if value is not None:
            yield what, _text(value) + unit
    images = function.images
    yield "image", ", ".join(_name(i, recipe) for i in images) if isinstance(images, tuple) else _text(images)
    yield "secrets", ", ".join(sorted(_secret(s) for s in function.secrets)) or "none"
    yield "mounts", ", ".join(f"{path} {_mount(m)}" for path, m in sorted(function.volumes.items())) or "none"


def _secret(secret: SecretRef | Unresolved) -> str:
    if isinstance(secret, Unresolved):
        return "not in the text"
    return secret.name or f"{secret.made_by} of {', '.join(secret.keys)}"


def _mount(mount: VolumeRef | BucketMount | Unresolved) -> str:
    if isinstance(mount, VolumeRef):
        return f"{mount.kind} {mount.name}"
    if isinstance(mount, BucketMount):
        return f"bucket {_text(mount.bucket)}/{_text(mount.prefix or '')}"
    return "not in the text"


def _text(value: object) -> str:
    if isinstance(value, Known):
        return _text(value.value)
    if isinstance(value, Unresolved):
        return "not in the text"
    if isinstance(value, tuple | list):
        return " ".join(_text(v) for v in value if v is not None)
    if isinstance(value, dict):
        return " ".join(f"{k}={_text(v)}" for k, v in value.items())
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value) if isinstance(value, str | int | bool) or value is None else type(value).__name__


def _gpu(report: Report) -> Iterator[tuple[str, str]]:
    """What the probe has met: card, driver, versions, verdict."""
    seen = next((r.answer.seen for r in report.results if r.answer and "probes" in r.answer.seen), {})
    for document in seen.get("probes", ()):
        gpu = document.get("gpu_asked", "")
        for name, value in (document.get("gpu") or {}).items():
            if name in ("name", "driver", "capability"):
                yield f"{gpu} {name}", str(value)
        for name, value in (document.get("versions") or {}).items():
            yield f"{gpu} {name}", str(value)
