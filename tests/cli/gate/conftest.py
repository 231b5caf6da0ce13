"""A project with a pass of the gate, made once by the real commands; each test gets it as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from preflight.cli.gate import command
from preflight.cli.main import cli
from preflight.sandbox import serve
from preflight.state import machine_key
from preflight.state.receipt import Receipt, Receipts
from tests.conftest import HIDDEN, REPOSITORY, Ran

LONGEST_S = 120
APP = "deploy/modal/app.py"
SKIP = ("--skip", "smoke-test,gpu-probe")  # paid checks have tests of their own, and take half a minute
MORE_FILES = {
    "project/uv.lock": "version = 1\n",
    "project/requirements.txt": "einops==0.8.1\n",
    "project/configs/train.yaml": "lr: 0.001\n",
    "project/configs/other.yaml": "lr: 0.002\n",
    "project/configs/splits.csv": "a,b\n",
    "project/.env": "WANDB_MODE=offline\n",
    "project/VERSION": "1\n",
    "project/build/lib.py": "N = 1\n",
    "project/.hidden/rates.dat": "1\n",
    "project/train.sh": "#!/bin/sh\n",
    "project/other_app.py": "import modal\n\napp = modal.App('other')\n",
    "shared/extra/weights.bin": "0123\n",
    "shared/extra/deep/er/notes": "x\n",
}
ADDED = """
import os
GPU = os.environ.get("TRAIN_GPU", "A100-80GB")
extra = image.add_local_dir(str(PROJECT.parent / "shared" / "extra"), "/root/extra")
"""


@dataclass
class World:
    """``top`` holds the project, what stands beside it, and the state folder."""

    top: Path
    sandbox: serve.Sandbox

    @property
    def project(self) -> Path:
        return self.top / "project"

    @property
    def ran(self) -> Path:
        """There when the command has run."""
        return self.top / "ran"

    @property
    def receipts(self) -> Receipts:
        return Receipts(self.top / "state" / "preflight", self.project, APP)

    def environ(self, **more: str) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith((*HIDDEN, "PYTEST_"))}
        ours = {"HOME": str(self.top), "XDG_STATE_HOME": str(self.top / "state"), "PYTHONPATH": str(REPOSITORY)}
        beside = str(Path(sys.executable).parent)
        path = os.pathsep.join([beside, os.environ.get("PATH", os.defpath)])
        return {**self.sandbox.applied(clean), **ours, "PATH": path, **more}

    def preflight(self, *words: str, env: dict[str, str] | None = None, stdin: str = "") -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "preflight", *words],
            cwd=self.project,
            env=self.environ(**(env or {})),
            input=stdin.encode(),
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def decided(self, *words: str, env: dict[str, str] | None = None) -> Ran:
        """The same command line in this process, which does not become the command: `ran` is there where it would."""

        def become(program: str, words: Sequence[str], environ: Mapping[str, str], **more: object) -> None:
            self.ran.touch()
            raise SystemExit(0)

        environ = self.environ(**(env or {}))
        with pytest.MonkeyPatch.context() as patch:
            for name in [*os.environ]:
                patch.delenv(name)
            for name, value in environ.items():
                patch.setenv(name, value)
            patch.chdir(self.project)
            patch.setattr(command, "become", become)
            done = CliRunner().invoke(cli, words, standalone_mode=False)
        if isinstance(done.exception, click.ClickException):
            return Ran(2, done.stdout, done.stderr + done.exception.format_message())
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return Ran(done.exit_code if done.return_value is None else done.return_value, done.stdout, done.stderr)

    def held(self, *options: str, env: dict[str, str] | None = None) -> Ran:
        """The gate as it decides on this machine, asked in this process."""
        return self.decided("gate", *SKIP, *options, "--", "touch", str(self.ran), env=env)

    def gate(self, *options: str, command: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Ran:
        return self.preflight("gate", *SKIP, *options, "--", *(command or ("touch", str(self.ran))), env=env)

    def modal(self, *words: str) -> None:
        """The real CLI, for what somebody else does in the workspace."""
        subprocess.run(
            [sys.executable, "-m", "modal", *words],
            env=self.environ(),
            cwd=self.project,
            check=True,
            capture_output=True,
            timeout=LONGEST_S,
        )

    def resealed(self, change: Callable[[Receipt], Receipt], *, seen: datetime | None = None) -> None:
        """As if the pass had been made in another world: its receipt, rightly sealed, with another content."""
        held = self.receipts.read(datetime.now(UTC))
        assert held is not None
        self.receipts.keep(change(held), seen or datetime.now(UTC))

    def with_local(self, name: str, value: str) -> None:
        self.resealed(lambda r: replace(r, local={**r.local, name: value}))

    def with_cloud(self, name: str, value: str) -> None:
        self.resealed(lambda r: replace(r, cloud={**r.cloud, name: value}))

    @property
    def key(self) -> Path:
        return machine_key.path_of(self.top / "state" / "preflight")


@contextlib.contextmanager
def made(top: Path) -> Iterator[World]:
    """The pass, made by the real command."""
    with serve.start("healthy") as sandbox:
        shutil.copytree(sandbox.project, top / "project")
        for name, text in MORE_FILES.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(text, encoding="utf-8")
        (top / "project/train.sh").chmod(0o755)
        (top / "project/configs/current").symlink_to("train.yaml")
        with (top / "project" / APP).open("a", encoding="utf-8") as file:
            file.write(ADDED)
        world = World(top, sandbox)
        ran = world.gate()
        assert (ran.code, world.ran.exists()) == (0, True), ran.err
        world.ran.unlink()
        yield world


@pytest.fixture(scope="session")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made once; beside it, how everything stood then."""
    with made(tmp_path_factory.mktemp("gate") / "world") as world:
        shutil.copytree(world.top, world.top.with_name("as it was"), symlinks=True)
        yield world


@pytest.fixture
def world_of_its_own(tmp_path: Path) -> Iterator[World]:
    """For a test that changes what Modal holds, which the others would see."""
    with made(tmp_path / "world") as world:
        yield world


@pytest.fixture
def world(passed: World) -> World:
    shutil.rmtree(passed.top)
    shutil.copytree(passed.top.with_name("as it was"), passed.top, symlinks=True)
    return passed
