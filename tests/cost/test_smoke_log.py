"""The pace that a kept log of the smoke test shows, and the plan made from it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from preflight.app import reader
from preflight.cost.pace import Measured, NoPace, measured
from preflight.cost.plan import Work
from preflight.cost.reckoning import work_of
from preflight.settings import BudgetSettings, Settings, SmokeSettings, folder_of

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
APP = (
    "import modal\napp = modal.App('x')\n"
    "@app.function(gpu='A100-80GB', timeout=86400)\ndef train(): ...\n"
    "@app.function(gpu='A100-80GB')\ndef smoke(): ...\n"
    "@app.function(gpu='T4')\ndef cheap(): ...\n"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text(APP, encoding="utf-8")
    return Settings(project=project, app="app.py", state=tmp_path / "state", budget=BudgetSettings(epochs=100))


def leave(settings: Settings, text: str, *, at: datetime = AT, took_s: float = 1200) -> Path:
    assert settings.state is not None
    folder = folder_of(settings.state, settings.project)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"smoke-{at:%Y%m%d-%H%M%S}.log"
    log.write_text(text, encoding="utf-8")
    ended = (at + timedelta(seconds=took_s)).timestamp()
    os.utime(log, (ended, ended))
    return log


def planned(settings: Settings, *, gpu: str | None = None) -> Work | str:
    recipe = reader.read(settings.project / "app.py", project=settings.project)
    return work_of(settings, recipe.functions[0], recipe, gpu)


def with_(settings: Settings, **changes: object) -> Settings:
    return Settings(**{**vars(settings), **changes})  # type: ignore[arg-type]


def test_the_plan_is_made_of_the_epoch_that_the_log_shows(settings: Settings) -> None:
    log = leave(settings, "epoch 1/1 took 912.0s\n")
    found = planned(settings)
    assert isinstance(found, Work)
    assert found.hours == Fraction(912 * 100, 3600)
    assert log.name in found.basis and "2026-11-20" in found.basis
    assert any("every epoch takes what the smoke test's log shows" in a for a in found.assumptions)


def test_the_newest_log_that_shows_a_pace_is_taken(settings: Settings) -> None:
    leave(settings, "epoch 1/1 took 100.0s\n", at=AT - timedelta(days=2))
    leave(settings, "epoch 1/1 took 200.0s\n", at=AT - timedelta(days=1))
    leave(settings, "image build failed\n")
    found = measured(settings)
    assert isinstance(found, Measured)
    assert found.pace.epoch_s == 200


def test_a_time_longer_than_the_whole_run_is_no_epochs(settings: Settings) -> None:
    leave(settings, "epoch 1/1 time: 10:00:01\n", took_s=300)
    found = measured(settings)
    assert isinstance(found, NoPace)
    assert "no epoch's time" in found.why


def test_the_pace_of_another_gpu_says_nothing(settings: Settings) -> None:
    leave(settings, "epoch 1/1 took 912.0s\n")
    other = with_(settings, smoke=SmokeSettings(function="cheap"))
    said = planned(other)
    assert isinstance(said, str) and "runs on T4, the plan on A100-80GB" in said
    said = planned(settings, gpu="H100")
    assert isinstance(said, str) and "the plan on H100" in said
    assert isinstance(planned(with_(settings, smoke=SmokeSettings(function="smoke"))), Work)


def test_steps_need_the_steps_of_an_epoch(settings: Settings) -> None:
    leave(settings, "Training:  8%|▊ | 50/625 [01:12<13:47,  1.44s/it]\n")
    said = planned(settings)
    assert isinstance(said, str) and "steps-per-epoch" in said
    found = planned(with_(settings, budget=BudgetSettings(epochs=10, steps_per_epoch=625)))
    assert isinstance(found, Work)
    assert found.hours == Fraction(72, 50) * 625 * 10 / 3600


def test_a_configured_pattern_reads_a_log_of_ones_own(settings: Settings) -> None:
    leave(settings, "<<pass 1: 12 min>>\n")
    assert isinstance(measured(settings), NoPace)
    smoke = SmokeSettings(epoch_pattern=r"<<pass \d+: (?P<minutes>\d+)")
    found = measured(with_(settings, smoke=smoke))
    assert isinstance(found, Measured) and found.pace.epoch_s == 720


def test_given_minutes_win_over_the_log(settings: Settings) -> None:
    leave(settings, "epoch 1/1 took 912.0s\n")
    found = planned(with_(settings, budget=BudgetSettings(epochs=4, epoch_minutes=Decimal(15))))
    assert isinstance(found, Work) and found.hours == 1


def test_no_log_a_folder_in_its_place_and_bytes_that_are_no_text_are_said_and_not_guessed(settings: Settings) -> None:
    assert isinstance(measured(settings), NoPace)
    log = leave(settings, "")
    log.write_bytes(b"\xff\xfe\x00" * 100)
    assert isinstance(measured(settings), NoPace)
    log.unlink()
    log.mkdir()
    found = measured(settings)
    assert isinstance(found, NoPace) and "can't be read" in found.why


def test_where_nothing_is_kept_nothing_is_read(settings: Settings) -> None:
    assert isinstance(measured(with_(settings, state=None)), NoPace)
