"""The whole vector of a run, of Modal's answers and of a pass's facts, for an app that has one of everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from preflight.app.lookups import RECIPE
from preflight.lookups import Lookup, LookupFailed
from preflight.model import Report, Status
from preflight.remote.lookups import (
    CLIENT,
    ENVIRONMENT,
    HERE,
    LISTED_SECRETS,
    RATES,
    RESOLVED_BUILDER,
    WORKSPACE,
)
from preflight.remote.modal_types import Client, Environment, Here, ListedSecret, Workspace
from preflight.settings import ProbeSettings, S3Settings, Settings
from preflight.state import cloud
from preflight.state.run_facts import LONGEST, of_run
from preflight.state.vector import Vector, settings_rows
from preflight.testing import recipe, run_check
from tests.kept import assert_kept
from tests.state.conftest import report, result

MADE = datetime(2026, 10, 1, 10, 2, 3, tzinfo=UTC)
APP = """import modal
base = modal.Image.debian_slim(python_version="3.11")
image = (
    base.env({"CC": "gcc", "CXX": "g++"})
    .pip_install("torch==2.2.2", "numpy", "mine @ https://example.org/mine.whl", index_url="https://example.org/whl",
                 extra_index_url="https://example.org/more", pre=True)
    .uv_pip_install("packaging==24.2", "ninja", "wheel", extra_index_url="https://example.org/one")
    .run_commands("pip install mamba-ssm==2.2.2",  "ls   /root")
    .apt_install("git", force_build=True)
    .add_local_dir(open("x").read(), "/x")
)
app = modal.App("x")
vol = modal.Volume.from_name("results")

@app.function(
    gpu=["A100-80GB", "H100:2"], cpu=(2, 4.5), memory=1024, timeout=86400, retries=2, image=image,
    secrets=[modal.Secret.from_name("wandb"), modal.Secret.from_name("aws"), modal.Secret.from_dict({"B": "1"})],
    volumes={"/v": vol, "/b": modal.CloudBucketMount("eeg", key_prefix="tusz/"), "/o": open("v").read()},
)
def train(): ...

@app.function(gpu=open("g").read(), timeout=open("t").read(), secrets=[open("s").read()])
def opened(): ...

@app.function(image=modal.Image.debian_slim())
def bare(): ...
"""
ENVIRON = {"AWS_REGION": "us-east-1", "AWS_PROFILE": "", "MODAL_PROFILE": "aws", "HOME": "/root", "AWS_SECRET": "x"}
HERE_MAIN = Environment(
    name="main",
    is_default=True,
    builder=None,
    budget_usd=Decimal(1200),
    spend_limit_usd=None,
    spent_usd=Decimal(0),
    is_spend_limit_reached=True,
)
ALICE = Client(
    version="1.6.4",
    builders=("2025.06",),
    builder_override=None,
    override_by=None,
    profile="aws",
    signs_with="profile aws",
    token_id="ak-1",
    environment=None,
    server_url="https://api.example",
)
SECRETS = (
    ListedSecret(name="wandb", created=MADE, created_by="alice"),
    ListedSecret(name="other", created=MADE, created_by=""),
)
PRICES = {"gpu_hour_cost_h100": Decimal("4.00"), "cpu_hour_cost": Decimal("0.0473"), "gpu_hour_cost_t4": Decimal(1)}
PROBES = (
    {
        "gpu_asked": "A100-80GB",
        "gpu": {"name": "NVIDIA A100", "driver": "580.95", "capability": "8.0", "uuid": "GPU-1"},
        "versions": {"torch": "2.2.2", "mamba_ssm": None},
    },
    {"gpu": None, "versions": {"torch": "2.3"}},
)


def seen_by(found: dict[Lookup[Any], object], told: Report, folder: Path) -> Vector:
    given = Settings(project=folder, app="app.py", environ=ENVIRON, probe=ProbeSettings(gpus=("T4",)))
    whole = of_run(given, told, found, str)
    assert whole.pop("settings") == settings_rows(given)
    assert set(whole["versions"]) == {"preflight", "Python"}
    whole["versions"] = dict.fromkeys(whole["versions"], "…")
    whole["files"] = dict.fromkeys(whole["files"], "…")
    return whole


def test_the_facts_of_a_run_are_as_they_were_read_and_kept(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "a"\nversion = "1"\n[[package]]\nname = "b"\n', "utf-8")
    (tmp_path / "pylock.toml").write_text('[[packages]]\nname = "c"\nversion = "3"\n', "utf-8")
    probed = result("GPU001", "gpu-probe", "it ran", status=Status.PASS)
    assert probed.answer is not None
    ran = replace(probed, answer=replace(probed.answer, seen={"probes": PROBES}))
    whole: dict[Lookup[Any], object] = {
        RECIPE: recipe(APP, file=tmp_path / "app.py", project=tmp_path),
        CLIENT: ALICE,
        ENVIRONMENT: HERE_MAIN,
        WORKSPACE: Workspace(name="clarity", warnings=()),
        RESOLVED_BUILDER: "2025.06",
        RATES: PRICES,
        LISTED_SECRETS: SECRETS,
    }
    limited = replace(HERE_MAIN, budget_usd=None, spend_limit_usd=Decimal("80.5"), is_spend_limit_reached=False)
    runs = {
        "everything was looked at": seen_by(whole, report(result("MOD001", "modal-auth", "x"), ran), tmp_path),
        "nothing was": seen_by({}, report(), tmp_path),
        "an environment alone": seen_by({ENVIRONMENT: limited}, report(), tmp_path),
        "a client of no profile": seen_by({CLIENT: replace(ALICE, profile=None)}, report(), tmp_path),
    }
    assert_kept("run-facts", runs)


@pytest.mark.parametrize(("length", "is_cut"), [(LONGEST, False), (LONGEST + 1, True)])
def test_a_value_is_cut_at_its_length_and_a_step_never_is(tmp_path: Path, length: int, is_cut: bool) -> None:
    text = f"import modal\nimage = modal.Image.debian_slim().run_commands('{'s' * 500}')\napp = modal.App('x')\n"
    given = Settings(project=tmp_path, app="app.py", environ={"AWS_REGION": "r" * length})
    found = of_run(given, report(), {RECIPE: recipe(text, file=tmp_path / "app.py", project=tmp_path)}, str)
    assert found["variables"]["AWS_REGION"] == ("r" * (LONGEST - 1) + "…" if is_cut else "r" * length)
    assert "s" * 500 in found["image steps"]["image"]


def test_everything_passes_the_redactor(tmp_path: Path) -> None:
    given = Settings(project=tmp_path, environ={"AWS_REGION": "secret"})
    found = of_run(given, report(), {}, lambda text: text.replace("secret", "[redacted]").replace("AWS", "[who]"))
    assert found["variables"] == {"[who]_REGION": "[redacted]"}


# --- what Modal says of the things a pass stands on -------------------------------------------------------------------

OPEN = APP.replace('modal.Secret.from_name("aws")', 'open("s").read()')
NAMED = APP.replace('open("s").read()', 'modal.Secret.from_name("third")')


def asked(text: str, *, s3: str | None = None, token: str | None = "ak-1", **given: object) -> dict[str, Any]:
    stands: dict[Lookup[Any], Any] = {
        CLIENT: replace(ALICE, token_id=token),
        WORKSPACE: Workspace(name="clarity", warnings=()),
        HERE: Here(name="main", builder="2025.06"),
        RESOLVED_BUILDER: "2025.06",
        RECIPE: recipe(text),
        LISTED_SECRETS: given.get("secrets", SECRETS),
        RATES: given.get("rates", PRICES),
    }
    settings = Settings(s3=S3Settings(secret=s3), probe=ProbeSettings(gpus=("T4:2", "B200")))
    found = run_check(cloud.CHECK, stands, settings=settings)
    assert found.status is Status.PASS and found.answer is not None
    return {"reason": found.reason, **found.answer.seen["facts"]}


def test_the_facts_of_a_pass_are_as_they_were_read_and_kept() -> None:
    assert_kept(
        "gate-facts",
        {
            "every secret has a name": asked(NAMED),
            "one of the settings too": asked(NAMED, s3="s3-secret"),
            "a name that the text leaves open": asked(OPEN),
            "secrets that are not told": asked(NAMED, s3="s3-secret", secrets=LookupFailed(LISTED_SECRETS, "refused")),
            "rates that are not told": asked(NAMED, rates=LookupFailed(RATES, "refused")),
            "no token": asked(NAMED, token=None),
        },
    )


def test_another_token_is_another_fact_and_is_not_shown() -> None:
    one, two = asked(NAMED), asked(NAMED, token="ak-2")
    assert {k for k in one if one[k] != two[k]} == {"token"}
    assert "ak-1" not in str(one) and len(one["token"]) == 16


def test_each_image_is_a_fact_of_its_own_though_no_variable_holds_it() -> None:
    text = "import modal\napp = modal.App('x')\n" + "".join(
        f"@app.function(image=modal.Image.debian_slim().pip_install('{package}'))\ndef {package}(): ...\n"
        for package in ("einops", "numpy")
    )
    vector = of_run(Settings(app="app.py"), report(), {RECIPE: recipe(text)}, str)
    assert vector["image steps"].keys() == {"the image at app.py", "the image at app.py (2)"}
    assert vector["functions"]["numpy image"] == "the image at app.py (2)"
