"""Every construct of the client that an app may use, against the sandbox: it answers, or names what is not there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from preflight.sandbox import confinement, serve
from preflight.sandbox.control_plane.calls import Containers
from preflight.sandbox.control_plane.service import API, FOR_ALL, method_name
from tests.conftest import python
from tests.forked import REPOSITORY

SCRIPT = Path(__file__).parent / "scripts" / "every_construct.py"
FILES = [["up", "up/copy.txt", "up/one.txt", "up/two.txt"], "one", "FileNotFoundError"]

pytestmark = pytest.mark.skipif(bool(confinement.why_not()), reason="this machine can't confine")


@pytest.fixture(scope="module")
def answers(healthy: serve.Sandbox) -> dict[str, object]:
    environ = healthy.applied(os.environ) | {"PYTHONPATH": str(REPOSITORY)}
    ended = python([str(SCRIPT)], env=environ, cwd=healthy.project, limit_s=240)
    assert ended.returncode == 0, ended.stderr
    answered: dict[str, object] = json.loads(ended.stdout)
    return answered


@pytest.mark.parametrize(
    ("construct", "answer"),
    [
        ("write", "/srv/app"),
        ("read", ["from-body.txt"]),
        ("read only", "Read-only file system"),
        ("counted", [1, 2]),
        ("default parameter", 31),
        ("parameter", 51),
        ("options", 41),
        ("stream", [0, 1, 2]),
        ("map", [0, 2, 4, 6, 8]),
        ("batched", [1, 2, 3]),
        ("scheduled", "in-"),
        ("web url", "https://"),
        ("stats", 0),
        ("autoscaler", 2),
        ("spawned", ["from-body.txt"]),
        ("gathered", [2, 4]),
        ("call graph", 1),
        ("dicts", [1, 0, True, 3, ["a", "b", "c"], 1, False, 0]),
        ("queues", [3, 4, 1, [2, 3], None, "other", [7, 8]]),
        ("files", [["from-body.txt", *FILES[0]], *FILES[1:]]),
        ("files of version 2", [["deep", "deep/b.txt", *FILES[0]], *FILES[1:]]),
        ("left by the body", ["deep", "deep/b.txt"]),
        ("deployed function", ["from-body.txt"]),
        ("deployed class", 61),
        ("deployed class with options", 31),
        ("environment", ["main", "other"]),
        ("names", [["calls"], ["second", "shared", "training-results"]]),
    ],
)
def test_a_construct_answers_as_it_does_on_modal(answers: dict[str, object], construct: str, answer: object) -> None:
    assert answers[construct] == answer


@pytest.mark.parametrize(
    ("construct", "error", "says"),
    [
        ("another's function", "NotFoundError", "App 'not-there' not found"),
        ("no such function", "NotFoundError", "Function 'nothing' not found in app 'constructs'"),
        ("no such class", "NotFoundError", "Class 'Nothing' not found in app 'constructs'"),
        ("no such environment", "InvalidError", "Environment 'nowhere' not found"),
        ("version", "InvalidError", "exists but has version v1, not v2"),
    ],
)
def test_what_is_not_there_is_refused_as_modal_does(
    answers: dict[str, object], construct: str, error: str, says: str
) -> None:
    assert str(answers[construct]).startswith(f"{error}: ")
    assert says in str(answers[construct])


def test_every_answer_of_the_control_plane_is_one_to_an_rpc_of_the_client() -> None:
    rpcs = {method_name(m.name) for m in API.methods}
    assert not {name for topic in (*FOR_ALL, Containers) for name in vars(topic) if name[0] != "_"} - rpcs
