"""The same look at the bucket from inside Modal, with the secret's own credentials.

A container on Modal's CPUs gets the secret and runs ``look``; only what S3 answered comes back, never a value of
the secret.  The whole ``preflight`` package is mounted there, so this module's imports stay light.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from preflight.model import Json
from preflight.problems import Kind, Problem
from preflight.remote.s3.api import S3Place, S3Sample

APP = "preflight-s3"
PYTHON = "3.12"  # in every builder since 2024.04
RUN_S = 60  # of the container
QUEUE_S = 60.0  # for it to start


def look(where: dict[str, Any], most: int) -> dict[str, Json]:
    """In the container: what the bucket mount would find, in the region that the secret names."""
    from preflight.remote.s3 import api as s3_api

    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    try:
        found = s3_api.sample(S3Place(**where, region=region, named_by="the secret"), most=most)
    except Problem as e:
        problem = {"kind": e.kind.value, "operation": e.operation, "message": e.message, "hint": e.hint, "code": e.code}
        return {"region": region, "problem": problem}
    return {"region": region, "found": dataclasses.asdict(found)}


async def sample_inside(place: S3Place, *, most: int, environment: str | None) -> tuple[S3Sample, str | None]:
    """What the container saw, and the region that the secret names.

    Raises Problem: S3's refusal there with service "S3", or Modal's own with service "Modal".
    """
    import modal

    from preflight.remote.modal_sdk import as_problems

    asked = ("bucket", "prefix", "endpoint", "is_requester_pays", "is_path_style")
    app = modal.App(APP)
    image = modal.Image.debian_slim(python_version=PYTHON).pip_install("boto3")
    secret = modal.Secret.from_name(place.secret or "", environment_name=place.secret_environment or environment)
    function = app.function(image=image, secrets=[secret], timeout=RUN_S, max_containers=1)(look)
    with as_problems("look at the bucket from inside"):
        async with app.run(environment_name=environment):
            call = await function.spawn.aio({name: getattr(place, name) for name in asked}, most)
            answer: dict[str, Any] = await call.get.aio(timeout=RUN_S + QUEUE_S)
        problem = answer.get("problem")
        if problem is None:
            return S3Sample(**answer["found"]), answer["region"]
        kind = Kind(problem.pop("kind"))
    raise Problem(kind, service="S3", **problem)
