"""What differs, and in which order it is told."""

from __future__ import annotations

import copy

import pytest

from preflight.changes import Change
from preflight.model import Status
from preflight.state.differ import changes
from preflight.state.vector import Vector
from tests.state.conftest import report, result

Edit = tuple[str, str, str | None]  # group, name, its value now; None takes it away
STEPS = ("image steps", "image")
APP = ("files", "deploy/modal/app.py", "a9 644")
TRAIN = ("files", "src/seizure/train.py", "b9 644")
NOTE = ("files", "NOTES.md", "e1 644")
RATES = ("rates", "cpu_hour_cost", "$0.0480")
PYTHON = ("versions", "Python", "3.12.1")
HOURS = ("settings", "budget.hours", "25")
WANDB = ("secrets", "wandb", "made 2026-11-19 10:00:00 UTC")
PREFIX = ("settings", "s3.prefix", "tuh/")

REGRESSIONS: dict[str, tuple[Edit, list[Edit], tuple[str, str, str]]] = {
    "another builder": (
        ("builder", "Image Builder", "2024.10"),
        [RATES, NOTE],
        (
            "MOD002",
            "image-builder",
            "the Image Builder is 2024.10, from the workspace setting; wanted 2025.06 or newer",
        ),
    ),
    "a torch without a wheel": (
        ("pins", "torch (image)", "==2.11.0"),
        [APP, ("pins", "transformers (image)", "==5.1")],
        ("PRJ002", "smoke-test", "the smoke test failed: no release wheel of mamba-ssm 2.2.2 for torch 2.11"),
    ),
    "numpy 2 under an old torch": (
        ("pins", "numpy (image)", "unpinned"),
        [APP, NOTE, RATES],
        ("PRJ002", "smoke-test", "RuntimeError: Numpy is not available"),
    ),
    "packaging is gone": (
        ("pins", "packaging (image)", None),
        [APP, TRAIN],
        ("PRJ002", "smoke-test", "ended with exit code 1: No module named 'packaging'"),
    ),
    "causal-conv1d is gone": (
        ("pins", "causal-conv1d (image)", None),
        [APP, HOURS],
        ("GPU001", "gpu-probe", "conv1d fallback: causal_conv1d is not installed, Mamba2 raises TypeError"),
    ),
    "the compiler is gone": (
        (*STEPS, "gone: env"),
        [APP, TRAIN, RATES],
        (
            "PRJ002",
            "smoke-test",
            "Command '['which', 'clang++']' returned non-zero exit status 1: CC and CXX are not set",
        ),
    ),
    "another base image": (
        (*STEPS, "base"),
        [NOTE, HOURS],
        ("PRJ002", "smoke-test", "nvcc was not found: the image nvidia/cuda:12.1.1-runtime-ubuntu22.04 has none"),
    ),
    "another GPU": (
        ("functions", "train gpu", "B200"),
        [APP, NOTE],
        ("GPU001", "gpu-probe", "no kernel image is available for execution on the device B200"),
    ),
    "another driver": (
        ("gpu", "A100-80GB driver", "535.12"),
        [NOTE, TRAIN],
        ("GPU001", "gpu-probe", "the driver 535.12 is too old for CUDA 12.4"),
    ),
    "a secret made anew without a key": (
        ("secrets", "aws-s3-secret", "made 2026-11-19 12:00:00 UTC"),
        [WANDB, NOTE],
        ("STO001", "s3-secret", "aws-s3-secret lacks AWS_REGION"),
    ),
    "a secret that is gone": (
        ("secrets", "aws-s3-secret", None),
        [WANDB, HOURS],
        ("STO001", "s3-secret", "there is no secret aws-s3-secret"),
    ),
    "another region": (
        ("variables", "AWS_REGION", "eu-west-1"),
        [HOURS, WANDB],
        ("STO002", "s3-bucket", "the bucket is in us-east-1, AWS_REGION says eu-west-1"),
    ),
    "another prefix": (
        PREFIX,
        [("settings", "lint.command", "make quality"), NOTE],
        ("STO002", "s3-bucket", "s3://eeg-training-data/tuh/ holds no object"),
    ),
    "a budget that was cut": (
        ("account", "budget", "$80.00"),
        [RATES, APP],
        ("MOD003", "credits", "$48.50 left of the $80.00 budget; the run needs about $88.06"),
    ),
    "a plan that grew": (
        HOURS,
        [NOTE, PYTHON],
        ("MOD003", "credits", "$68.50 left of the $100.00 budget; the run needs about $110.08 (25 h of A100-80GB)"),
    ),
    "a dearer GPU": (
        ("rates", "gpu_hour_cost_a100_80gb", "$9.90"),
        [TRAIN, NOTE],
        ("MOD003", "credits", "$168.50 left of the $200.00 budget; the run needs about $236.06"),
    ),
    "an older client": (
        ("client", "modal", "1.5.4"),
        [PYTHON, NOTE],
        ("MOD005", "client-version", "client 1.5.4 knows builders up to 2025.06; 2026.10 is in force"),
    ),
    "another profile": (
        ("variables", "MODAL_PROFILE", "old"),
        [NOTE, RATES, TRAIN],
        ("MOD001", "modal-auth", "Modal refuses the token of profile old"),
    ),
    "a training file": (
        TRAIN,
        [RATES, PYTHON],
        ("PRJ001", "project-lint", "`make q` ended with exit code 1: src/seizure/train.py:12: undefined name"),
    ),
    "a volume that is mounted by another name": (
        ("functions", "train mounts", "/data bucket eeg-training-data/tusz/, /results volume training-outputs"),
        [APP, HOURS],
        ("STO003", "volume", "there is no volume training-outputs"),
    ),
    "a timeout beyond the limit": (
        ("functions", "train timeout", "108000 s"),
        [APP, ("pins", "transformers (image)", "==5.1")],
        ("RES610", "res-timeout-over-max", "timeout=108000 is more than Modal's 86400 s"),
    ),
    "a pin that a rule finds": (
        ("pins", "torch (image)", "==2.3.0"),
        [APP, TRAIN, ("pins", "transformers (image)", "==5.1")],
        ("IMG310", "ver-torch-companion-mismatch", "torchvision==0.17.2 does not belong to torch 2.3.0"),
    ),
}


def edited(worked: Vector, *edits: Edit) -> Vector:
    now = copy.deepcopy(worked)
    for group, name, value in edits:
        if (group, name) == STEPS:
            lines = now[group][name].split("\n")
            if value == "gone: env":
                lines = [line for line in lines if not line.startswith(".env")]
            else:
                lines[0] = lines[0].replace("devel", "runtime")
            now[group][name] = "\n".join(lines)
        elif value is None:
            del now[group][name]
        else:
            now[group][name] = value
    return now


def rank(found: tuple[Change, ...], edit: Edit) -> int:
    names = [(c.group, c.name.split(",")[0] if c.group == STEPS[0] else c.name) for c in found]
    return names.index((edit[0], edit[1])) + 1


@pytest.mark.parametrize("name", REGRESSIONS)
def test_the_cause_is_among_the_first_three_whatever_else_differs(name: str, worked: Vector) -> None:
    cause, decoys, failure = REGRESSIONS[name]
    found = changes(worked, edited(worked, cause, *decoys), report(result(*failure)))
    assert len(found) == 1 + len(decoys)
    assert rank(found, cause) <= 3, [c.text for c in found]


def test_the_cause_comes_first_in_more_than_nine_of_ten(worked: Vector) -> None:
    assert len(REGRESSIONS) >= 20
    firsts = 0
    for cause, decoys, failure in REGRESSIONS.values():
        found = changes(worked, edited(worked, cause, *decoys), report(result(*failure)))
        firsts += rank(found, cause) == 1
    assert firsts >= 0.9 * len(REGRESSIONS)


def test_nothing_differs_where_nothing_does(worked: Vector) -> None:
    failed = report(result("MOD001", "modal-auth", "refused"))
    assert changes(worked, copy.deepcopy(worked), failed) == ()


def test_a_group_that_one_of_them_has_not_looked_at_is_not_told_as_gone(worked: Vector) -> None:
    now = {k: v for k, v in worked.items() if k not in ("secrets", "rates", "account")}
    assert changes(worked, now, report(result("MOD001", "modal-auth", "refused"))) == ()
    assert changes(now, worked, report(result("MOD001", "modal-auth", "refused"))) == ()


def test_a_step_put_in_between_is_one_change_and_not_all_the_steps_after_it(worked: Vector) -> None:
    now = copy.deepcopy(worked)
    lines = now["image steps"]["image"].split("\n")
    now["image steps"]["image"] = "\n".join([*lines[:2], ".run_commands rm -rf /opt", *lines[2:]])
    (found,) = changes(worked, now, report(result("PRJ002", "smoke-test", "it failed")))
    assert (found.name, found.before, found.after) == ("image, step 3", None, ".run_commands rm -rf /opt")


def test_the_apps_file_comes_last_where_its_pins_tell_more(worked: Vector) -> None:
    now = edited(worked, APP, ("pins", "numpy (image)", "==2.1"), NOTE)
    found = changes(worked, now, report(result("PRJ001", "project-lint", "deploy/modal/app.py:3: E501")))
    assert found[-1].name == "deploy/modal/app.py"


def test_the_apps_file_is_told_first_where_nothing_else_explains_it(worked: Vector) -> None:
    found = changes(worked, edited(worked, APP, RATES), report(result("PRJ001", "project-lint", "app.py:3: E501")))
    assert found[0].text == "file deploy/modal/app.py is changed"


def test_a_passing_check_that_names_a_change_does_not_make_it_telling(worked: Vector) -> None:
    passed = result("STO001", "s3-secret", "wandb holds its keys", status=Status.PASS)
    failed = result("MOD002", "image-builder", "the Image Builder is 2024.10")
    found = changes(worked, edited(worked, WANDB, ("builder", "Image Builder", "2024.10")), report(passed, failed))
    assert found[0].group == "builder"


def test_what_is_blocked_counts_only_where_nothing_failed(worked: Vector) -> None:
    blocked = result("STO001", "s3-secret", "Modal sign-in: wandb", status=Status.BLOCKED)
    failed = result("MOD002", "image-builder", "the Image Builder is 2024.10")
    now = edited(worked, WANDB, ("builder", "Image Builder", "2024.10"))
    assert changes(worked, now, report(blocked, failed))[0].group == "builder"
    assert changes(worked, now, report(blocked))[0].group == "secrets"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change(group="pins", name="torch", before="==2.2", after="==2.3"), "pins: torch: ==2.2 → ==2.3"),
        (Change(group="secrets", name="x", before=None, after="made today"), "secrets: x is new: made today"),
        (Change(group="secrets", name="x", before="made", after=None), "secrets: x is gone; it was made"),
        (Change(group="files", name="a.py", before="1", after="2"), "file a.py is changed"),
        (Change(group="files", name="a.py", before=None, after="2"), "file a.py is new"),
    ],
)
def test_a_change_is_one_line(change: Change, said: str) -> None:
    assert change.text == said
