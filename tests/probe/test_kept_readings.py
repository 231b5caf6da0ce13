"""Every reading in tests/data/probes against the verdict kept with it: a file dropped there is a test."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from preflight.probe.document import document
from preflight.probe.reading import parsed
from preflight.probe.ruling import Verdict
from preflight.probe.verdict import judge

FOLDER = Path(__file__).parents[1] / "data" / "probes"
KEPT = sorted(FOLDER.glob("*.json"))
SCHEMA = Path(__file__).parents[2] / "preflight/report/schemas/preflight.probe-1.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


@pytest.mark.parametrize("path", KEPT, ids=[p.stem for p in KEPT])
def test_a_kept_reading_gets_its_verdict_and_a_whole_document(path):
    kept = json.loads(path.read_text("utf-8"))
    assert kept["origin"]
    reading = parsed(kept["reading"])
    judged = judge(reading)
    expect = kept["expect"]
    assert (judged.verdict.value, judged.ruling.cause.value) == (expect["verdict"], expect["cause"])
    assert judged.ruling.reason == expect["reason"]
    VALIDATOR.validate(document(reading, judged).as_json())


@pytest.mark.parametrize("path", KEPT, ids=[p.stem for p in KEPT])
def test_no_reading_stays_green_when_its_launches_are_taken_out(path):
    kept = json.loads(path.read_text("utf-8"))["reading"]
    for case in kept["cases"]:
        if case["value"]:
            case["value"]["launched"] = []
    for step in ((kept["model"] or {}).get("value") or {}).get("steps", ()):
        step["launched"] = []
    assert judge(parsed(kept)).verdict is not Verdict.KERNELS


def test_there_are_readings_of_more_than_one_verdict():
    assert len({json.loads(p.read_text("utf-8"))["expect"]["verdict"] for p in KEPT}) >= 3
