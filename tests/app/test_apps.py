"""Every app of tests/data/apps is read as its hand-written expectation says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from preflight.app import reader
from preflight.app.model import BucketMount, Function, Image, Known, Recipe, SecretRef, Unresolved, VolumeRef

APPS = Path(__file__).parent.parent / "data" / "apps"
PAIRS = sorted([*APPS.glob("*.expect.json"), *APPS.glob("*/expect.json")])


def _app_of(expected: Path) -> Path:
    if expected.name == "expect.json":
        return expected.parent / "app.py"
    return expected.with_name(expected.name.removesuffix(".expect.json") + ".py")


def _value(value: Any) -> Any:
    if isinstance(value, Unresolved):
        return "?"
    if isinstance(value, Known):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _secret(secret: SecretRef | Unresolved) -> str:
    if isinstance(secret, Unresolved):
        return "?"
    return secret.name if secret.name is not None else f"{secret.made_by}:{','.join(secret.keys)}"


def _mount(mount: VolumeRef | BucketMount | Unresolved) -> str:
    if isinstance(mount, Unresolved):
        return "?"
    if isinstance(mount, VolumeRef):
        return f"{mount.kind} {mount.name}"
    return f"bucket {_value(mount.bucket)}" + (f"/{_value(mount.prefix)}" if mount.prefix is not None else "")


def _images(function: Function) -> tuple[Image, ...]:
    return function.images if isinstance(function.images, tuple) else ()


def _steps(image: Image) -> list[str]:
    return [f"{s.where.line} {s.method}" for s in image.steps]


def _all_steps(function: Function) -> Any:
    if isinstance(function.images, Unresolved):
        return "?"
    return None if function.images is None else [_steps(i) for i in function.images]


def _packages(function: Function) -> list[str]:
    return [p.written for i in _images(function) for _, install in i.pip_installs() for p in install.packages]


def _shell(function: Function) -> list[Any]:
    return [c for i in _images(function) for s in i.steps for c in s.shell]


def _buckets(function: Function) -> dict[str, BucketMount]:
    return {path: v for path, v in function.volumes.items() if isinstance(v, BucketMount)}


READ: dict[str, Callable[[Function], Any]] = {
    "kind": lambda f: f.kind,
    "gpu": lambda f: "?" if isinstance(f.gpu, Unresolved) else [_written(g) for g in f.gpu],
    "timeout_s": lambda f: _value(f.timeout_s),
    "startup_timeout_s": lambda f: _value(f.startup_timeout_s),
    "cpu": lambda f: _value(f.cpu),
    "memory_mib": lambda f: _value(f.memory_mib),
    "retries": lambda f: _value(f.retries),
    "schedule": lambda f: f.schedule,
    "secrets": lambda f: [_secret(s) for s in f.secrets],
    "volumes": lambda f: {path: _mount(m) for path, m in f.volumes.items()},
    "read_only": lambda f: [p for p, v in f.volumes.items() if not isinstance(v, Unresolved) and v.is_read_only],
    "endpoint": lambda f: {p: _value(b.endpoint_url) for p, b in _buckets(f).items() if b.endpoint_url is not None},
    "mount_secrets": lambda f: {p: b.secret and _secret(b.secret) for p, b in _buckets(f).items()},
    "steps": _all_steps,
    "packages": _packages,
    "complete": lambda f: all(i.is_complete for i in _images(f)),
    "incomplete_steps": lambda f: [
        f"{s.where.line} {s.method}"
        for i in _images(f)
        for s in i.steps
        if not s.is_complete or not all(p.is_complete for p in s.pip)
    ],
    "base": lambda f: _images(f)[0].steps[0].args[0],
    "decorators": lambda f: [d.name for d in f.decorators],
    "redirects": lambda f: [r for c in _shell(f) for r in c.redirects if r.startswith(">=")],
    "pip_env": lambda f: {
        install.packages[0].name: dict(install.env)
        for i in _images(f)
        for _, install in i.pip_installs()
        if install.env
    },
    "overridden_by": lambda f: next(k.default_of for k in (f.timeout_s, *_gpus(f)) if k and k.default_of),
}


def _gpus(function: Function) -> tuple[Any, ...]:
    return function.gpu if isinstance(function.gpu, tuple) else ()


def _written(gpu: Any) -> str:
    return (
        f"{gpu.type}:{gpu.count}"
        if gpu.written.startswith(("gpu.", "modal.gpu.")) and gpu.count > 1
        else (gpu.type if gpu.written.startswith(("gpu.", "modal.gpu.")) else gpu.written)
    )


WHOLE: dict[str, Callable[[Recipe], Any]] = {
    "apps": lambda r: [_value(a.name) for a in r.apps],
    "environ": lambda r: [[e.key, e.is_required, e.inside] for e in r.environ_reads],
    "images": lambda r: len(r.images),
    "image_steps": lambda r: [_steps(i) for i in r.images],
}


def _differences(recipe: Recipe, expected: dict[str, Any]) -> list[str]:
    found: list[str] = []
    functions = {f.name: f for f in recipe.functions}
    for name, wanted in expected.get("functions", {}).items():
        if name not in functions:
            found.append(f"{name}: not found")
            continue
        for key, value in wanted.items():
            got = READ[key](functions[name])
            if got != value:
                found.append(f"{name}.{key}: read {got!r}, expected {value!r}")
    for key, value in expected.items():
        if key in WHOLE and WHOLE[key](recipe) != value:
            found.append(f"{key}: read {WHOLE[key](recipe)!r}, expected {value!r}")
    if "calls" in expected:
        calls = [f"{c.where.line} {c.name}" for c in recipe.calls]
        found += [f"call not found: {c}" for c in expected["calls"] if c not in calls]
    for name, gpus in expected.get("function_gpus", {}).items():
        got = [g.written for f in recipe.functions if f.name == name for g in _gpus(f)]
        if got != gpus:
            found.append(f"{name}: gpus {got}, expected {gpus}")
    return found


@pytest.mark.parametrize("expected", PAIRS, ids=lambda p: _app_of(p).relative_to(APPS).as_posix())
def test_app_is_read_as_labelled(expected: Path) -> None:
    app = _app_of(expected)
    recipe = reader.read(app, project=app.parent)
    assert recipe.broken == ""
    assert _differences(recipe, json.loads(expected.read_text("utf-8"))) == []


def test_a_wrong_label_is_noticed(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text('import modal\napp = modal.App("x")\n@app.function(gpu="T4")\ndef f(): ...\n')
    found = _differences(reader.read(app, project=tmp_path), {"functions": {"f": {"gpu": ["L4"]}, "g": {}}})
    assert len(found) == 2
