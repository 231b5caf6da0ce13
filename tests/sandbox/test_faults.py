"""Servers that warn, lag, lack calls, hang or are not there."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf.message_factory import GetMessageClass
from grpclib import GRPCError, Status
from grpclib.client import Channel, UnaryStreamMethod, UnaryUnaryMethod
from grpclib.server import Server

from preflight.sandbox import serve, worlds
from preflight.sandbox.control_plane.plane import Plane
from preflight.sandbox.control_plane.service import API, Service, method_name
from tests.sandbox.conftest import without_s3

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


def asked(run: Run, scenario: str) -> list[str]:
    with serve.start(without_s3(scenario)) as sandbox:
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
    assert 0.2 <= float(said[1].split()[0]) < 2.0  # `wait_for` holds the answer below 1 s; the rest is the start


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
    with serve.start(without_s3("rpc-unimplemented")) as sandbox:
        rates = modal(sandbox, "billing", "rates")
        assert rates.returncode == 1
        assert "WorkspaceBillingRates is not implemented" in rates.stdout + rates.stderr
        assert modal(sandbox, "secret", "list", "--json").returncode == 0


ASK_WHAT_IS_NOT_THERE = """
import modal
from modal.client import Client
from modal_proto import api_pb2 as pb
def rollback():
    from modal._utils.async_utils import synchronize_api
    async def ask(client):
        await client.stub.AppRollback(pb.AppRollbackRequest(app_id="ap-1"))
    return synchronize_api(ask)(Client.from_env())
for ask in (lambda: list(modal.Sandbox.list()), rollback):
    try:
        print("no error but", ask())
    except modal.exception.Error as e:
        print(f"{type(e).__name__}: {e}")
"""


def test_an_rpc_that_the_sandbox_has_no_answer_for_fails_at_once_and_names_itself(
    run: Run, healthy: serve.Sandbox
) -> None:
    started = time.monotonic()
    ended = run(healthy, "-c", ASK_WHAT_IS_NOT_THERE)
    assert ended.returncode == 0, ended.stderr
    for said, words in zip(ended.stdout.splitlines(), ("modal.Sandbox", "`modal app rollback`"), strict=True):
        assert said.startswith(f"UnimplementedError: the sandbox does not simulate {words} (")
    assert time.monotonic() - started < 30  # not asked again and again


def test_every_rpc_of_the_installed_client_is_answered_or_refused_in_one_line() -> None:
    asked = asyncio.run(refusals_of_every_rpc())
    assert len(asked) > 100
    for rpc, error in asked:
        assert error.status is Status.UNIMPLEMENTED
        assert str(error.message).startswith("the sandbox does not simulate ") and rpc in str(error.message)


async def refusals_of_every_rpc() -> list[tuple[str, GRPCError]]:
    """By the RPCs that nothing answers, each asked over a real connection."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as name:
        folder = Path(name)
        plane = Plane(worlds.load("healthy"), folder, folder)
        service = Service(plane)
        server = Server([service])
        await server.start(path=str(folder / "plane"))
        channel = Channel(path=str(folder / "plane"))
        found = []
        for method in API.methods:
            request, response = (GetMessageClass(d) for d in (method.input_type, method.output_type))
            if method_name(method.name) in service.answers:
                continue
            path = f"/{API.full_name}/{method.name}"
            call = UnaryStreamMethod if method.server_streaming else UnaryUnaryMethod
            with pytest.raises(GRPCError) as refused:
                await asyncio.wait_for(call(channel, path, request, response)(request()), 5)
            found.append((method.name, refused.value))
        channel.close()
        server.close()
    return found


def test_a_tunnel_from_a_body_is_refused_by_name(modal: Run, healthy: serve.Sandbox, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import modal\napp = modal.App('x')\n\n@app.function(image=modal.Image.debian_slim())\n"
        "def f():\n    with modal.forward(8000):\n        pass\n"
    )
    ended = modal(healthy, "run", f"{tmp_path / 'app.py'}::f")
    assert ended.returncode == 1
    assert "the sandbox does not simulate modal.forward (TunnelStart)" in ended.stdout + ended.stderr


def test_a_proxy_of_the_host_does_not_come_between(
    run: Run, healthy: serve.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    s3 = "import boto3; boto3.client('s3').head_bucket(Bucket='eeg-training-data'); print('S3')"
    said = run(healthy, "-c", f"{ASK}\n{s3}").stdout.splitlines()
    assert (said[0], said[-1]) == ("answered", "S3")
