"""The account of a world, as the real CLI and client see it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from preflight.sandbox import serve
from tests.sandbox.conftest import without_s3

Run = Callable[..., subprocess.CompletedProcess[str]]
World = Callable[[str], Path]

QUESTIONS = """
import datetime, json
import modal, modal.environments
from modal.exception import ConflictError, NotFoundError

def error(f):
    try:
        return f"no error but {f()!r}"
    except (ConflictError, NotFoundError) as e:
        return f"{type(e).__name__}: {e}"

def secret(name, *keys):
    return error(lambda: modal.Secret.from_name(name, required_keys=list(keys)).hydrate() and "there")

def age(app):
    return round((now - app.info().lifecycle.created_at).total_seconds() / 3600)

now = datetime.datetime.now(datetime.timezone.utc)
midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
environment = modal.Environment.from_context()
ws = modal.Workspace.from_context().hydrate()
item = modal.environments.list_environments()[0]
print(json.dumps({
    "workspace": ws.name,
    "tokens": [(t.token_id, t.expires_at is not None) for t in ws.member_tokens.list()],
    "builder": ws.settings.list().image_builder_version,
    "environment_builder": item.HasField("image_builder_version"),
    "budget": item.cycle_budget_dollars,
    "usage": item.current_cycle_usage,
    "reached": item.spend_limit_reached,
    "a100": str(ws.billing.rates()["gpu_hour_cost_a100_80gb"]),
    "metered": str(ws.billing.summary().metered_cost),
    "report": [str(r["cost"]) for r in ws.billing.report(start=midnight)],
    "all_keys": secret("aws-s3-secret", "AWS_ACCESS_KEY_ID", "AWS_REGION"),
    "missing_key": secret("aws-s3-secret", "AWS_REGION", "AWS_SESSION_TOKEN"),
    "missing_secret": secret("no-such-secret"),
    "missing_volume": error(lambda: modal.Volume.from_name("no-such-volume").hydrate()),
    "volumes": [v.name for v in modal.Volume.objects.list()],
    "apps": sorted((age(a), a.info().lifecycle.state.name) for a in environment.apps.list()),
}))
"""


def answers(run: Run, sandbox: serve.Sandbox) -> dict[str, object]:
    ended = run(sandbox, "-c", QUESTIONS)
    assert ended.returncode == 0, ended.stderr
    answered: dict[str, object] = json.loads(ended.stdout)
    return answered


def test_the_healthy_world_answers_every_question_of_the_checklist(run: Run, healthy: serve.Sandbox) -> None:
    assert answers(run, healthy) == {
        "workspace": "sandbox",
        "tokens": [["ak-sandbox", True]],
        "builder": "2025.06",
        "environment_builder": False,
        "budget": 200.0,
        "usage": 31.5,
        "reached": False,
        "a100": "2.50",
        "metered": "31.50",
        "report": [],
        "all_keys": "no error but 'there'",
        "missing_key": "ConflictError: Secret is missing key(s): AWS_SESSION_TOKEN",
        "missing_secret": "NotFoundError: Secret 'no-such-secret' not found in environment 'main'.",
        "missing_volume": "NotFoundError: Volume 'no-such-volume' not found in environment 'main'.",
        "volumes": ["training-results"],
        "apps": [],
    }


def test_token_info_names_the_token_and_its_end(healthy: serve.Sandbox, modal: Run) -> None:
    said = modal(healthy, "token", "info").stdout
    assert "Token: ak-sandbox" in said
    assert "Workspace: sandbox (ac-sandbox)" in said
    assert "Expires at: " in said


def test_a_setting_changed_through_the_cli_is_read_back(modal: Run, world: World) -> None:
    with serve.start(world('[workspace]\nimage-builder-version = "2023.12"')) as sandbox:
        setting = ("workspace", "settings", "set", "image-builder-version")
        assert modal(sandbox, *setting, "2025.06").returncode == 0
        assert "2025.06" in modal(sandbox, "workspace", "settings", "list").stdout


def test_a_builder_version_that_does_not_exist_is_refused(modal: Run, healthy: serve.Sandbox) -> None:
    ended = modal(healthy, "workspace", "settings", "set", "image-builder-version", "2019.01")
    assert ended.returncode == 1
    assert "2019.01" in ended.stdout + ended.stderr


def test_a_secret_that_exists_is_not_overwritten_without_force(modal: Run, world: World) -> None:
    with serve.start(world("")) as sandbox:
        assert modal(sandbox, "secret", "create", "extra", "A=1").returncode == 0
        again = modal(sandbox, "secret", "create", "extra", "B=2")
        assert again.returncode != 0
        assert "already exists" in again.stderr + again.stdout
        assert modal(sandbox, "secret", "create", "extra", "B=2", "--force").returncode == 0


def test_a_forgotten_app_is_listed_with_its_age_read_and_stopped(run: Run, modal: Run) -> None:
    with serve.start(without_s3("stale-apps")) as sandbox:
        answered = answers(run, sandbox)
        assert answered["apps"] == [[30, "DETACHED"], [72, "DETACHED"], [900, "DEPLOYED"]]
        assert answered["report"] == ["1.25", "1.25", "1.25"]
        rows = json.loads(modal(sandbox, "app", "list", "--json").stdout)
        states = {r["description"]: r["state"] for r in rows}
        assert states["label-server"] == "deployed"
        old = next(r for r in rows if r["description"] == "seizure-training")
        assert "detached" in old["state"]
        assert old["tasks"] == "1"
        assert "epoch 61/100" in modal(sandbox, "app", "logs", old["app_id"]).stdout
        assert modal(sandbox, "app", "stop", old["app_id"], "--yes").returncode == 0
        after = json.loads(modal(sandbox, "app", "list", "--json").stdout)
        assert {r["description"]: r["state"] for r in after}["seizure-training"] == "stopped"


@pytest.mark.parametrize(("given", "says"), [("none", "token missing"), ("wrong", "token validation failed")])
def test_a_world_without_a_good_token_answers_no_question(modal: Run, world: World, given: str, says: str) -> None:
    with serve.start(world(f"[token]\ngiven = '{given}'")) as sandbox:
        ended = modal(sandbox, "app", "list")
    assert ended.returncode == 1
    assert says in (ended.stdout + ended.stderr).lower()
