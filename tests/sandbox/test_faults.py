"""Servers that warn, lag, lack calls, hang or are not there."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from preflight.sandbox import serve

Run = Callable[..., subprocess.CompletedProcess[str]]
World = Callable[[str], Path]

ASK = """
import asyncio, time, warnings
import modal
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    started = time.monotonic()
    try:
        asyncio.run(asyncio.wait_for(modal.Workspace.from_context().hydrate.aio(), 1.0))
        print("answered")
    except Exception as e:
        print(type(e).__name__, e)
    print("%.2f s" % (time.monotonic() - started))
for w in seen:
    print(type(w.message).__name__, w.message)
"""


def asked(run: Run, scenario: str | Path) -> list[str]:
    with serve.start(scenario) as sandbox:
        ended = run(sandbox, "-c", ASK)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_a_warning_of_the_server_reaches_the_client_as_its_own_type(run: Run) -> None:
    said = asked(run, "old-client")
    assert said[0] == "answered"
    assert any(s.startswith("ServerWarning ") and "deprecated" in s for s in said)


def test_the_healthy_server_warns_of_nothing(run: Run, healthy: serve.Sandbox) -> None:
    said = run(healthy, "-c", ASK).stdout.splitlines()
    assert said[0] == "answered"
    assert not [s for s in said if "Warning" in s]


def test_a_slow_server_takes_its_delay_and_still_answers(run: Run) -> None:
    said = asked(run, "modal-slow")
    assert said[0] == "answered"
    assert 0.2 <= float(said[1].split()[0]) < 1.0


@pytest.mark.parametrize("name", ["modal-unreachable", "modal-hangs"])
def test_an_absent_or_mute_server_never_answers(run: Run, name: str) -> None:
    said = asked(run, name)
    assert said[0].startswith("TimeoutError")
    assert 0.9 <= float(said[1].split()[0]) < 4.0


FAULTS = """
[server.faults.WorkspaceNameLookup]
hang = true
[server.faults.SecretList]
status = "PERMISSION_DENIED"
message = "not for you"
[server.faults.VolumeList]
status = "UNAVAILABLE"
times = 2
"""
ASK_EACH = """
import asyncio, json, modal
async def ended(awaitable):
    try:
        return str(await asyncio.wait_for(awaitable, 1.5))
    except Exception as e:
        return f"{type(e).__name__}: {e}"
async def main():
    workspace, secrets, volumes = (modal.Workspace.from_context(), modal.Secret.objects, modal.Volume.objects)
    return await asyncio.gather(
        ended(workspace.hydrate.aio()), ended(secrets.list.aio()), ended(volumes.list.aio(max_objects=0)))
print(json.dumps(asyncio.run(main())))
"""


def test_a_fault_of_one_rpc_leaves_the_others_alone_and_passes_after_its_count(run: Run, world: World) -> None:
    with serve.start(world(FAULTS)) as sandbox:
        ended = run(sandbox, "-c", ASK_EACH)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == ["TimeoutError: ", "PermissionDeniedError: not for you", "[]"]


def test_calls_the_server_lacks_are_unimplemented_and_the_rest_work(modal: Run) -> None:
    with serve.start("rpc-unimplemented") as sandbox:
        rates = modal(sandbox, "billing", "rates")
        assert rates.returncode == 1
        assert "WorkspaceBillingRates is not implemented" in rates.stdout + rates.stderr
        assert modal(sandbox, "secret", "list", "--json").returncode == 0


def test_an_rpc_that_the_sandbox_has_no_answer_for_fails_at_once_and_names_itself(
    run: Run, healthy: serve.Sandbox
) -> None:
    started = time.monotonic()
    ended = run(healthy, "-c", "import modal; list(modal.Sandbox.list())")
    assert ended.returncode == 1
    assert "is not simulated by the sandbox" in ended.stderr
    assert time.monotonic() - started < 10


def test_a_proxy_of_the_host_does_not_come_between(
    run: Run, healthy: serve.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    s3 = "import boto3; boto3.client('s3').head_bucket(Bucket='eeg-training-data'); print('S3')"
    said = run(healthy, "-c", f"{ASK}\n{s3}").stdout.splitlines()
    assert (said[0], said[-1]) == ("answered", "S3")
