"""How long an epoch takes, as training logs say it; lines are written here in the form of the library each names."""

from __future__ import annotations

from fractions import Fraction

import pytest

from preflight.cost.epoch_lines import seconds_of
from preflight.cost.pace import NoPace, Pace, PatternRefused, pace_of, pattern_of

READ = {
    "took": ("epoch 1/100 took 30.1s\nepoch 2/100 took 12.3s\nepoch 3/100 took 12.5s", 12.4),
    "a clock": ("[Epoch 3] time: 00:14:59", 899),
    "one epoch with its warm-up": ("Epoch 1/1 finished in 912.4 seconds, loss 0.31", 912.4),
    "minutes and seconds": ("Epoch: 01 | Epoch Time: 14m 59s\n\tTrain Loss: 4.1", 899),
    "hours": ("epoch 1 completed in 1h 2m 3s", 3723),
    "PyTorch's language-model example": ("| end of epoch   1 | time: 12.34s | valid loss  5.19 | valid ppl 180", 12.34),
    "validation words after the time": (
        "Epoch 1/2 - time 15.0s - val_loss 0.5\nEpoch 2/2 - time 14.0s - val_loss 0.4",
        14,
    ),
    "tqdm, one bar an epoch": (
        "Epoch 1:  50%|█  | 5/10 [00:30<00:30,  6.0s/it]\rEpoch 1: 100%|██| 10/10 [01:00<00:00,  6.0s/it]",
        60,
    ),
    "Lightning": ("Epoch 0: 100%|███| 625/625 [14:59<00:00,  0.69it/s, v_num=0, train_loss=0.31]", 899),
    "one bar over all epochs": ("Epochs: 100%|█████| 4/4 [01:00<00:00, 15.0s/it]", 15),
    "colour and a time stamp before it": ("2026-11-20 10:00:01 \x1b[36mINFO\x1b[0m epoch 1 took 42.0 s", 42),
    "hours, minutes and seconds in words": (
        "Epoch 1 completed in 0 hours, 20 minute and 28 seconds .\n"
        "Epoch 2 completed in 0 hours, 20 minute and 30 seconds .",
        1230,
    ),
    "a bar over the one epoch of a smoke test": ("Epochs: 100%|██████████| 1/1 [28:12<00:00, 1692.65s/it]", 1692),
    "a bar over all epochs, which holds the validation too": (
        "Epochs: 100%|█| 2/2 [1:00:00<00:00, 1800.0s/it]\nvalidation took 300.0 seconds",
        1800,
    ),
    "validation that takes next to nothing": ("Epoch 1 took 600.0s\nvalidation took 4.0s", 600),
    "two ways that agree": (
        "Epoch 1: 100%|██| 10/10 [01:00<00:00,  6.0s/it]\nEpoch 1 finished in 61.0 s",
        61,
    ),
    "milliseconds": ("epoch 7 took 61500 ms", 61.5),
    "the median, not a straggler": (
        "\n".join(f"epoch {n} took {t}s" for n, t in enumerate([60, 40, 41, 300, 39, 40])),
        40,
    ),
}
UNREAD = {
    "nothing about time": "epoch 1/2 loss 0.4\nepoch 2/2 loss 0.3",
    "an empty log": "",
    "a number without a unit": "epoch 1 time: 12.3",
    "a rate without a total": "epoch 1: 12.3 it/s",
    "a clock since the start": "epoch 1 completed in 30.0s\nepoch 2 completed in 60.1s\nepoch 3 completed in 90.3s",
    "a clock since the start, after a slow first epoch": "epoch 1 took 90s\nepoch 2 took 120s\nepoch 3 took 150s",
    "two epochs of a clock since the start": "epoch 1 took 30.0s\nepoch 2 took 60.1s",
    "two times for one epoch": "epoch 1 took 30.0s\nepoch 1 took 12.0s",
    "the total": "epoch 3 loss 0.1, total time: 90.0s",
    "what is left": "epoch 3 remaining time: 90.0s",
    "a step's time": "epoch 3 step time: 0.3s",
    "the loader's time": "epoch 3 data time: 0.3s",
    "validation": "validation epoch 1 took 4.0s",
    "validation, named after the epoch": "epoch 1 val time: 4.0s",
    "a bar of validation": "Validation epoch 1: 100%|█| 20/20 [00:10<00:00, 2.0it/s]",
    "a bar that did not end": "Epoch 1:  50%|█  | 5/10 [00:30<00:30,  6.0s/it]",
    "a download": "model.safetensors: 100%|██| 4.2G/4.2G [00:42<00:00, 100MB/s]",
    "an image build": "Building image took 120.0s\n=> Step 4: pip install took 61.2s",
    "an hour of the day": "10:00:01 epoch 1 started\n10:15:00 epoch 1 saved",
    "two durations in one line": "epoch 1 took 12.0s, time 3.0s",
    "per batch": "epoch 3 took 12.3s/it",
    "zero": "epoch 1 took 0.0s",
    "all epochs together": "All training (2 epochs) took 75.5 seconds.",
    "all epochs together, after the best": "Best epoch 12. Training took 3600.0 s",
    "training without its validation": "Training Epoch 1 took 1285.0 seconds.\nEvaluating Epoch 1 took 407.5 seconds.",
    "training time alone": "epoch 3 | train time: 12.3s | loss 0.2",
    "the saving of a checkpoint": "Saved checkpoint of epoch 3, took 2.1s",
    "loading": "resumed epoch 3, loading took 8.0s",
    "two ways that disagree": "Epoch 1: 100%|██| 10/10 [01:00<00:00,  6.0s/it]\nEpoch 1 finished in 91.0 s",
    "a bar whose validation is as long": (
        "Epoch 1: 100%|██| 10/10 [01:00<00:00,  6.0s/it]\nValidation: 100%|██| 9/9 [00:50<00:00,  5.5s/it]"
    ),
    "a clock since the start, to the microsecond": (
        "* Epoch 1 | Time: 0:00:24.262214\n* Epoch 2 | Time: 0:00:47.873107\n* Epoch 3 | Time: 0:01:11.492482"
    ),
    "what is still to come": "epoch 3 done, eta time: 90.0s",
    "about so much": "Epoch 1 took about 14 minutes",
    "a unit in the key, which epoch-pattern reads": '{"epoch": 1, "loss": 0.4, "epoch_time_s": 61.5}',
    "DGL's form, likewise": "Epoch 00000 | Loss 6.1\nEpoch Time(s): 8.7072\nEpoch 00001\nEpoch Time(s): 7.25",
    "Keras, likewise": "Epoch 2/50\n300/300 ━━ 0s 209ms/step - loss: 0.8\n300/300 ━━ 70s 232ms/step - loss: 0.7",
    "the Hugging Face trainer's total, likewise": "{'train_runtime': 1830.0, 'train_loss': 0.4, 'epoch': 2.0}",
}


@pytest.mark.parametrize("name", READ)
def test_an_epochs_time_is_read_from(name: str) -> None:
    log, seconds = READ[name]
    found = pace_of(log.split("\n"))
    assert isinstance(found, Pace), found
    assert found.epoch_s is not None
    assert float(found.epoch_s) == pytest.approx(seconds)


@pytest.mark.parametrize("name", UNREAD)
def test_no_epochs_time_is_made_up_from(name: str) -> None:
    found = pace_of(UNREAD[name].split("\n"))
    assert isinstance(found, NoPace), found
    assert found.why


def test_a_bar_of_steps_gives_a_steps_time_and_no_epochs() -> None:
    found = pace_of(["Training:  8%|▊ | 50/625 [01:12<13:47,  1.44s/it]"])
    assert isinstance(found, Pace)
    assert (found.epoch_s, found.step_s) == (None, Fraction(72, 50))


def test_doubt_is_said_with_both_times_and_lines() -> None:
    found = pace_of(["epoch 1 took 30.0s", "x", "epoch 1 took 12.0s"])
    assert isinstance(found, NoPace)
    assert "30.0 s and 12.0 s (lines 1 and 3)" in found.why


@pytest.mark.parametrize(
    ("pattern", "line", "seconds"),
    [
        (r"pass \d+: ([\d.]+)", "pass 3: 12.5", 12.5),
        (r"pass \d+: (?P<minutes>[\d.]+)", "pass 3: 2.5", 150),
        (r"pass (?P<epoch>\d+): (?P<hours>[\d.]+)", "pass 3: 0.5", 1800),
        (r"wall=(?P<clock>[\d:]+)", "wall=1:00:05", 3605),
        (r"epoch_time_s\D+([\d.]+)", '{"epoch": 1, "epoch_time_s": 61.5}', 61.5),
        (r" (\d+)s \S+/step", "469/469 [====] - 33s 5ms/step - loss: 0.2", 33),
    ],
)
def test_a_configured_pattern_is_taken_at_its_word(pattern: str, line: str, seconds: float) -> None:
    found = pace_of([line, "epoch 1 took 99s"], pattern_of(pattern))
    assert isinstance(found, Pace)
    assert found.epoch_s == Fraction(seconds)


def test_a_configured_pattern_may_give_steps() -> None:
    found = pace_of(["step 200 done after 50.0 s"], pattern_of(r"step (?P<steps>\d+) done after (?P<seconds>[\d.]+)"))
    assert isinstance(found, Pace)
    assert found.step_s == Fraction(1, 4)


def test_a_configured_pattern_that_matches_nothing_falls_back_on_nothing() -> None:
    found = pace_of(["epoch 1 took 99s"], pattern_of(r"pass (\d+)"))
    assert isinstance(found, NoPace)


@pytest.mark.parametrize("pattern", ["(", "epoch took", r"(?P<fortnights>\d+)"])
def test_a_pattern_that_can_give_no_time_is_refused(pattern: str) -> None:
    with pytest.raises(PatternRefused, match="epoch-pattern"):
        pattern_of(pattern)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12.3s", 12.3), ("14:59", 899), ("1:00:00", 3600), ("1 day, 0:00:00", 86400), ("2 min", 120), ("1h 30m", 5400)],
)
def test_a_duration_is_read_with_its_unit(text: str, seconds: float) -> None:
    found = seconds_of(text)
    assert found is not None
    assert float(found) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["12.3", "", "s", "12 parsecs", "12.3s/it", "1:2", "ten s", "12 s of 30 s"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert seconds_of(text) is None


def test_a_hostile_log_costs_little() -> None:
    """Long lines, many numbers, no newline: bounded work."""
    lines = ["epoch " * 50_000, "9" * 300_000, "epoch 1 took " + "1h " * 60_000, "[" * 100_000 + "\r" * 1000]
    assert isinstance(pace_of(lines * 3), NoPace | Pace)


def test_the_guards_line_gives_the_pace_of_the_steps_whatever_else_the_log_says() -> None:
    line = 'preflight.guard {"schema": "preflight.guard/1", "verdict": "paced", "step": 300, "step_s": 0.25}'
    pace = pace_of(["epoch 1 took 90 s", line, "preflight.guard {broken", "done"])
    assert isinstance(pace, Pace) and pace.step_s == Fraction(1, 4)
    assert "guard" in pace.basis
