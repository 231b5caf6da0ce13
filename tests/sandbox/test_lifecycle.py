"""A sandbox leaves nothing behind, however it ends: no process, no folder, no socket."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from preflight.sandbox import serve
from tests.sandbox.conftest import without_s3

Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

LONG_RUN = """
import modal
app = modal.App("long")

@app.function(image=modal.Image.debian_slim())
def f():
    import subprocess, sys, time
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    print("running", flush=True)
    time.sleep(300)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of its own, with a path short enough for unix sockets."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Every process started from here carries the mark in its environment, so orphans can be found by it."""
    mark = f"SANDBOX_TEST_MARK_{os.getpid()}_{time.monotonic_ns()}"
    monkeypatch.setenv(mark, "1")
    world = tmp_path / "world.toml"
    world.write_text(f'title = "a mark"\nwrong = "nothing"\nstorage.buckets = []\ncontainer.env = {{{mark} = "1"}}\n')
    monkeypatch.setenv("WORLD", str(world))
    yield mark
    for pid in processes(mark):
        os.kill(pid, signal.SIGKILL)


def processes(mark: str) -> set[int]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{mark}=1".encode() in path.read_bytes():
                found.add(int(path.parent.name))
        except OSError:
            continue  # ended meanwhile, or not ours
    return found - {os.getpid()}


def gone_within(mark: str, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not processes(mark):
            return True
        time.sleep(0.05)
    return False


def folders() -> set[str]:
    return {p.name for p in Path(tempfile.gettempdir()).iterdir()}


def holder(tmp_path: Path, body: str) -> subprocess.Popen[str]:
    """A process that holds a sandbox and has said ``up`` once ``body`` got there."""
    script = tmp_path / "holder.py"
    script.write_text(body)
    (tmp_path / "long.py").write_text(LONG_RUN)
    environ = os.environ | {"PYTHONPATH": str(Path(serve.__file__).parents[2])}
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environ)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "up"
    return process


HOLD = textwrap.dedent("""
    import os, subprocess, sys, time
    from pathlib import Path
    from preflight.sandbox import serve
    with serve.start(os.environ["WORLD"]) as s:
        command = [sys.executable, "-m", "modal", "run", str(Path(__file__).parent / "long.py")]
        run = subprocess.Popen(command, env=s.applied(os.environ), stdout=subprocess.PIPE, text=True)
        for line in run.stdout:
            if "running" in line:
                break
        print("up", flush=True)
        time.sleep(60)
""")


def test_leaving_the_with_block_ends_the_child_and_removes_its_folder(marked: str) -> None:
    before = folders()
    with serve.start(os.environ["WORLD"]) as sandbox:
        assert sandbox.pid in processes(marked)
        assert folders() - before == {sandbox.folder.name}
    assert not processes(marked)
    assert folders() == before


def test_a_parent_killed_with_9_leaves_no_process_and_no_folder(marked: str, tmp_path: Path) -> None:
    before = folders()
    process = holder(tmp_path, HOLD)
    assert len(processes(marked)) >= 5  # holder, child, CLI, container, what the function started
    process.kill()
    process.wait(5)
    for pid in processes(marked):  # the CLI is the holder's child and not the sandbox's
        with contextlib.suppress(OSError):
            if b"long.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
    assert gone_within(marked, 10)
    assert folders() == before


def test_a_child_killed_with_9_leaves_no_container_once_the_parent_is_out(
    marked: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "long.py").write_text(LONG_RUN)
    before = folders()
    with serve.start(os.environ["WORLD"]) as sandbox:
        command = [sys.executable, "-m", "modal", "run", str(tmp_path / "long.py")]
        cli = subprocess.Popen(command, env=sandbox.applied(os.environ), stdout=subprocess.PIPE, text=True)
        assert cli.stdout is not None
        assert any("running" in line for line in cli.stdout)
        os.kill(sandbox.pid, signal.SIGKILL)
        cli.kill()
        cli.wait(5)
        cli.stdout.close()
    assert gone_within(marked, 3)
    assert folders() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_served_sandbox_ends_on_a_signal_with_130_and_leaves_nothing(
    marked: str, tmp_path: Path, number: int
) -> None:
    before = folders()
    script = tmp_path / "foreground.py"
    script.write_text(
        "import sys\nfrom preflight.sandbox import serve\n"
        "import os; sys.exit(serve.serve_forever(os.environ['WORLD'], lambda line: print(line, flush=True)))"
    )
    environ = os.environ | {"PYTHONPATH": str(Path(serve.__file__).parents[2])}
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environ)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith("cd "):
            break
    assert lines[0].startswith("unset ")
    assert "MODAL_PROFILE" in lines[0]
    assert any(s.startswith("export MODAL_SERVER_URL=http://127.0.0.1:") for s in lines)
    process.send_signal(number)
    assert process.wait(10) == 130
    process.stdout.close()
    assert gone_within(marked, 3)
    assert folders() == before


def test_a_client_interrupted_with_ctrl_c_takes_its_container_with_it(
    marked: str, healthy: serve.Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "long.py").write_text(LONG_RUN)
    command = [sys.executable, "-m", "modal", "run", str(tmp_path / "long.py")]
    cli = subprocess.Popen(
        command, env=healthy.applied(os.environ), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert cli.stdout is not None
    assert any("running" in line for line in cli.stdout)
    pids = [int(p.read_text()) for p in (healthy.folder / "containers").glob("*/pid")]
    assert pids
    cli.send_signal(signal.SIGINT)
    cli.wait(10)
    cli.stdout.close()
    end = time.monotonic() + 6
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_the_child_listens_on_the_loopback_address_only(healthy: serve.Sandbox) -> None:
    inodes = {
        str(f.readlink())[8:-1]
        for f in Path(f"/proc/{healthy.pid}/fd").iterdir()
        if str(f.readlink()).startswith("socket:")
    }
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{healthy.pid}/net/{table}").read_text().splitlines()[1:]
    ]
    listening = [r[1].split(":")[0] for r in rows if r[3] == "0A" and r[9] in inodes]
    assert len(listening) >= 3  # the control plane, its blobs, S3
    assert set(listening) == {"0100007F"}


def test_the_folder_given_by_the_caller_is_kept(tmp_path: Path) -> None:
    with serve.start(without_s3("healthy"), state_dir=tmp_path / "kept") as sandbox:
        assert sandbox.folder == tmp_path / "kept"
    assert (tmp_path / "kept" / "project" / "pyproject.toml").is_file()


def test_a_folder_too_deep_for_a_unix_socket_still_runs_functions(modal: Run, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with serve.start("healthy", state_dir=deep) as sandbox:
        assert not sandbox.sockets.is_relative_to(deep)
        ended = modal(sandbox, "run", "-q", "deploy/modal/app.py", "--action", "smoke")
        assert ended.returncode == 0, ended.stderr
    assert not sandbox.sockets.exists()


def test_a_child_that_can_not_start_is_an_error_with_its_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "moto").mkdir()
    (tmp_path / "moto" / "__init__.py").write_text("raise ImportError('moto is not here')")
    root = Path(serve.__file__).parents[2]
    monkeypatch.setattr(serve, "_child_environ", lambda: {**os.environ, "PYTHONPATH": f"{tmp_path}:{root}"})
    before = folders()
    with pytest.raises(serve.SandboxFailed, match="moto is not here"), serve.start("healthy"):
        pytest.fail("it started")
    assert folders() == before


def test_importing_the_starter_imports_no_sdk() -> None:
    code = (
        "import sys, preflight.sandbox.serve; "
        "print([m for m in ('moto', 'modal', 'grpclib', 'boto3', 'aiohttp') if m in sys.modules])"
    )
    environ = os.environ | {"PYTHONPATH": str(Path(serve.__file__).parents[2])}
    said = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=20)
    assert said.stdout.strip() == "[]"
