"""Each way in which the world can differ from the pass: refused with 5, named, and the command not run."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from preflight.state.receipt import Receipt
from tests.cli.gate.conftest import APP, World

DAY = timedelta(days=1)
Change = Callable[[World], dict[str, str] | None]  # what changes; extra environment of the gate, if any


def edit(name: str, old: str, new: str) -> Change:
    def change(world: World) -> None:
        file = world.top / name
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def write(name: str, text: str) -> Change:
    def change(world: World) -> None:
        (world.top / name).write_text(text, encoding="utf-8")

    return change


def remove(name: str) -> Change:
    return lambda world: (world.top / name).unlink()


def rename(name: str, to: str) -> Change:
    def change(world: World) -> None:
        (world.top / name).rename(world.top / to)

    return change


def link(name: str, to: str) -> Change:
    def change(world: World) -> None:
        (world.top / name).unlink()
        (world.top / name).symlink_to(to)

    return change


def mode(name: str, bits: int) -> Change:
    return lambda world: (world.top / name).chmod(bits)


def environ(name: str, value: str) -> Change:
    return lambda world: {name: value}


def then(fact: str, value: str) -> Change:
    """The pass was made when the fact was another."""
    return lambda world: world.with_local(fact, value)


def in_cloud(fact: str, value: str) -> Change:
    return lambda world: world.with_cloud(fact, value)


def aged(by: timedelta) -> Change:
    def older(receipt: Receipt) -> Receipt:
        entries = tuple(replace(e, at=e.at - by) for e in receipt.entries)
        return replace(receipt, at=receipt.at - by, entries=entries)

    return lambda world: world.resealed(older)


def seen_later(by: timedelta) -> Change:
    return lambda world: world.resealed(lambda r: r, seen=datetime.now(UTC) + by)


def made_later(by: timedelta) -> Change:
    return lambda world: world.resealed(lambda r: replace(r, at=r.at + by))


def touched_after_rewrite(world: World) -> None:
    """One byte, with the size and the time of change as they were."""
    file = world.project / "src/seizure/train.py"
    before = file.stat()
    content = file.read_bytes()
    file.write_bytes(content.replace(b"0.1", b"0.2", 1))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def profile(world: World) -> dict[str, str]:
    file = world.top / "modal.toml"
    file.write_text('[other]\ntoken_id = "ak-x"\nactive = true\n', encoding="utf-8")
    return {"MODAL_CONFIG_PATH": str(file)}


def other_modal(world: World) -> dict[str, str]:
    file = world.top / "bin" / "modal"
    file.parent.mkdir()
    file.write_text("#!/bin/sh\n", encoding="utf-8")
    file.chmod(0o755)
    return {"PATH": f"{file.parent}:{world.environ()['PATH']}"}


def new_settings(old: str, new: str) -> Change:
    return edit("project/pyproject.toml", old, new)


DRIFTS: dict[str, tuple[Change, str]] = {  # name → what changes, what the refusal says
    # files of the project
    "one byte of the app": (edit(f"project/{APP}", "epochs: int = 100", "epochs: int = 101"), f"{APP}  "),
    "one byte of an imported module": (edit("project/src/seizure/model.py", "256", "255"), "src/seizure/model.py"),
    "one byte with size and time put back": (touched_after_rewrite, "src/seizure/train.py"),
    "another GPU in the app": (edit(f"project/{APP}", 'gpu="A100-80GB"', 'gpu="H100"'), APP),
    "one byte of a lock file": (write("project/uv.lock", "version = 2\n"), "uv.lock"),
    "one byte of the requirements": (write("project/requirements.txt", "einops==0.8.0\n"), "requirements.txt"),
    "one byte of a data file": (write("project/configs/splits.csv", "a,c\n"), "configs/splits.csv"),
    "one byte of .env": (write("project/.env", "WANDB_MODE=online\n"), ".env"),
    "one byte of a file without suffix": (write("project/VERSION", "2\n"), "VERSION"),
    "one byte below build/": (write("project/build/lib.py", "N = 2\n"), "build/lib.py"),
    "one byte in a hidden folder": (write("project/.hidden/rates.dat", "2\n"), ".hidden/rates.dat"),
    "a file added": (write("project/src/seizure/new.py", ""), "src/seizure/new.py  is new"),
    "a file removed": (remove("project/configs/other.yaml"), "configs/other.yaml  is gone"),
    "a file renamed": (rename("project/VERSION", "project/VERSION2"), "VERSION  is now VERSION2"),
    "a file in the place of its link": (lambda w: write("x", "")(w) or link("project/VERSION", "../x")(w), "VERSION"),
    "a link to another file": (link("project/configs/current", "other.yaml"), "leads to other.yaml, no longer"),
    "a link whose file changed": (write("project/configs/train.yaml", "lr: 1\n"), "configs/current"),
    "a file made executable": (mode("project/VERSION", 0o755), "VERSION  mode 644 → 755"),
    "a file no longer executable": (mode("project/train.sh", 0o644), "train.sh  mode 755 → 644"),
    # what the app adds from outside the project
    "one byte of a folder the app adds": (write("shared/extra/weights.bin", "0124\n"), "weights.bin  changed"),
    "a file deep in a folder the app adds": (write("shared/extra/deep/er/more", ""), "deep/er/more  is new"),
    # settings, variables, versions
    "a setting": (new_settings("hours = 25", "hours = 24"), "setting budget.hours  25 → 24"),
    "a new setting": (new_settings("[tool.preflight]", '[tool.preflight]\nvolumes = ["x"]'), "setting volumes"),
    "a setting of the probe's GPU": (
        new_settings("[tool.preflight.probe]", '[tool.preflight.probe]\ngpus = ["H100"]'),
        "setting probe.gpus",
    ),
    "a builder set by variable": (environ("MODAL_IMAGE_BUILDER_VERSION", "2026.10"), "MODAL_IMAGE_BUILDER_VERSION"),
    "a build that is forced": (environ("MODAL_FORCE_BUILD", "1"), "variable MODAL_FORCE_BUILD  is new"),
    "a variable the app reads": (environ("TRAIN_GPU", "T4"), "variable TRAIN_GPU  is new"),
    "another token": (environ("MODAL_TOKEN_SECRET", "as-of-somebody"), "variable MODAL_TOKEN_SECRET  changed"),
    "another environment by variable": (environ("MODAL_ENVIRONMENT", "dev"), "variable MODAL_ENVIRONMENT"),
    "a variable that the app is not seen to read": (environ("TRAIN_SPEED", "fast"), "variable TRAIN_SPEED"),
    "another profile": (profile, "Modal profile"),
    "another modal on the PATH": (other_modal, "modal command"),
    "another client version": (then("Modal client", "1.6.3"), "Modal client  1.6.3 → 1.6.4"),
    "another Python": (then("Python", "3.12.1"), "Python  3.12.1 → 3.11"),
    "another preflight": (then("preflight", "0.0.9"), "preflight  0.0.9 → "),
    "other fact tables": (then("fact tables", "0" * 16), "fact tables"),
    "another probe": (then("probe", "0" * 16), "probe  0000"),
    "another plugin": (then("plugins", "theirs 1.0"), "plugins  theirs 1.0 → none"),
    "a pass that counted warnings": (then("--fail-on", "warn"), "--fail-on  warn → fail"),
    "another working folder": (then("working folder", "/elsewhere"), "working folder  /elsewhere → "),
    # time
    "an answer older than it counts": (aged(8 * DAY), "answers count for 7 days"),
    "a clock set back since the pass": (made_later(DAY), "it was set back"),
    "a clock set back since it was looked at": (seen_later(DAY), "it was set back"),
}
ASKED: dict[str, tuple[Change, str]] = {  # what Modal says
    "other rates": (in_cloud("rate gpu_hour_cost_a100_80gb", "$2.49"), "rate gpu_hour_cost_a100_80gb  $2.49 → $2.5"),
    "another workspace": (in_cloud("workspace", "theirs"), "workspace  theirs → sandbox"),
    "another environment at Modal": (in_cloud("environment", "dev"), "environment  dev → main"),
    "a secret the pass did not know": (in_cloud("secret aws-s3-secret", "not there"), "secret aws-s3-secret"),
    "a secret that is no longer named": (in_cloud("secret other", "made long ago"), "secret other  is gone"),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_a_drift_is_refused_and_named(world: World, name: str) -> None:
    change, words = DRIFTS[name]
    env = change(world)
    ran = world.held(env=env)
    assert (ran.code, ran.out, world.ran.exists()) == (5, "", False), ran.err
    assert ran.err.startswith("REFUSED")
    assert " ".join(words.split()) in " ".join(ran.err.split())
    assert "next  preflight gate --renew" in ran.err


def test_what_modal_answers_otherwise_is_refused_and_each_of_it_named(world: World) -> None:
    for change, _ in ASKED.values():
        change(world)
    ran = world.gate()
    assert (ran.code, ran.out, world.ran.exists()) == (5, "", False), ran.err
    for name, (_, words) in ASKED.items():
        assert " ".join(words.split()) in " ".join(ran.err.split()), name


def test_there_are_more_than_thirty_of_them() -> None:
    assert len(DRIFTS) > 30


def test_a_builder_changed_in_the_workspace_is_refused_and_named(world: World) -> None:
    world.modal("workspace", "settings", "set", "image-builder-version", "2026.10")
    try:
        ran = world.gate()
    finally:
        world.modal("workspace", "settings", "set", "image-builder-version", "2025.06")
    assert (ran.code, world.ran.exists()) == (5, False)
    assert "Image Builder  2025.06 → 2026.10" in ran.err


def test_a_secret_made_anew_is_refused_and_one_under_another_name_fails_its_check(world_of_its_own: World) -> None:
    world = world_of_its_own
    keys = ["AWS_ACCESS_KEY_ID=AKIASANDBOX000000000", "AWS_SECRET_ACCESS_KEY=other", "AWS_REGION=us-east-1"]
    world.modal("secret", "delete", "aws-s3-secret", "--yes")
    world.modal("secret", "create", "renamed", *keys)
    renamed = world.gate()
    assert world.receipts.file.exists()  # what Modal says is asked each time: its failure costs no paid answer
    world.modal("secret", "create", "aws-s3-secret", *keys)
    anew = world.gate()
    assert (renamed.code, anew.code, world.ran.exists()) == (5, 5, False)
    assert "there is no secret aws-s3-secret" in renamed.err
    assert "secret aws-s3-secret  made " in anew.err


def test_another_environment_or_other_checks_left_out_are_refused(world: World) -> None:
    other = world.held("-e", "dev")
    more = world.decided("gate", "--skip", "smoke-test", "--", "touch", str(world.ran))
    assert (other.code, more.code, world.ran.exists()) == (5, 5, False)
    assert "setting environment  is new: dev" in other.err
    assert "left out  gpu-probe, smoke-test → smoke-test" in more.err


def test_offline_answers_of_modal_older_than_a_quarter_of_an_hour_are_refused(world: World) -> None:
    aged(timedelta(minutes=16))(world)
    offline, online = world.held("--offline"), world.gate()
    assert (offline.code, online.code) == (5, 0), online.err
    assert "remote answers count for 15 min" in offline.err


# --- what must not be refused --------------------------------------------------------------------------------------


SAME: dict[str, Change] = {
    "nothing": lambda w: None,
    "a touched file": lambda w: (w.project / APP).touch(),
    "a file written anew with the same bytes": edit("project/VERSION", "1", "1"),
    "bytecode": lambda w: (
        (w.project / "src/seizure/__pycache__").mkdir(exist_ok=True),
        write("project/src/seizure/__pycache__/train.cpython-311.pyc", "")(w),
    )[-1],
    "a commit": lambda w: ((w.project / ".git").mkdir(), write("project/.git/index", "x")(w))[-1],
    "a new virtual environment": lambda w: (
        (w.project / "env").mkdir(),
        write("project/env/pyvenv.cfg", "")(w),
        write("project/env/x.py", "")(w),
    )[-1],
    "coverage of a test run": write("project/.coverage", "x"),
    "a report of preflight itself": write("project/preflight.json", "{}"),
    "a file beside the project that the app does not add": write("shared/other", "x"),
    "a variable of the terminal": environ("TMUX_PANE", "%3"),
    "six days": aged(6 * DAY),
}


@pytest.mark.parametrize("name", SAME)
def test_what_changes_nothing_is_not_refused(world: World, name: str) -> None:
    env = SAME[name](world)
    ran = world.gate(env=env) if name in ("nothing", "six days") else world.held("--offline", env=env)
    assert (ran.code, ran.out, world.ran.exists()) == (0, "", True), ran.err
    assert ran.err.startswith("gate: the pass of ")


def test_what_is_named_as_an_output_does_not_count_until_it_is_named_no_longer(world: World) -> None:
    pyproject, report = world.project / "pyproject.toml", world.project / "reports/one"
    text = pyproject.read_text("utf-8")
    named = '[tool.preflight]\noutputs = ["reports/", "*.toml"]'
    pyproject.write_text(text.replace("[tool.preflight]", named), "utf-8")
    assert world.gate("--renew").code == 0
    report.parent.mkdir()
    report.write_text("x", "utf-8")
    assert world.held("--offline", "--spend-max", "9").code == 0  # another limit is no drift either
    pyproject.write_text(text, "utf-8")
    ran = world.held("--offline")
    assert ran.code == 5 and "reports/one is new" in " ".join(ran.err.split())


def test_a_change_taken_back_makes_the_pass_hold_again(world: World) -> None:
    file = world.project / "VERSION"
    file.write_text("2\n", encoding="utf-8")
    assert world.held("--offline").code == 5
    file.write_text("1\n", encoding="utf-8")
    assert world.held("--offline").code == 0


def test_a_secret_that_the_app_does_not_name_may_come(world: World) -> None:
    world.modal("secret", "create", "another", "K=V")
    assert world.gate().code == 0


def test_no_value_of_a_variable_and_no_token_is_in_the_receipt(world: World) -> None:
    kept = "".join(p.read_text("utf-8") for p in (world.top / "state").rglob("*.json"))
    assert "as-sandbox" not in kept and "ak-sandbox" not in kept and "sandbox-secret-access-key" not in kept
