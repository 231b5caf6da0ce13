"""What the attacks share: the count of their trials, and children that are started once and forked for each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

import pytest

from tests.trust.forked import Forks
from tests.trust.table import FIGURES, Tally


@pytest.fixture
def tally(record_property: pytest.RecordProperty) -> Iterator[Tally]:
    """For a test of many trials: how many there were, and how many were bad."""
    counted = Tally()
    yield counted
    record_property(FIGURES, json.dumps(asdict(counted)))


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Commands in children of a process that has loaded them already."""
    made = Forks(tmp_path_factory.mktemp("forks"))
    yield made
    made.close()
