"""Each shipped world of the sandbox, the whole way: real client, real protocol, real S3, real containers."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from preflight.sandbox import worlds
from tests.conftest import Preflight

SCHEMA = json.loads(files("preflight.report").joinpath("schemas/preflight.report-1.json").read_text("utf-8"))
REMEDIES = {  # what the first bad check must tell its user to do
    "legacy-builder": ("image-builder", "modal workspace settings set image-builder-version 2025.06"),
    "env-override-builder": ("image-builder", "MODAL_IMAGE_BUILDER_VERSION=2025.06"),
    "no-token": ("modal-auth", "modal token new"),
    "bad-token": ("modal-auth", "modal token new"),
    "expiring-token": ("modal-auth", "modal token new"),
    "missing-secret": ("s3-secret", "modal secret create aws-s3-secret AWS_ACCESS_KEY_ID="),
    "missing-secret-key": ("s3-secret", "AWS_REGION=us-east-1 --force"),
    "no-bucket": ("s3-bucket", "aws s3 mb s3://eeg-training-data"),
    "empty-prefix": ("s3-bucket", "s3://eeg-training-data/tusz/"),
    "denied-bucket": ("s3-bucket", "s3:ListBucket"),
    "wrong-region": ("s3-bucket", "AWS_REGION=eu-west-1"),
    "refused-secret": ("s3-bucket-inside", "modal secret create aws-s3-secret"),
    "budget-too-small": ("credits", "raise the budget"),
    "spend-limit-reached": ("credits", "raise the limit"),
    "stale-apps": ("stale-apps", "modal app stop ap-"),
    "lint-fails": ("project-lint", "python -m compileall"),
    "smoke-fails": ("smoke-test", "fetch the wheel that `Guessing wheel URL` names"),
    "gpu-fallback": ("gpu-probe", "pip install --no-build-isolation causal-conv1d"),
    "old-client": ("client-version", "pip install --upgrade modal"),
}


PAID = {"smoke-test", "gpu-probe", "s3-bucket-inside"}


def run(preflight: Preflight, scenario: str, without: set[str]) -> tuple[int, dict[str, Any]]:
    skipped = ("--skip", ",".join(sorted(without))) if without else ()
    ran = preflight("run", "--sandbox", "--scenario", scenario, *skipped, "--json")
    assert "Traceback" not in ran.err, ran.err
    document = json.loads(ran.out)
    jsonschema.validate(document, SCHEMA)
    assert document["exit"] == ran.code
    assert document["target"]["sandbox"] == scenario
    return ran.code, document


@pytest.mark.parametrize("scenario", worlds.names())
def test_every_world_gives_the_statuses_and_the_exit_code_that_it_names(preflight: Preflight, scenario: str) -> None:
    expect = worlds.load(scenario).expect
    assert expect is not None
    wanted = dict(expect.checks)
    code, document = run(preflight, scenario, PAID - wanted.keys())  # what a world says nothing of need not be run
    statuses = {r["name"]: r["status"] for r in document["results"]}
    assert {name: statuses[name] for name in wanted} == wanted
    assert code == expect.exit
    if scenario in REMEDIES:
        name, words = REMEDIES[scenario]
        findings = next(r for r in document["results"] if r["name"] == name)["findings"]
        assert any(words in f["remedy"] for f in findings), findings


def test_every_world_with_something_wrong_names_a_remedy() -> None:
    bad = {n for n in worlds.names() if (e := worlds.load(n).expect) and {"fail", "warn"} & set(e.checks.values())}
    assert bad == set(REMEDIES)
