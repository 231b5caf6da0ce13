"""`preflight bug-report`: names, types and times; no value of yours, shown before it is written."""

from __future__ import annotations

import json
from pathlib import Path

from modal_proto import api_pb2

from preflight.remote.rpcs import present
from preflight.sandbox import serve
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


def test_each_rpc_has_its_status_its_time_the_names_of_its_fields_and_the_text_of_its_error(
    preflight: Preflight, tmp_path: Path
) -> None:
    with serve.start("healthy") as sandbox:
        document = json.loads(preflight("bug-report", cwd=tmp_path, env=sandbox.applied({})).out)
    rpcs = {r["name"]: r for r in document["rpcs"]}
    assert {"ClientHello", "EnvironmentGetOrCreate", "SecretList", "AppList"} <= {*rpcs}
    assert rpcs["EnvironmentList"]["status"] == "OK" and rpcs["EnvironmentList"]["seconds"] >= 0
    assert {"items[1]", "items[].name"} <= {*rpcs["EnvironmentList"]["fields"]}
    with serve.start("bad-token") as sandbox:
        document = json.loads(preflight("bug-report", cwd=tmp_path, env=sandbox.applied({})).out)
    [refused] = [r for r in document["rpcs"] if r["status"] != "OK"][:1]
    assert refused["status"] == "UNAUTHENTICATED" and refused["error"] and refused["fields"] == []


def test_offline_asks_nobody(preflight: Preflight, tmp_path: Path) -> None:
    document = json.loads(preflight("bug-report", "--offline", cwd=tmp_path).out)
    assert document["questions"] == [] and document["rpcs"] == [] and document["packages"]["modal"]


def test_the_names_of_fields_say_how_many_and_never_what() -> None:
    answer = api_pb2.SecretListResponse(
        items=[api_pb2.SecretListItem(label=CANARY, environment_name=CANARY)], environment_name=""
    )
    assert [*present(answer)] == ["items[1]", "items[].label", "items[].environment_name"]
    function = api_pb2.Function(method_definitions={CANARY: api_pb2.MethodDefinition(function_name=CANARY)})
    assert [*present(function)] == ["method_definitions{1}"]
