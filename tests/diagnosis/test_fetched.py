"""`preflight diagnose --app` and `--image`: the real client against a control plane whose image does not build."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from preflight.sandbox import serve

ROOT = Path(serve.__file__).parents[2]
LONGEST_S = 60
CANARY = "canary-4f1d0c0ffee"
PRINTS = f"""
import modal

app = modal.App("prints")


@app.function()
def train():
    print("using WANDB_API_KEY={CANARY}")
    raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")


@app.function()
def fine():
    print("epoch 1 loss 0.2")


@app.local_entrypoint()
def main(name: str):
    (train if name == "train" else fine).remote()
"""
Go = Callable[..., subprocess.CompletedProcess[str]]


def go(world: serve.Sandbox, *words: str) -> subprocess.CompletedProcess[str]:
    env = world.applied(os.environ) | {"COLUMNS": "200", "TERM": "dumb", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *words], env=env, cwd=world.project, capture_output=True, text=True, timeout=LONGEST_S
    )


@pytest.fixture(scope="module")
def failing() -> Iterator[serve.Sandbox]:
    with serve.start("smoke-fails") as world:
        (world.project / "prints.py").write_text(PRINTS, encoding="utf-8")
        yield world


def diagnosed(world: serve.Sandbox, *words: str) -> subprocess.CompletedProcess[str]:
    return go(world, "-m", "preflight", "diagnose", *words)


def ran(world: serve.Sandbox, *words: str) -> str:
    done = go(world, "-m", "modal", "run", *words)
    return done.stdout + done.stderr


def test_the_log_of_a_failed_image_build_is_fetched_and_its_first_cause_named(failing: serve.Sandbox) -> None:
    image = re.findall(r"modal image logs (im-\w+)", ran(failing, "deploy/modal/app.py"))[-1]
    done = diagnosed(failing, "--image", image, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert '"rule": "network-unreachable"' in done.stdout


def test_an_apps_log_is_fetched_by_id_and_its_secrets_stay_where_they_are(failing: serve.Sandbox) -> None:
    app = re.findall(r"ap-\w+", ran(failing, "prints.py", "--name", "train"))[0]
    done = diagnosed(failing, "--app", app)
    assert done.returncode == 1
    assert "CUDA out of memory" in done.stdout
    assert CANARY not in done.stdout + done.stderr


def test_an_app_that_did_well_is_clean(failing: serve.Sandbox) -> None:
    app = re.findall(r"ap-\w+", ran(failing, "prints.py", "--name", "fine"))[0]
    done = diagnosed(failing, "--app", app)
    assert (done.returncode, done.stdout[:5]) == (0, "CLEAN")


@pytest.mark.parametrize(("kind", "name"), [("app", "ap-0nosuchappatall"), ("image", "im-0nosuchimageatall")])
def test_an_unknown_id_leaves_with_3_and_says_where_to_look(failing: serve.Sandbox, kind: str, name: str) -> None:
    done = diagnosed(failing, f"--{kind}", name)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"'{name}' not found" in done.stderr
    assert f"modal {kind} list" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("kind", "name"), [("app", "im-123"), ("image", "eeg"), ("app", "ap-../x"), ("app", "")])
def test_what_is_no_id_is_a_usage_error_before_anything_is_sent(failing: serve.Sandbox, kind: str, name: str) -> None:
    done = diagnosed(failing, f"--{kind}", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert "wanted" in done.stderr


@pytest.mark.parametrize(
    ("scenario", "message", "advice"),
    [
        ("no-token", "not signed in", "modal token new"),
        ("bad-token", "credentials refused", "modal token new"),
        ("rpc-unimplemented", "not found", "modal app list"),
    ],
)
def test_a_modal_that_does_not_tell_is_said_with_what_to_do(scenario: str, message: str, advice: str) -> None:
    with serve.start(scenario) as world:
        done = diagnosed(world, "--app", "ap-0123456789abcdef")
    assert (done.returncode, done.stdout) == (3, "")
    assert message in done.stderr
    assert advice in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("scenario", ["modal-unreachable", "modal-hangs"])
def test_a_modal_that_does_not_answer_is_waited_for_only_so_long(scenario: str) -> None:
    script = (
        "import sys, preflight.cli.diagnose as d, preflight.cli.main as m\n"
        "d.FETCH_S = 1.5\n"
        "sys.argv[1:] = ['diagnose', '--app', 'ap-0123456789abcdef']\n"
        "m.main()"
    )
    with serve.start(scenario) as world:
        done = go(world, "-c", script)
    assert (done.returncode, done.stdout) == (3, "")
    assert "there is no log to read" in done.stderr
    assert "Traceback" not in done.stderr
