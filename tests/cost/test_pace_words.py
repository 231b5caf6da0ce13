"""The pace of a log: the edges of every doubt, and its words."""

from __future__ import annotations

from fractions import Fraction

import pytest

from preflight.cost.epoch_lines import Seen, durations_of
from preflight.cost.pace import NoPace, Pace, PatternRefused, pace_of, pattern_of
from tests.kept import assert_kept

BAR = "Epoch 1: 100%|██| 10/10 [01:00<00:00,  6.0s/it]"
LOGS: dict[str, tuple[str, str | None]] = {
    "nothing": ("", None),
    "one epoch": ("x\nepoch 1 took 30.04s", None),
    "three epochs": ("epoch 1 took 40s\nepoch 2 took 30s\nepoch 3 took 32s", None),
    "a second time within two percent": ("epoch 1 took 50s\nepoch 1 took 49s", None),
    "a second time beyond it": ("epoch 1 took 50s\n\nepoch 1 took 48.9s", None),
    "times that grow": ("epoch 1 took 30s\nepoch 2 took 60s\nepoch 3 took 90s", None),
    "two that grow, just": ("epoch 1 took 10s\nepoch 2 took 24s", None),
    "two that do not": ("epoch 1 took 10s\nepoch 2 took 24.1s", None),
    "two that grow too slowly": ("epoch 1 took 10s\nepoch 2 took 15.9s", None),
    "three that grow by the least": ("epoch 1 took 100s\nepoch 2 took 115s\nepoch 3 took 130s", None),
    "three that grow by less": ("epoch 1 took 100s\nepoch 2 took 114s\nepoch 3 took 129s", None),
    "three that grow twice as fast": ("epoch 1 took 100s\nepoch 2 took 150s\nepoch 3 took 250s", None),
    "three that grow faster": ("epoch 1 took 100s\nepoch 2 took 150s\nepoch 3 took 251s", None),
    "two ways within five percent": (f"{BAR}\nEpoch 1 finished in 63.1 s", None),
    "two ways beyond it": (f"{BAR}\nEpoch 1 finished in 63.2 s", None),
    "two ways, the greater first": (f"Epoch 1 finished in 62 s\n{BAR}", None),
    "validation of five percent": ("epoch 1 took 100s\nvalidation took 5s", None),
    "validation of more": ("epoch 1 took 100s\nvalidation took 5.1s", None),
    "validation of two epochs": ("epoch 1 took 100s\nepoch 2 took 100s\nvalidation took 10s", None),
    "steps": ("Training:  8%|▊ | 50/625 [01:12<13:47,  1.44s/it]", None),
    "one step": ("Training:  8%|▊ | 1/625 [01:12<13:47,  1.44s/it]", None),
    "two steps, then more": (
        "Training: 1%|▊ | 2/625 [00:02<13:47, 1.44s/it]\rTraining: 2%|▊ | 4/625 [00:06<13:47, 1.44s/it]",
        None,
    ),
    "an epoch of one step": ("Epoch 1: 100%|██| 1/1 [01:00<00:00,  6.0s/it]", None),
    "an epoch of two steps": ("Epoch 1: 100%|██| 2/2 [01:00<00:00,  6.0s/it]", None),
    "all epochs": ("Epochs: 100%|██| 4/4 [01:00<00:00,  6.0s/it]", None),
    "eight states": ("\r".join(["x"] * 6 + [BAR, "y"]), None),
    "nine states": ("\r".join(["epoch 2 took 9s"] + ["x"] * 6 + [BAR, "y"]), None),
    "its end, past nine states": ("\r".join(["epoch 2 took 9s"] + ["x"] * 9 + ["epoch 1 took 7s"]), None),
    "a line that is too long": ("." * 1_990 + " epoch 1 took 30s", None),
    "its own pattern": ("x\npass 1: 7.5", r"pass \d+: ([\d.]+)"),
    "its own pattern, in vain": ("x", r"pass \d+: ([\d.]+)"),
    "its own pattern by epoch": ("p 1: 9\np 1: 5", r"p (?P<epoch>\d+): (?P<seconds>\d+)"),
    "its own pattern without epochs": ("p: 9\np: 5\np: 6", r"p: (?P<seconds>\d+)"),
    "its own steps": ("p 4: 9\np 8: 20", r"p (?P<steps>\d+): (?P<seconds>\d+)"),
    "its own steps, none": ("p 0: 9", r"p (?P<steps>\d+): (?P<seconds>\d+)"),
    "its own clock": ("p 1:02:03", r"p (?P<clock>[\d:]+)"),
    "its own hours": ("p 2", r"p (?P<hours>\d+)"),
    "its own minutes": ("p 2", r"p (?P<minutes>\d+)"),
    "its own, and nothing in it": ("p  x\np 3 x", r"p (\d*) x"),
    "the guard's": (
        'x preflight.guard {"step_s": 0.25, "step": 300}\npreflight.guard {"step_s": 0.5, "step": 400}',
        None,
    ),
    "the guard's, named twice": ('preflight.guard {"step_s": 2, "step": 3, "at": "preflight.guard x"}', None),
    "the guard's, of nothing": ('preflight.guard {"step_s": 0, "step": 3}\nepoch 1 took 5s', None),
    "the guard's, null": ('preflight.guard {"step_s": null, "step": 3}\nepoch 1 took 5s', None),
    "the guard's, broken, then whole": (
        'preflight.guard {"step": 3}\npreflight.guard []\npreflight.guard {"step_s": 2, "step": 3}',
        None,
    ),
}


def test_the_pace_of_every_log_is_as_it_was_read_and_kept() -> None:
    rows = {}
    for name, (log, pattern) in LOGS.items():
        found = pace_of(log.split("\n"), None if pattern is None else pattern_of(pattern))
        if isinstance(found, Pace):
            rows[name] = f"epoch {found.epoch_s} s, step {found.step_s} s: {found.basis}"
        else:
            assert isinstance(found, NoPace)
            rows[name] = f"none: {found.why}"
    assert_kept("paces", rows)


def test_a_refused_pattern_says_why() -> None:
    refused = {}
    for text in ("(", "epoch took", r"(?P<fortnights>\d)(?P<clock>\d)"):
        with pytest.raises(PatternRefused) as e:
            pattern_of(text)
        refused[text] = str(e.value)
    assert refused == {
        "(": "epoch-pattern is no regular expression: missing ), unterminated subpattern at position 0",
        "epoch took": "epoch-pattern 'epoch took' has no group; wanted one around the seconds",
        r"(?P<fortnights>\d)(?P<clock>\d)": (
            "epoch-pattern has a group 'fortnights'; there are seconds, minutes, hours, clock, steps"
        ),
    }
    every = r"(?P<seconds>.)(?P<minutes>.)(?P<hours>.)(?P<clock>.)(?P<epoch>.)(?P<steps>.)"
    assert pattern_of(every).groups == 6


def test_each_way_of_writing_a_duration_has_its_kind_epoch_and_line() -> None:
    lines = [
        (1, "Epoch 3"),
        (4, "epoch 4 took 12s"),
        (5, "validation epoch 4 took 2s"),
        (6, "Epoch 5: 100%|█| 10/10 [01:00<00:00, 6.0s/it]"),
        (7, "Val epoch 5: 100%|█| 10/10 [00:10<00:00, 1.0s/it]"),
        (8, "Validation: 100%|█| 10/10 [00:09<00:00, 1.0s/it]"),
        (9, "Validation: 90%|█| 9/10 [00:09<00:01, 1.0s/it]"),
        (10, "Epochs: 100%|█| 4/4 [01:00<00:00, 15.0s/it]"),
        (11, "Epochs: 50%|█| 2/4 [00:30<00:30, 15.0s/it]"),
        (12, "Training: 50%|█| 5/10 [00:30<00:30, 6.0s/it]"),
        (13, "nothing of time, epoch 9"),
        (14, "Epoch Duration: 7 min"),
    ]
    assert list(durations_of(lines)) == [
        Seen("took", 4, Fraction(12), 4),
        Seen("aside", 4, Fraction(2), 5),
        Seen("bar", 5, Fraction(60), 6),
        Seen("aside", 5, Fraction(10), 7),
        Seen("aside", None, Fraction(9), 8),
        Seen("bar of all epochs", None, Fraction(15), 10),
        Seen("steps", None, Fraction(30), 12, 5),
        Seen("took", None, Fraction(420), 14),
    ]
