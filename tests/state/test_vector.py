"""What is kept of a run, and what never is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from preflight.app import reader
from preflight.app.lookups import RECIPE
from preflight.redact import Redactor
from preflight.remote.lookups import LISTED_SECRETS, RATES
from preflight.remote.modal_types import ListedSecret
from preflight.settings import LintSettings, Settings
from preflight.state.differ import changes
from preflight.state.run_facts import of_run
from preflight.state.vector import Vector
from tests.state.conftest import report, result

CANARIES = (
    "hf_abcdefghijklmnopqrstuvwx",
    "AKIA1234567890ABCDEF",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "canary-of-the-environment",
    "canary-password",
    "canary-in-a-url",
    "as-abcdefghijklmnopqrst",
)
APP = """import modal
image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .env({"HF_TOKEN": "hf_abcdefghijklmnopqrstuvwx", "WANDB_API_KEY": "canary-of-the-environment", "CC": "gcc"})
    .pip_install("torch==2.2.2", "numpy<2", extra_index_url="https://me:canary-in-a-url@pypi.example.org/simple")
    .run_commands(
        "git clone https://x:ghp_abcdefghijklmnopqrstuvwxyz0123456789@github.com/a/b",
        "DB_PASSWORD=canary-password pip install mamba-ssm==2.2.2",
    )
)
app = modal.App("x", image=image)
secret = modal.Secret.from_dict({"AWS_SECRET_ACCESS_KEY": "AKIA1234567890ABCDEF"})

@app.function(gpu="A100-80GB", cpu=(2, 4), memory=1024, timeout=86400, secrets=[secret], retries=2)
def train(): ...
"""
FAILED = report(result("MOD001", "modal-auth", "refused"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    environ = {"AWS_REGION": "us-east-1", "AWS_SECRET_ACCESS_KEY": CANARIES[1], "MODAL_PROFILE": "aws"}
    lint = LintSettings(command="MODAL_TOKEN_SECRET=as-abcdefghijklmnopqrst make q")
    return Settings(project=tmp_path, app="app.py", environ=environ, lint=lint)


def facts(settings: Settings, **found: object) -> Vector:
    recipe = reader.read(settings.project / "app.py", project=settings.project)
    given = {RECIPE: recipe, **{{"rates": RATES, "secrets": LISTED_SECRETS}[k]: v for k, v in found.items()}}
    return of_run(settings, FAILED, given, Redactor(("canary-of-the-environment",)).text)


def test_no_secret_is_kept(settings: Settings) -> None:
    kept = json.dumps(facts(settings))
    assert [c for c in CANARIES if c in kept] == []
    assert "HF_TOKEN=[redacted]" in kept


def test_what_a_run_stands_on_is_kept(settings: Settings) -> None:
    made = datetime(2026, 10, 1, tzinfo=UTC)
    kept = facts(
        settings,
        rates={"cpu_hour_cost": Decimal("0.0473")},
        secrets=(ListedSecret(name="aws", created=made, created_by="alice"),),
    )
    assert kept["pins"]["torch (image)"] == "==2.2.2"
    assert kept["pins"]["mamba-ssm (image)"] == "==2.2.2"
    assert kept["functions"]["train gpu"] == "A100-80GB"
    assert kept["functions"]["train cpu"] == "2 4 cores"
    assert kept["functions"]["train timeout"] == "86400 s"
    assert kept["functions"]["train secrets"] == "from_dict of AWS_SECRET_ACCESS_KEY"
    assert kept["rates"] == {"cpu_hour_cost": "$0.0473"}
    assert kept["secrets"] == {"aws": "made 2026-10-01 00:00:00 UTC by alice"}
    assert kept["variables"] == {"AWS_REGION": "us-east-1", "MODAL_PROFILE": "aws"}
    assert kept["image steps"]["image"].startswith(".from_registry nvidia/cuda:12.1.1-devel-ubuntu22.04")


def test_what_was_not_looked_at_is_no_group(settings: Settings) -> None:
    assert {"rates", "secrets", "account", "builder", "client", "gpu"} & set(facts(settings)) == set()


def test_an_app_that_does_not_parse_has_no_pins_that_could_be_told_as_gone(settings: Settings) -> None:
    before = facts(settings)
    (settings.project / "app.py").write_text("def (", encoding="utf-8")
    assert [c.text for c in changes(before, facts(settings), FAILED)] == ["file app.py is changed"]


def test_one_pin_that_changed_is_one_change_of_a_pin_and_none_of_a_step(settings: Settings) -> None:
    before = facts(settings)
    (settings.project / "app.py").write_text(APP.replace("torch==2.2.2", "torch==2.3.0"), encoding="utf-8")
    found = changes(before, facts(settings), replace(FAILED, target=replace(FAILED.target, app="app.py")))
    assert [c.text for c in found] == ["pins: torch (image): ==2.2.2 → ==2.3.0", "file app.py is changed"]


def test_a_lock_file_is_told_by_its_packages(settings: Settings) -> None:
    lock = settings.project / "uv.lock"
    text = (
        'version = 1\n[[package]]\nname = "torch"\nversion = "2.2.2"\n[[package]]\nname = "numpy"\nversion = "1.26.4"\n'
    )
    lock.write_text(text, encoding="utf-8")
    before = facts(settings)
    lock.write_text(text.replace("1.26.4", "2.1.0"), encoding="utf-8")
    assert changes(before, facts(settings), FAILED)[0].text == "pins: numpy (uv.lock): 1.26.4 → 2.1.0"


@pytest.mark.parametrize("text", ["", "not = [toml", "package = 5", "[[package]]\nname = 1\n", "\x00"])
def test_a_lock_file_that_can_not_be_read_is_told_by_its_bytes(settings: Settings, text: str) -> None:
    (settings.project / "uv.lock").write_text(text, encoding="utf-8")
    kept = facts(settings)
    assert "uv.lock" in kept["files"]
    assert not any("uv.lock" in name for name in kept["pins"])
