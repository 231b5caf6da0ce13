"""The check and its lookup, over real sockets: an app whose downloads all lie on a server of this machine."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from checks.image import image_published
from preflight.model import Result, Severity, Status
from preflight.remote.index import api as index_api
from preflight.remote.index import lookups as index_lookups
from preflight.settings import Settings
from preflight.testing import NOON, run_checks
from tests.conftest import Preflight
from tests.remote.server import Reply, Server, serving

WHEEL = "mamba_ssm-2.2.4+cu12torch2.4cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
TORCH = "torch-2.4.1-cp311-cp311-manylinux1_x86_64.whl"
APP = """import modal
image = (
    modal.Image.from_registry("{host}/nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .pip_install("torch==2.4.1", index_url="http://{host}/whl/cu124")
    .pip_install("http://{host}/v2.2.4/{wheel}")
)
app = modal.App("x", image=image)
"""
ALL_THERE = {"/v2/": Reply(200), "/whl/": Reply(200, TORCH.encode()), "/v2.2.4/": Reply(206, b"P")}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def answers(replies: Mapping[str, Reply]) -> object:
    return lambda path, headers: next((r for start, r in replies.items() if path.startswith(start)), Reply(500))


def checked(
    folder: Path,
    server: Server | str,
    *,
    text: str = APP,
    state: Path | None = None,
    later: timedelta = timedelta(0),
    **environ: str,
) -> Result:
    host = server if isinstance(server, str) else server.host
    (folder / "app.py").write_text(text.format(host=host, wheel=WHEEL), "utf-8")
    settings = Settings(project=folder, app="app.py", environ=environ, state=state)
    return run_checks(image_published.CHECK, settings=settings, now=NOON + later).results[0]


def test_everything_there_passes_and_names_each(tmp_path: Path) -> None:
    with serving(answers(ALL_THERE)) as server:
        result = checked(tmp_path, server)
    assert result.status is Status.PASS
    assert result.reason.startswith("exists: ")
    for word in ("12.4.1-devel-ubuntu22.04", "torch 2.4.1", WHEEL):
        assert word in result.reason


@pytest.mark.parametrize(
    ("start", "line", "words"),
    [("/v2/", 3, "nvidia/cuda:12.4.1-devel"), ("/whl/", 4, "torch 2.4.1 does not exist"), ("/v2.2.4/", 5, WHEEL)],
)
def test_one_404_fails_at_the_line_that_names_it(tmp_path: Path, start: str, line: int, words: str) -> None:
    with serving(answers({**ALL_THERE, start: Reply(404)})) as server:
        result = checked(tmp_path, server)
    assert result.status is Status.FAIL
    [finding] = result.findings
    assert finding.where is not None and finding.where.line == line
    assert words in finding.message and finding.remedy


def test_what_nobody_confirms_is_a_warning_and_no_pass(tmp_path: Path) -> None:
    with serving(answers({**ALL_THERE, "/v2/": Reply(429), "/whl/": Reply(403)})) as server:
        result = checked(tmp_path, server)
    assert result.status is Status.WARN
    [finding] = result.findings
    assert finding.severity is Severity.WARNING
    assert "not confirmed" in finding.message and WHEEL not in finding.message
    assert len(finding.evidence) == 2


def test_without_a_network_everything_is_not_confirmed(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        result = checked(tmp_path, f"127.0.0.1:{taken.getsockname()[1]}")
    assert result.status is Status.WARN
    assert result.reason.startswith("not confirmed: ")


def test_hosts_that_hang_cost_the_limit_once_and_not_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_api, "EACH_S", 1.0)
    with serving(lambda path, headers: Reply(hang_s=30)) as server:
        result = checked(tmp_path, server)
    assert result.status is Status.WARN
    assert result.seconds < 4


def test_an_app_that_names_nothing_to_download_is_skipped(tmp_path: Path) -> None:
    text = "import modal\napp = modal.App('x', image=modal.Image.debian_slim().pip_install('numpy'))\n"
    assert checked(tmp_path, "unused", text=text).status is Status.SKIP


def test_addresses_with_a_placeholder_and_private_images_are_not_asked_for(tmp_path: Path) -> None:
    text = """import modal
image = modal.Image.from_registry("{host}/me/private:1", secret=modal.Secret.from_name("r"), add_python="3.11")
image = image.run_commands("pip install http://$USER@{host}/v1/{wheel}", "pip install torch==$TORCH")
app = modal.App("x", image=image)
"""
    with serving(answers(ALL_THERE)) as server:
        assert checked(tmp_path, server, text=text).status is Status.SKIP
    assert server.asked == []


@pytest.mark.parametrize("marked", ["settings", "environment"])
def test_in_the_sandbox_nothing_is_asked_and_nothing_passes(tmp_path: Path, marked: str) -> None:
    with serving(answers(ALL_THERE)) as server:
        (tmp_path / "app.py").write_text(APP.format(host=server.host, wheel=WHEEL))
        environ = {index_lookups.IN_SANDBOX: "healthy"} if marked == "environment" else {}
        sandbox = "healthy" if marked == "settings" else None
        settings = Settings(project=tmp_path, app="app.py", sandbox=sandbox, environ=environ)
        result = run_checks(image_published.CHECK, settings=settings).results[0]
    assert result.status is Status.SKIP
    assert "not confirmed, since the sandbox asks nothing outside this machine" in result.reason
    assert server.asked == []


# --- what pip would ask ---

FROM_PIP = """import modal
image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1")
app = modal.App("x", image=image)
"""


def test_torch_without_an_index_is_asked_of_the_one_that_pip_is_configured_with(tmp_path: Path) -> None:
    with serving(answers({"/simple/torch/": Reply(200, TORCH.encode())})) as server:
        result = checked(tmp_path, server, text=FROM_PIP, PIP_INDEX_URL=f"{server.url}/simple")
        assert result.status is Status.PASS
        config = tmp_path / "pip.conf"
        config.write_text(f"[global]\nindex-url = {server.url}/simple\n")
        result = checked(tmp_path, server, text=FROM_PIP, PIP_CONFIG_FILE=str(config))
        assert result.status is Status.PASS
    assert server.paths == ["/simple/torch/"] * 2


def test_torch_without_an_index_is_not_asked_for_where_pip_names_none(tmp_path: Path) -> None:
    result = checked(tmp_path, "unused", text=FROM_PIP, PIP_CONFIG_FILE="/dev/null", HOME=str(tmp_path))
    assert result.status is Status.SKIP
    assert "pip's configuration names no index to ask" in result.reason


def test_an_interpreter_without_pip_is_not_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert checked(tmp_path, "unused", text=FROM_PIP).status is Status.SKIP


# --- the cache ---


def test_answers_are_kept_for_a_day_and_a_404_for_a_quarter_of_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving(answers({**ALL_THERE, "/whl/": Reply(404), "/v2.2.4/": Reply(503)})) as server:
        checked(tmp_path, server, state=tmp_path / "state")
        assert len(server.asked) == 3
        checked(tmp_path, server, state=tmp_path / "state", later=timedelta(minutes=5))
        assert server.paths[3:] == [f"/v2.2.4/{WHEEL}"]  # only what was not confirmed
        checked(tmp_path, server, state=tmp_path / "state", later=timedelta(hours=2))
        assert {p.split("/")[1] for p in server.paths[4:]} == {"whl", "v2.2.4"}
        checked(tmp_path, server, state=tmp_path / "state", later=timedelta(hours=25))
        assert len(server.paths) == 9
    kept = (tmp_path / "cache" / "preflight" / "published.json").read_text()
    assert "127.0.0.1" not in json.dumps(list(json.loads(kept)))


@pytest.mark.parametrize(
    "content", [b"", b"[1]", b'{"x": 3}', b'{"x": {"there": "exists", "why": ""}}', b"\xff\x00", b"[" * 100_000]
)
def test_a_cache_that_can_not_be_read_is_as_good_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache" / "preflight").mkdir(parents=True)
    (tmp_path / "cache" / "preflight" / "published.json").write_bytes(content)
    with serving(answers(ALL_THERE)) as server:
        assert checked(tmp_path, server, state=tmp_path / "state").status is Status.PASS


def test_a_cache_folder_that_can_not_be_written_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with serving(answers(ALL_THERE)) as server:
        assert checked(tmp_path, server, state=tmp_path / "state").status is Status.PASS


def test_without_a_state_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving(answers(ALL_THERE)) as server:
        checked(tmp_path, server)
        checked(tmp_path, server)
    assert len(server.asked) == 6
    assert not (tmp_path / "cache").exists()


def test_the_command_says_so_and_hides_the_password_of_an_index(preflight: Preflight, tmp_path: Path) -> None:
    with serving(answers({**ALL_THERE, "/whl/": Reply(403)})) as server:
        text = APP.replace("http://{host}/whl", "http://me:s3cr3tword@{host}/whl")
        (tmp_path / "app.py").write_text(text.format(host=server.host, wheel=WHEEL))
        ran = preflight("check", "image-published", "app.py", cwd=tmp_path)
    assert ran.code == 0  # a warning
    assert "not confirmed" in ran.out and "torch 2.4.1" in ran.out
    assert "s3cr3tword" not in ran.out + ran.err
