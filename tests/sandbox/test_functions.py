"""Function bodies really run, in local processes, and a call ends for the client as it would on Modal."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from preflight.probe.local import PAYLOAD
from preflight.sandbox import serve
from tests.conftest import python
from tests.forked import REPOSITORY

World = Callable[[str], Path]
Run = Callable[..., subprocess.CompletedProcess[str]]
EVERY_CALL = Path(__file__).parent / "scripts" / "every_call.py"


@pytest.fixture(scope="module")
def answers(healthy: serve.Sandbox) -> dict[str, object]:
    environ = healthy.applied(os.environ) | {"AWS_ACCESS_KEY_ID": "AKIAOFTHEHOST", "PYTHONPATH": str(REPOSITORY)}
    ended = python([str(EVERY_CALL)], env=environ, cwd=healthy.project, limit_s=180)
    assert ended.returncode == 0, ended.stderr
    answered: dict[str, object] = json.loads(ended.stdout)
    return answered


def test_a_function_sees_its_image_env_and_secret_but_nothing_of_the_host(answers: dict[str, object]) -> None:
    assert answers["seen"] == {
        "FROM_IMAGE": "it's quoted",
        "FROM_SECRET": "abc",
        "PREFLIGHT_SANDBOX": "1",
        "AWS_ACCESS_KEY_ID": None,
        "MODAL_TOKEN_ID": None,
    }


@pytest.mark.parametrize(
    ("call", "answer"),
    [("map", [0, 2, 4, 6, 8]), ("generator", [0, 1, 2]), ("spawn", 14), ("retries", 3), ("method", 15)],
)
def test_every_kind_of_call_returns_what_the_body_returned(
    answers: dict[str, object], call: str, answer: object
) -> None:
    assert answers[call] == answer


def test_arguments_and_results_too_big_for_a_message_go_through_the_blob_store(
    answers: dict[str, object],
) -> None:
    assert answers["big"] == 6_000_000


def test_the_users_own_exception_comes_back_as_its_own_type(answers: dict[str, object]) -> None:
    assert answers["raises"] == "ValueError: the user's own error"


def test_a_segfault_is_a_dead_container_and_not_an_answer(answers: dict[str, object]) -> None:
    assert answers["segfault"] == ("InternalFailure: Container exited with code -11 before returning a result")


def test_a_body_longer_than_its_timeout_is_stopped_with_the_timeout_named(answers: dict[str, object]) -> None:
    assert str(answers["timeout"]).startswith("FunctionTimeoutError: ")
    assert "timeout of 1s" in str(answers["timeout"])


def test_a_get_with_a_timeout_gives_up_without_ending_the_call(answers: dict[str, object]) -> None:
    assert answers["get_timeout"] == "TimeoutError: "


def test_a_cancelled_call_does_not_return(answers: dict[str, object]) -> None:
    assert answers["cancel"] == "RemoteError: Input was cancelled by user"


def test_an_import_error_in_the_container_reaches_the_caller(healthy: serve.Sandbox, run: Run, tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(
        textwrap.dedent("""
            import modal

            if not modal.is_local():
                import a_package_that_nobody_has
            app = modal.App("x")

            @app.function(image=modal.Image.debian_slim())
            def f():
                return 1
        """)
    )
    ended = run(healthy, "-m", "modal", "run", f"{script}::f")
    assert ended.returncode == 1
    assert "No module named 'a_package_that_nobody_has'" in ended.stdout + ended.stderr


def test_the_example_smoke_run_trains_an_epoch_and_its_lines_reach_the_terminal(
    healthy: serve.Sandbox, modal: Run
) -> None:
    started = time.monotonic()
    ended = modal(healthy, "run", "deploy/modal/app.py", "--action", "smoke")
    assert ended.returncode == 0, ended.stderr
    assert "epoch 1/1 loss " in ended.stdout
    assert "torch is not installed here" in ended.stdout or " on c" in ended.stdout
    assert time.monotonic() - started < 20


REFUSED = """
import modal
for resources in ({"gpu": "A100-80"}, {"timeout": 108000}):
    app = modal.App("x")
    app.function(image=modal.Image.debian_slim(), serialized=True, **resources)(lambda: 1)
    try:
        with app.run():
            print("it ran")
    except modal.exception.InvalidError as e:
        print(e)
"""


def test_a_gpu_and_a_timeout_that_modal_does_not_have_are_refused_when_the_function_is_made(
    healthy: serve.Sandbox, run: Run
) -> None:
    said = run(healthy, "-c", REFUSED).stdout.splitlines()
    assert said == ["Unknown GPU type: A100-80", "Timeout must be between 1s and 86400s"]


def test_a_stand_in_package_beside_the_scenario_is_importable_in_a_container(
    run: Run, world: World, tmp_path: Path
) -> None:
    (tmp_path / "stand_ins" / "torch").mkdir(parents=True)
    (tmp_path / "stand_ins" / "torch" / "__init__.py").write_text("__version__ = '0.0+stand.in'")
    (tmp_path / "app.py").write_text(
        "import modal\napp = modal.App('x')\n\n@app.function(image=modal.Image.debian_slim())\n"
        "def f():\n    import os, torch\n    print(torch.__version__, os.environ['SIMULATED_GPU'])\n"
    )
    scenario = world("[container]\npythonpath = ['stand_ins']\nenv = {SIMULATED_GPU = 'sm_80'}")
    with serve.start(scenario) as sandbox:
        ended = run(sandbox, "-m", "modal", "run", f"{tmp_path / 'app.py'}::f")
    assert "0.0+stand.in sm_80" in ended.stdout
    assert ended.returncode == 0, ended.stderr


PROBE_AND_USER = """
import json
import modal

app = modal.App("x")
image = modal.Image.debian_slim()
if modal.is_local():  # the container of users() has no preflight
    from preflight.probe import payload
    from preflight.probe.request import Request
    probe = app.function(image=image)(payload.run)

@app.function(image=image)
def users():
    import importlib.util
    found = [importlib.util.find_spec(n) for n in ("torch", "mamba_ssm", "causal_conv1d")]
    return [s is not None and "standin" in s.origin for s in found]

if __name__ == "__main__":
    with app.run():
        reading = probe.remote({**Request(dtypes=("float32",)).as_json(), "device": "cpu"})
        files = reading["packages"]["value"]["files"]
        print(json.dumps([reading["simulated"], sorted(files), users.remote()]))
"""


def test_the_probe_meets_the_stand_ins_of_the_simulated_gpu_and_the_users_functions_do_not(
    run: Run, world: World, tmp_path: Path
) -> None:
    (tmp_path / "both.py").write_text(PROBE_AND_USER)
    with serve.start(world(f"[gpu]\nstand-ins = ['{PAYLOAD.with_name('standin') / 'base'}']")) as sandbox:
        ended = run(sandbox, str(tmp_path / "both.py"))
    assert ended.returncode == 0, ended.stderr
    without_conv1d = ["mamba_ssm", "selective_scan_cuda", "torch"]
    assert json.loads(ended.stdout) == [True, without_conv1d, [False, False, False]]
