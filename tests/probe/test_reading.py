"""A reading is taken in field by field, or refused with its place."""

from __future__ import annotations

import copy
import re

import pytest

from preflight.probe.on_modal import judged
from preflight.probe.reading import parsed
from preflight.toml_rows import WrongRow


def leaves(value, path=()):
    """Every place of the document that holds a plain value, as a path of keys."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path


def at(document, path):
    for key in path:
        document = document[key]
    return document


READ = {"seconds", "simulated", "schema", "outcome", "count", "us", "device_events", "finite", "zero", "block", "line"}


def places_of(whole):
    found = [p for p in leaves(whole) if p[-1] in READ and "request" not in p and "lane" not in p]
    assert len(found) > 60
    return found


@pytest.mark.parametrize("value", [["not", "this"], {"not": "this"}, None, float("nan"), float("inf"), 10**400, -1])
def test_a_field_of_the_wrong_kind_is_refused_by_its_place(reading, value):
    for path in places_of(reading)[::3]:
        broken = copy.deepcopy(reading)
        at(broken, path[:-1])[path[-1]] = value
        with pytest.raises(WrongRow, match=re.escape(str(path[-1]))):
            parsed(broken)


def test_a_missing_field_is_refused_by_its_place(reading):
    del reading["cases"][1]["value"]["numerics"]["finite"]
    with pytest.raises(WrongRow, match=r"reading, cases\[1\]\.value\.numerics: .*missing required field `finite`"):
        parsed(reading)


def test_true_is_no_number_and_another_schema_is_not_read(reading):
    with pytest.raises(WrongRow, match=r"reading, seconds: Expected `float`, got `bool`"):
        parsed({**reading, "seconds": True})
    with pytest.raises(WrongRow, match=r"preflight\.probe-reading/9"):
        parsed({**reading, "schema": "preflight.probe-reading/9"})


@pytest.mark.parametrize("whole", [None, [], 3, "text", {}, {"schema": 7}])
def test_what_is_no_reading_could_not_run_and_says_so(whole):
    document = judged(whole)
    assert (document.verdict, document.verdict.exit) == ("could-not-run", 3)
    assert document.reason.startswith("the reading can't be used: reading")


def test_a_distance_that_is_no_number_can_not_pass_for_a_small_one(reading):
    reading["cases"][0]["value"]["numerics"]["compared"] = [
        {"what": "output", "relative": float("nan"), "scale": 1.0, "reference_norm": 1.0, "norm": 1.0}
    ]
    assert "relative" in judged(reading).reason
    assert judged(reading).verdict == "could-not-run"


def test_keys_that_a_later_payload_adds_do_not_disturb(reading):
    reading["cases"][0]["added later"] = 1
    assert parsed(reading).cases[0].block == "Mamba"
