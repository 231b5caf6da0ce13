from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from preflight.model import Answer, Check, Finding, Report, Result, Severity, Stage, Status, Target
from preflight.state.vector import Vector

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


async def _never(looked: object) -> Answer:
    raise AssertionError("it is never run")


async def _free(looked: object) -> None:
    raise AssertionError("it is never priced")


def result(check_id: str, name: str, message: str, *evidence: str, status: Status = Status.FAIL) -> Result:
    """What a check of this id says when it fails with this message."""
    is_paid = check_id in ("PRJ002", "GPU001")
    stage = Stage.PAID if is_paid else Stage.REMOTE
    check = Check(id=check_id, name=name, title="t", stage=stage, run=_never, price=_free if is_paid else None)  # type: ignore[arg-type]
    if status not in (Status.FAIL, Status.WARN, Status.PASS):
        return Result(check=check, status=status, seconds=0.0, reason=message)
    severity = {Status.FAIL: Severity.ERROR, Status.WARN: Severity.WARNING, Status.PASS: Severity.INFO}[status]
    found = Finding(severity=severity, message=message, remedy="do something", evidence=evidence)
    return Result(
        check=check, status=status, seconds=0.0, reason=message, answer=Answer(summary=message, findings=(found,))
    )


def report(*results: Result) -> Report:
    return Report(target=Target(app="deploy/modal/app.py"), started=NOW, seconds=1.0, results=results)


@pytest.fixture
def worked() -> Vector:
    """The facts of a passing run, as the sandbox's example gives them."""
    return {
        "versions": {"preflight": "0.1.0", "Python": "3.11.7"},
        "client": {"modal": "1.6.4", "profile": "aws"},
        "builder": {"Image Builder": "2025.06"},
        "account": {
            "workspace": "clarity",
            "environment": "main",
            "budget": "$200.00",
            "spend limit": "none",
            "spend limit reached": "no",
        },
        "secrets": {"aws-s3-secret": "made 2026-10-01 10:00:00 UTC", "wandb": "made 2026-10-02 10:00:00 UTC"},
        "rates": {"cpu_hour_cost": f"${Decimal('0.0473')}", "gpu_hour_cost_a100_80gb": "$2.50"},
        "variables": {"AWS_REGION": "us-east-1", "MODAL_PROFILE": "aws"},
        "settings": {
            "s3.prefix": "tusz/",
            "s3.bucket": "eeg-training-data",
            "budget.hours": "20",
            "lint.command": "make q",
        },
        "pins": {
            "torch (image)": "==2.2.2",
            "numpy (image)": "<2",
            "packaging (image)": "==24.2",
            "causal-conv1d (image)": "==1.4.0",
            "mamba-ssm (image)": "==2.2.2",
            "transformers (image)": "<5",
        },
        "image steps": {
            "image": "\n".join(
                (
                    ".from_registry nvidia/cuda:12.1.1-devel-ubuntu22.04 add_python=3.11",
                    ".entrypoint",
                    ".apt_install build-essential ninja-build",
                    ".env CC=gcc CXX=g++ CUDA_HOME=/usr/local/cuda",
                    ".pip_install torch numpy",
                    ".pip_install packaging",
                    ".run_commands pip install -v --no-build-isolation mamba-ssm==2.2.2",
                )
            )
        },
        "functions": {
            "train gpu": "A100-80GB",
            "train timeout": "86400 s",
            "train secrets": "aws-s3-secret",
            "train mounts": "/data bucket eeg-training-data/tusz/, /results volume training-results",
        },
        "gpu": {"A100-80GB name": "NVIDIA A100-SXM4-80GB", "A100-80GB driver": "580.95.05", "A100-80GB torch": "2.2.2"},
        "files": {
            "deploy/modal/app.py": "a1 644",
            "src/seizure/train.py": "b2 644",
            "Makefile": "c3 644",
            "uv.lock": "d4",
        },
    }
