"""`preflight diagnose --app` and `--image`: the real client against a control plane whose image does not build."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import click
import pytest

from preflight.cli.diagnose import diagnose_command
from preflight.sandbox import serve
from tests.conftest import Ran, python
from tests.forked import REPOSITORY

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


def go(world: serve.Sandbox, *words: str, **changed: str) -> Ran:
    env = world.applied(os.environ) | {"COLUMNS": "200", "TERM": "dumb", "PYTHONPATH": str(REPOSITORY)} | changed
    done = python([*words], cwd=world.project, env=env, limit_s=LONGEST_S)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(scope="module")
def failing() -> Iterator[serve.Sandbox]:
    with serve.start("smoke-fails") as world:
        (world.project / "prints.py").write_text(PRINTS, encoding="utf-8")
        yield world


def diagnosed(world: serve.Sandbox, *words: str) -> Ran:
    return go(world, "-m", "preflight", "diagnose", *words)


def ran(world: serve.Sandbox, *words: str) -> str:
    done = go(world, "-m", "modal", "run", *words)
    return done.out + done.err


def test_the_log_of_a_failed_image_build_is_fetched_and_its_first_cause_named(failing: serve.Sandbox) -> None:
    image = re.findall(r"modal image logs (im-\w+)", ran(failing, "deploy/modal/app.py"))[-1]
    done = diagnosed(failing, "--image", image, "--json")
    assert (done.code, done.err) == (1, "")
    assert '"rule": "network-unreachable"' in done.out


def test_an_apps_log_is_fetched_by_id_and_its_secrets_stay_where_they_are(failing: serve.Sandbox) -> None:
    app = re.findall(r"ap-\w+", ran(failing, "prints.py", "--name", "train"))[0]
    done = diagnosed(failing, "--app", app)
    assert done.code == 1
    assert "CUDA out of memory" in done.out
    assert CANARY not in done.out + done.err


def test_an_app_that_did_well_is_clean(failing: serve.Sandbox) -> None:
    app = re.findall(r"ap-\w+", ran(failing, "prints.py", "--name", "fine"))[0]
    done = diagnosed(failing, "--app", app)
    assert (done.code, done.out[:5]) == (0, "CLEAN")


@pytest.mark.parametrize(("kind", "name"), [("app", "ap-0nosuchappatall"), ("image", "im-0nosuchimageatall")])
def test_an_unknown_id_leaves_with_3_and_says_where_to_look(failing: serve.Sandbox, kind: str, name: str) -> None:
    done = diagnosed(failing, f"--{kind}", name)
    assert (done.code, done.out) == (3, "")
    assert f"'{name}' not found" in done.err
    assert f"modal {kind} list" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(("kind", "name"), [("app", "im-123"), ("image", "eeg"), ("app", "ap-../x"), ("app", "")])
def test_what_is_no_id_is_a_usage_error_before_anything_is_sent(kind: str, name: str) -> None:
    with pytest.raises(click.UsageError, match="wanted"):
        diagnose_command.main([f"--{kind}", name], standalone_mode=False)


ASK = ("-m", "preflight", "diagnose", "--app", "ap-0123456789abcdef")
ASK_BRIEFLY = (
    "-c",
    "import sys, preflight.cli.diagnose as d, preflight.cli.main as m\n"
    "d.FETCH_S = 1.5\n"
    f"sys.argv[1:] = {ASK[2:]!r}\n"
    "m.main()",
)


def tells_nothing(done: Ran, message: str) -> None:
    assert (done.code, done.out) == (3, "")
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"MODAL_TOKEN_ID": "", "MODAL_TOKEN_SECRET": ""}, "not signed in"),
        ({"MODAL_TOKEN_SECRET": "as-another"}, "credentials refused"),
    ],
)
def test_who_is_not_signed_in_is_told_how_to(failing: serve.Sandbox, changed: dict[str, str], message: str) -> None:
    done = go(failing, *ASK, **changed)
    tells_nothing(done, message)
    assert "modal token new" in done.err


def test_a_modal_that_keeps_no_logs_is_said_with_where_to_look() -> None:
    with serve.start("rpc-unimplemented") as world:
        done = go(world, *ASK)
    tells_nothing(done, "not found")
    assert "modal app list" in done.err


def test_a_modal_that_can_not_be_reached_is_waited_for_only_so_long(failing: serve.Sandbox) -> None:
    tells_nothing(go(failing, *ASK_BRIEFLY, MODAL_SERVER_URL="http://127.0.0.1:9"), "there is no log to read")


def test_a_modal_that_does_not_answer_is_waited_for_only_so_long() -> None:
    with serve.start("modal-hangs") as world:
        tells_nothing(go(world, *ASK_BRIEFLY), "there is no log to read")
