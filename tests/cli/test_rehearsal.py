"""`--sandbox` with an app: the user's own app in a world that was derived from it."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from preflight.cli import main
from preflight.sandbox import confinement
from tests.conftest import Preflight

pytestmark = pytest.mark.skipif(bool(confinement.why_not()), reason="this machine can't confine")

APP = """
import os
from pathlib import Path

import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("numpy==2.1.0")
app = modal.App("training", image=image)
keys = modal.Secret.from_name("s3-keys", required_keys=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
tracker = modal.Secret.from_name("tracker")
data = modal.CloudBucketMount("recordings", key_prefix="eeg/", secret=keys, read_only=True)
results = modal.Volume.from_name("results", version=2)


@app.function(volumes={"/data": data}, timeout=600)
def prepare() -> int:
    return len(list(Path("/data").iterdir()))


@app.function(gpu="A100-80GB", timeout=3600, secrets=[tracker], volumes={"/data": data, "/results": results})
def train() -> str:
    key = os.environ["TRACKER_KEY"]
    Path("/results/last.txt").write_text("1")
    results.commit()
    Path("/etc/of-a-rehearsal").write_text("hostile")
    return key


@app.function(volumes={"/results": results}, timeout=600)
def evaluate() -> str:
    return Path("/results/last.txt").read_text()


@app.function(timeout=600)
def ask_another() -> int:
    return modal.Function.from_name("registry", "latest").remote()


@app.function(schedule=modal.Period(days=1), timeout=600)
def report() -> None:
    print("fine")


@app.local_entrypoint()
def main() -> None:
    Path("of-a-rehearsal.txt").write_text("hostile")
    print("prepared", prepare.remote(), train.remote(), evaluate.remote())
    report.remote()
"""
SETTINGS = '[tool.preflight]\nskip = ["stale-apps"]\n\n[tool.preflight.budget]\nfunction = "train"\nhours = 0.5\n'


def project_in(folder: Path, app: str = APP) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app.py").write_text(app)
    (folder / "pyproject.toml").write_text(SETTINGS if app is APP else "[tool.preflight]\n")
    return folder


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """One rehearsal for all that is asked of it."""
    top = tmp_path_factory.mktemp("rehearsal")
    project = project_in(top / "project")
    (top / "home").mkdir()
    ran = Preflight(top / "home")("run", "--sandbox", "--json", "app.py", cwd=project)
    assert ran.code == 0, ran.out + ran.err
    document: dict[str, Any] = json.loads(ran.out)
    return document, top


def result(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(r for r in document["results"] if r["name"] == name)


def test_an_unchanged_app_is_rehearsed_and_what_was_made_up_is_no_pass(
    rehearsed: tuple[dict[str, Any], Path],
) -> None:
    document, _ = rehearsed
    assert (document["verdict"], document["exit"], document["spent_usd"]) == ("rehearsed", 0, 0.0)
    assumed = {r["name"] for r in document["results"] if r["assumed"]}
    assert {"modal-auth", "image-builder", "s3-secret", "s3-bucket", "volume", "credits", "smoke-test"} <= assumed
    assert not [r["name"] for r in document["results"] if r["status"] == "pass" and r["stage"] != "static"]
    made_up = result(document, "s3-secret")["assumed"]
    for name in ("secret s3-keys", "secret tracker (TRACKER_KEY)", "bucket recordings", "volume results"):
        assert name in made_up


def test_the_users_own_settings_hold(rehearsed: tuple[dict[str, Any], Path]) -> None:
    document, _ = rehearsed
    assert "left out by --skip or the configuration" in result(document, "stale-apps")["reason"]


def test_every_body_that_the_entrypoint_calls_runs_with_what_the_app_mounts(
    rehearsed: tuple[dict[str, Any], Path],
) -> None:
    document, _ = rehearsed
    assert result(document, "smoke-test")["reason"].startswith("`modal run app.py` passed")


def test_nothing_is_written_outside_the_rehearsal_and_nothing_is_kept(rehearsed: tuple[dict[str, Any], Path]) -> None:
    _, top = rehearsed
    assert sorted(p.name for p in (top / "project").iterdir()) == ["app.py", "pyproject.toml"]
    assert not list((top / "home").iterdir())
    assert not Path("/etc/of-a-rehearsal").exists()
    assert not Path("/results").exists()


def test_a_fault_is_laid_over_the_apps_own_world(preflight: Preflight, tmp_path: Path) -> None:
    project = project_in(tmp_path / "project")
    ran = preflight(
        *("run", "--sandbox", "--scenario", "missing-secret", "--stage", "remote", "--json", "app.py"), cwd=project
    )
    document = json.loads(ran.out)
    assert (document["exit"], document["target"]["sandbox"]) == (1, "missing-secret")
    messages = " ".join(f["message"] for f in result(document, "s3-secret")["findings"])
    assert "no secret s3-keys" in messages and "no secret tracker" in messages


def test_a_missing_package_is_told_and_is_not_red(preflight: Preflight, tmp_path: Path) -> None:
    app = """
import modal
app = modal.App("gpu", image=modal.Image.debian_slim(python_version="3.11").pip_install("no_such_package_here==1.0"))

@app.function(gpu="L4", timeout=600)
def f() -> None:
    import no_such_package_here
"""
    ran = preflight("check", "smoke-test", "--sandbox", "--json", "app.py", cwd=project_in(tmp_path / "p", app))
    told = result(json.loads(ran.out), "smoke-test")
    assert told["reason"] == "not run here: needs no_such_package_here"
    assert told["assumed"] and not told["findings"]


def test_what_fails_everywhere_is_red(preflight: Preflight, tmp_path: Path) -> None:
    app = """
import modal
app = modal.App("wrong", image=modal.Image.debian_slim(python_version="3.11"))

@app.function(timeout=600)
def f() -> None:
    import helper
"""
    project = project_in(tmp_path / "p", app)
    (project / "helper.py").write_text("X = 1\n")
    ran = preflight("check", "smoke-test", "--sandbox", "--json", "app.py", cwd=project)
    assert (ran.code, result(json.loads(ran.out), "smoke-test")["status"]) == (1, "fail")


def test_the_gate_rehearses_and_runs_the_command_where_the_user_stands(preflight: Preflight, tmp_path: Path) -> None:
    project = project_in(tmp_path / "project")
    ran = preflight("gate", "--sandbox", "--stage", "static", "--", "modal", "run", "app.py", cwd=project)
    assert ran.code == 0, ran.err
    assert "prepared 1 stand-in-for-TRACKER_KEY 1" in ran.out
    assert sorted(p.name for p in project.iterdir()) == ["app.py", "pyproject.toml"]


def test_the_world_is_written_to_be_edited_and_an_edited_world_holds(preflight: Preflight, tmp_path: Path) -> None:
    project = project_in(tmp_path / "project")
    printed = preflight("sandbox", "app.py", "--print-world", cwd=project)
    world = tomllib.loads(printed.out)
    assert world["secrets"]["tracker"] == {"TRACKER_KEY": "stand-in-for-TRACKER_KEY"}
    assert world["apps"] == [{"description": "registry", "name": "registry", "functions": ["latest"]}]
    edited = tmp_path / "edited.toml"
    edited.write_text(printed.out.replace("invents = true", "invents = false").replace('volumes = ["results"]', ""))
    ran = preflight("check", "volume", "--sandbox", "--scenario", edited, "--json", "app.py", cwd=project)
    assert (ran.code, "results" in ran.out) == (1, True)


def test_every_app_of_the_project_is_rehearsed_in_one_world(preflight: Preflight, tmp_path: Path) -> None:
    project = project_in(tmp_path / "project")
    (project / "other.py").write_text(APP.replace("results", "others").replace("training", "other"))
    ran = preflight("run", "--all", "--sandbox", "--stage", "remote", "--json", cwd=project)
    document = json.loads(ran.out)
    assert (document["verdict"], document["target"]["apps"]) == ("rehearsed", ["app.py", "other.py"])
    assert "volume results" in result(document, "volume")["assumed"]
    assert "volume others" in result(document, "volume")["assumed"]


def test_estimate_prices_the_users_own_function(preflight: Preflight, tmp_path: Path) -> None:
    project = project_in(tmp_path / "project")
    ran = preflight("estimate", "--sandbox", "app.py::train", "--hours", "0.5", "--json", cwd=project)
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["app"] == "app.py"


def test_the_install_without_the_sandbox_says_how_to_get_it_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *more: None if name == "moto" else find(name, *more))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for words in (["run", "--sandbox"], ["sandbox"], ["gate", "--sandbox", "--", "true"], ["estimate", "--sandbox"]):
        monkeypatch.setattr(sys, "argv", ["preflight", *words])
        with pytest.raises(SystemExit) as ended:
            main.main()
        err = capsys.readouterr().err
        assert ended.value.code == 2
        assert "pip install 'modal-preflight[sandbox]'" in err.splitlines()[-1]
        assert "Traceback" not in err


def test_a_signal_leaves_no_process_and_no_folder(preflight: Preflight, tmp_path: Path) -> None:
    """All three at once, each in a project and with a mark of its own."""
    app = """
import modal
app = modal.App("long")

@app.function(timeout=600)
def f() -> None:
    import subprocess, sys
    subprocess.run([sys.executable, "-c", "import time; time.sleep(300)", "{}"])
"""
    command = [sys.executable, "-m", "preflight", "check", "smoke-test", "--sandbox", "app.py"]
    runs = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        folder = project_in(tmp_path / number.name, app.replace("{}", f"REHEARSAL_{number.name}_{os.getpid()}"))
        (tmp_path / f"t{number}").mkdir()
        runs[number] = subprocess.Popen(
            command,
            cwd=folder,
            env=preflight.environ(TMPDIR=str(tmp_path / f"t{number}")),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    for number, run in runs.items():
        word, temporary = f"REHEARSAL_{number.name}_{os.getpid()}", tmp_path / f"t{number}"
        assert _within(150, functools.partial(_living, word)), number
        run.send_signal(number)
    for number, run in runs.items():
        word, temporary = f"REHEARSAL_{number.name}_{os.getpid()}", tmp_path / f"t{number}"
        run.wait(30)
        assert _within(15, lambda w=word, t=temporary: not _living(w) and not _living(str(t))), number
        assert _within(15, lambda t=temporary: not list(t.iterdir())), number


def _living(word: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if word in text and "pytest" not in text:
            found.append(text)
    return found


def _within(seconds: float, is_so: Any) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.1)
    return bool(is_so())


def test_a_folder_of_several_apps_shows_the_example_and_says_so(preflight: Preflight, tmp_path: Path) -> None:
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text("import modal\n\napp = modal.App('x')\n", encoding="utf-8")
    ran = preflight("run", "--sandbox", "--stage", "static", cwd=tmp_path)
    assert (ran.code, "deploy/modal/app.py" in ran.out) == (0, True), ran.err
    assert "this is the bundled example, since 2 files here hold a Modal app" in ran.err
