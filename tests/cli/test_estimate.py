"""`preflight estimate` as its user types it, against the sandbox's Modal and without any."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from preflight.cli.estimate import estimate_command
from preflight.sandbox import serve
from tests.conftest import Preflight, Ran

SCHEMA = json.loads(files("preflight.report").joinpath("schemas/preflight.estimate-1.json").read_text("utf-8"))
Ask = Callable[..., Ran]
APP = """import os
import modal
app = modal.App("x")
vol = modal.Volume.from_name("v")

@app.function(gpu="A100-80GB", cpu=24.0, memory=98304, timeout=86400, volumes={"/v": vol}, retries=2)
def train(resume=True):
    save_checkpoint(resume, "/v")

@app.function(gpu=os.environ["GPU"], timeout=3600)
def open_gpu(): ...

@app.function(gpu="T4", cpu=int(os.environ["CPU"]), timeout=3600)
def open_cpu(): ...

@app.function(gpu="T4", memory=int(os.environ["MEM"]), timeout=3600)
def open_memory(): ...

@app.function(gpu="T4", timeout=int(os.environ["LIMIT"]))
def open_timeout(): ...

@app.function(gpu=["H100:8", "A100"], timeout=3600, region="us-east", min_containers=1)
def dear(): ...

@app.function(cpu=4, timeout=3600, nonpreemptible=True)
def on_cpu(): ...

@app.function(gpu="A100-80GB", timeout=30 * 3600)
def too_long(): ...

@app.function(gpu="A100-90GB", timeout=3600)
def no_such_gpu(): ...

@app.cls(gpu="L4", timeout=3600)
class Trainer:
    @modal.method()
    def fit(self): ...
"""


@pytest.fixture(scope="module")
def world() -> Iterator[serve.Sandbox]:
    with serve.start("healthy") as sandbox:
        yield sandbox


@pytest.fixture
def ask(preflight: Preflight, world: serve.Sandbox) -> Ask:
    """The command in a project of its own that talks to the healthy world."""
    project = preflight.home / "project"
    project.mkdir()
    (project / "app.py").write_text(APP, encoding="utf-8")
    (project / "pyproject.toml").write_text("[tool.preflight]\n", encoding="utf-8")

    def go(*words: str, **more: str) -> Ran:
        return preflight("estimate", *words, cwd=project, env={**world.environ, **more})

    return go


def document(ran: Ran) -> dict[str, Any]:
    assert "Traceback" not in ran.err, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    jsonschema.validate(found, SCHEMA)
    assert found["exit"] == ran.code
    return found


def test_the_seeds_run_costs_110_dollars_at_live_rates(ask: Ask) -> None:
    found = document(ask("app.py::train", "--hours", "25", "--json"))
    assert (found["usd"], found["rates_source"], found["gpu"]) == (110.08, "live", "A100-80GB")
    assert found["rates"] == {"cpu_hour_cost": 0.0473, "mem_gib_hour_cost": 0.008, "gpu_hour_cost_a100_80gb": 2.5}
    assert found["upper_bound_usd"] == 317.03  # three attempts of 24 h
    assert found["exit"] == 0


def test_no_document_says_a_credit_balance(ask: Ask) -> None:
    ran = ask("app.py::train", "--hours", "25", "--json")
    assert "credit" not in ran.out.lower()
    assert document(ran)["budget"]["left_usd"] == 168.5


def test_a_run_of_sixty_hours_takes_three_attempts_and_says_their_price(ask: Ask) -> None:
    found = document(ask("app.py::train", "--epochs", "240", "--epoch-minutes", "15", "--max-cost", "500", "--json"))
    plan = found["plan"]
    assert (found["hours"], found["finishes"], plan["sessions"], plan["attempts"]) == (60.0, "yes", 3, 3)
    assert plan["usd"] == 267.05  # 60 h + 3 × 3 min + 2 × 15 min = 60.65 h
    assert plan["lost_hours_per_preemption"] == 0.3
    assert found["exit"] == 1  # the environment's budget holds $168.50, whatever is allowed


def test_more_than_max_cost_is_exit_1_and_the_same_is_not(ask: Ask) -> None:
    over = document(ask("app.py::train", "--hours", "10", "--max-cost", "44.02", "--json"))
    assert (over["exit"], over["budget"]["over_usd"]) == (1, 0.01)
    assert over["budget"]["of"] == "the $44.02 you allow"
    assert document(ask("app.py::train", "--hours", "10", "--max-cost", "44.03", "--json"))["exit"] == 0


def test_what_will_not_finish_is_exit_1_and_says_what_to_do(ask: Ask) -> None:
    found = document(ask("app.py::dear", "--hours", "2", "--json"))
    assert (found["finishes"], found["exit"], found["plan"]["sessions"]) == ("no", 1, None)
    assert "resume" in found["remedy"]


def test_what_is_too_close_is_no_failure_and_is_not_called_yes(ask: Ask) -> None:
    ran = ask("app.py::dear", "--hours", "1")
    assert ran.code == 0
    assert "TOO CLOSE" in ran.out
    assert "OK " not in ran.out


def test_the_most_expensive_gpu_of_a_list_is_priced_and_multipliers_are_said(ask: Ask) -> None:
    found = document(ask("app.py::dear", "--hours", "0.5", "--json"))
    assert found["gpu"] == "H100:8"
    text = " ".join(found["assumptions"])
    assert "region= may multiply the price" in text
    assert "min_containers= keeps more" in text


def test_no_multiplier_is_spoken_of_where_none_is_set(ask: Ask) -> None:
    assert "multiply" not in ask("app.py::train", "--hours", "1", "--json").out


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("open_gpu", "GPU of open_gpu is not in the text (app.py:10"),
        ("open_cpu", "cpu= of open_cpu is not in the text (app.py:13"),
        ("open_memory", "memory= of open_memory is not in the text (app.py:16"),
    ],
)
def test_what_the_text_leaves_open_is_named_with_its_line_and_exit_3(ask: Ask, function: str, words: str) -> None:
    found = document(ask(f"app.py::{function}", "--hours", "1", "--json"))
    assert (found["exit"], found["usd"]) == (3, None)
    assert words in found["reason"]


def test_a_timeout_that_is_not_in_the_text_leaves_the_price_and_not_the_verdict(ask: Ask) -> None:
    found = document(ask("app.py::open_timeout", "--hours", "1", "--json"))
    assert (found["exit"], found["finishes"], found["usd"]) == (3, "unknown", 0.6)


def test_a_gpu_that_is_given_stands_for_one_that_is_open(ask: Ask) -> None:
    found = document(ask("app.py::open_gpu", "--hours", "0.5", "--gpu", "h100!:2", "--json"))
    assert (found["gpu"], found["exit"]) == ("H100:2", 0)


def test_a_gpu_without_a_rate_is_exit_3_and_not_priced_as_another(ask: Ask) -> None:
    found = document(ask("app.py::train", "--hours", "1", "--gpu", "B300", "--json"))
    assert (found["exit"], found["usd"], found["reason"]) == (
        3,
        None,
        "no rate gpu_hour_cost_b300 in Modal's live rates",
    )


def test_a_timeout_that_modal_refuses_is_a_certain_failure_whatever_it_costs(ask: Ask) -> None:
    found = document(ask("app.py::too_long", "--hours", "1", "--json"))
    assert (found["exit"], found["remedy"]) == (1, "set timeout=86400, and resume from a checkpoint")
    assert found["reason"] == "timeout= of too_long is 30 h; Modal's limit is 24 h: the deploy is refused"
    assert "NOT OK: timeout= of too_long" in ask("app.py::too_long", "--hours", "1").out


def test_a_gpu_that_modal_does_not_have_is_named_with_the_one_that_was_meant(ask: Ask) -> None:
    found = document(ask("app.py::no_such_gpu", "--hours", "1", "--json"))
    assert (found["exit"], found["reason"], found["remedy"]) == (
        3,
        "Modal has no GPU 'A100-90GB'",
        "did you mean A100-80GB?",
    )


def test_a_cpu_function_and_a_class_are_priced_too(ask: Ask) -> None:
    found = document(ask("app.py::on_cpu", "--hours", "0.5", "--json"))
    assert (found["gpu"], found["usd"]) == (None, 0.1)
    assert "nonpreemptible=" in " ".join(found["assumptions"])
    assert document(ask("app.py::Trainer.fit", "--hours", "0.5", "--json"))["gpu"] == "L4"


def test_without_a_length_there_is_no_price(ask: Ask) -> None:
    found = document(ask("app.py::train", "--json"))
    assert (found["exit"], found["usd"], found["finishes"]) == (3, None, "unknown")
    assert "--hours" in found["remedy"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("app.py", "--hours", "1", "--epochs", "2"), "--hours is the whole run"),
        (("app.py", "--hours", "0"), "more than 0"),
        (("app.py", "--hours", "-3"), "more than 0"),
        (("app.py", "--hours", "nan"), "more than 0"),
        (("app.py", "--hours", "1e999999"), "at most"),
        (("app.py", "--hours", "a day"), "is not a number"),
        (("app.py", "--epochs", "1.5"), "--epochs"),
        (("app.py", "--epochs", "1", "--epoch-minutes", "1e-999999"), "more than 0"),
        (("app.py", "--hours", "1", "--gpu", "H100:0"), "names no GPU"),
        (("app.py", "--hours", "1", "--gpu", "two cards"), "names no GPU"),
        (("app.py", "--hours", "1", "--max-cost", "-1"), "0 or more"),
        (("nowhere.py", "--hours", "1"), "nowhere.py is not there"),
        (("app.py", "--scenario", "healthy"), "belongs to --sandbox"),
    ],
)
def test_a_wrong_word_is_exit_2_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(estimate_command, words)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert said in " ".join(ran.stderr.split())


def test_a_function_that_is_not_there_is_exit_2_and_those_there_are_named(ask: Ask) -> None:
    ran = ask("app.py::nobody", "--hours", "1")
    assert (ran.code, ran.out) == (2, "")
    assert "has no function nobody; it has train" in ran.err


def test_an_environment_that_is_not_there_is_exit_2_and_those_there_are_named(ask: Ask) -> None:
    ran = ask("app.py::train", "--hours", "1", "-e", "nowhere")
    assert (ran.code, ran.out) == (2, "")
    assert "environment 'nowhere' does not exist; there is main" in ran.err


def test_a_broken_epoch_pattern_is_exit_2_with_its_file(ask: Ask, preflight: Preflight) -> None:
    file = preflight.home / "project" / "pyproject.toml"
    file.write_text("[tool.preflight.smoke]\nepoch-pattern = '('\n", encoding="utf-8")
    ran = ask("app.py::train", "--hours", "1")
    assert ran.code == 2
    assert "pyproject.toml" in ran.err and "epoch-pattern" in ran.err


def test_an_app_that_does_not_parse_is_named_with_its_line(ask: Ask, preflight: Preflight) -> None:
    (preflight.home / "project" / "app.py").write_text("import modal\ndef (:\n", encoding="utf-8")
    ran = ask("app.py", "--hours", "1")
    assert ran.code == 2
    assert "app.py:2" in ran.err and "does not parse" in ran.err


def test_without_a_network_the_dated_list_is_used_and_said(preflight: Preflight) -> None:
    project = preflight.home / "project"
    project.mkdir()
    (project / "app.py").write_text(APP, encoding="utf-8")
    ran = preflight("estimate", "app.py::train", "--hours", "25", cwd=project)
    assert ran.code == 0
    words = " ".join(ran.out.split())
    assert "the built-in list of 2026-09-30" in words and "live rates can't be had" in words
    assert "$110.08" in words and "the environment's budget is not known" in words
    assert "compared with no budget" in words


WORLD = 'title = "a test"\nwrong = "a rate"\nstorage = {buckets = []}\n[rates]\n'
GOOD = {"cpu_hour_cost": "0.0473", "mem_gib_hour_cost": "0.008", "gpu_hour_cost_a100_80gb": "2.50"}


@pytest.mark.parametrize("value", ["-2.50", "NaN", "Infinity", "2.50 USD", "", "0.000694", "250", None])
def test_a_rate_of_modals_that_is_no_dollars_an_hour_is_refused(
    preflight: Preflight, tmp_path: Path, value: str | None
) -> None:
    rates = {k: v for k, v in {**GOOD, "gpu_hour_cost_a100_80gb": value}.items() if v is not None}
    scenario = tmp_path / "world.toml"
    scenario.write_text(WORLD + "".join(f'{k} = "{v}"\n' for k, v in rates.items()), encoding="utf-8")
    ran = preflight("estimate", "--sandbox", "--scenario", str(scenario), "--json")
    found = document(ran)
    assert (found["exit"], found["usd"], found["rates_source"]) == (3, None, None)
    assert "rate" in found["reason"] or "gpu_hour_cost_a100_80gb" in found["reason"]


@pytest.mark.parametrize(
    ("scenario", "code", "words"),
    [
        ("healthy", 0, "TOO CLOSE"),
        ("budget-too-small", 1, "raise the budget by $41.80"),
        ("spend-limit-reached", 1, "has reached its spend limit"),
        ("bad-token", 0, "the built-in list of 2026-09-30"),
    ],
)
def test_each_world_is_told_apart(preflight: Preflight, scenario: str, code: int, words: str) -> None:
    ran = preflight("estimate", "--sandbox", "--scenario", scenario)
    assert ran.code == code, ran.out + ran.err
    assert words in " ".join(ran.out.split())
    assert f"sandbox {scenario}" in ran.out


def test_control_characters_of_a_projects_texts_do_not_reach_the_terminal(ask: Ask, preflight: Preflight) -> None:
    file = preflight.home / "project" / "app.py"
    file.write_text(APP.replace('timeout=3600, region="us-east"', 'timeout=3600, region="\\x1b[2J"'), encoding="utf-8")
    assert "\x1b" not in ask("app.py::dear", "--hours", "0.5").out


def test_a_reader_that_has_gone_is_no_verdict(preflight: Preflight) -> None:
    (preflight.home / "app.py").write_text(APP, encoding="utf-8")
    words = [sys.executable, "-m", "preflight", "estimate", "app.py::train", "--hours", "1"]
    pipe = subprocess.Popen(words, cwd=preflight.home, env=preflight.environ(), stdout=subprocess.PIPE)
    assert pipe.stdout is not None
    pipe.stdout.close()
    assert pipe.wait(60) == 130
