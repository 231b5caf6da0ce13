"""`preflight bug-report`: names, types and times; no value of yours, shown before it is written."""

from __future__ import annotations

import json
from pathlib import Path

from preflight.cli.bug_report import shape
from preflight.remote.modal_types import Workspace
from tests.conftest import Preflight

CANARY = "canary-7f3a9b2c5d"


def test_it_holds_names_and_no_values(preflight: Preflight, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[tool.preflight.s3]\nbucket = "{CANARY}"\n')
    env = {"MODAL_TOKEN_ID": f"ak-{CANARY}", "MODAL_TOKEN_SECRET": CANARY, "MODAL_SERVER_URL": "http://127.0.0.1:9"}
    ran = preflight("bug-report", "-o", "bug.json", cwd=tmp_path, env=env)
    assert ran.code == 0, ran.err
    assert CANARY not in ran.out + ran.err + (tmp_path / "bug.json").read_text()
    document = json.loads(ran.out)
    assert document == json.loads((tmp_path / "bug.json").read_text())  # what is written has been shown
    assert document["settings"] == ["s3.bucket"]
    assert {"MODAL_TOKEN_ID", "MODAL_SERVER_URL"} <= {*document["variables"]}
    asked = {q["question"]: q for q in document["questions"]}
    assert asked["CLIENT"]["status"] == "answered"
    assert asked["SESSION"]["status"] not in ("answered", "not asked")
    assert asked["APPS"]["status"] == "not asked"


def test_offline_asks_nobody(preflight: Preflight, tmp_path: Path) -> None:
    document = json.loads(preflight("bug-report", "--offline", cwd=tmp_path).out)
    assert document["questions"] == [] and document["packages"]["modal"]


def test_the_shape_of_an_answer_says_types_counts_and_what_is_empty() -> None:
    told = shape((Workspace(name=CANARY, warnings=()),))
    assert told == {"count": 1, "first": {"name": "str", "warnings": {"count": 0}, "is_greeted": "bool"}}
