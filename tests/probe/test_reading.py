"""A reading is taken in field by field, or refused with the name of the field."""

from __future__ import annotations

import copy
import re

import pytest

from preflight.probe.fields import ReadingError
from preflight.probe.parsing import parsed


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


def test_a_field_of_the_wrong_kind_is_refused_by_its_name(reading_of):
    whole = reading_of()
    places = [p for p in leaves(whole) if p[-1] in READ and "request" not in p and "lane" not in p]
    assert len(places) > 60
    for path in places[::3]:
        broken = copy.deepcopy(whole)
        at(broken, path[:-1])[path[-1]] = ["not", "this"]
        with pytest.raises(ReadingError, match=re.escape(str(path[-1]))):
            parsed(broken)


def test_a_missing_field_is_refused_by_its_name(reading_of):
    whole = reading_of()
    del whole["cases"][1]["value"]["numerics"]["finite"]
    with pytest.raises(ReadingError, match=r"reading\.cases\[1\]\.value\.numerics\.finite: wanted true or false"):
        parsed(whole)


def test_true_is_no_number_and_another_schema_is_not_read(reading_of):
    whole = reading_of()
    with pytest.raises(ReadingError, match=r"reading\.seconds: wanted a number, found True"):
        parsed({**whole, "seconds": True})
    with pytest.raises(ReadingError, match=r"wanted preflight\.probe-reading/2"):
        parsed({**whole, "schema": "preflight.probe-reading/9"})
    with pytest.raises(ReadingError, match="wanted an object"):
        parsed(None)


def test_keys_that_a_later_payload_adds_do_not_disturb(reading_of):
    whole = reading_of()
    whole["cases"][0]["added later"] = 1
    assert parsed(whole).cases[0].block == "Mamba"
