import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

import preflight
from preflight.cli.facts import facts_command
from preflight.facts.types import TABLES
from tests.facts.index_server import recorded, serving

SCHEMA = Path(preflight.__file__).parent / "report/schemas/preflight.facts-1.json"


def told(*words):
    return CliRunner().invoke(facts_command, [*words], standalone_mode=False)


def valid(text):
    document = json.loads(text)
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    return document


def test_facts_lists_every_table():
    done = CliRunner(env={"COLUMNS": "80"}).invoke(facts_command, [], standalone_mode=False)
    assert done.return_value == 0
    for table in TABLES:
        assert table.file.removesuffix(".toml") in done.output


def test_stale_rows_make_exit_1_and_fresh_ones_do_not():
    old = CliRunner().invoke(facts_command, ["--stale", "0", "--json"], standalone_mode=False)
    fresh = CliRunner().invoke(facts_command, ["--stale", "36500"], standalone_mode=False)
    assert fresh.return_value == 0
    assert "0 rows older than 36500 days" in fresh.output
    document = json.loads(old.output)
    assert old.return_value == (1 if any(t["rows"] for t in document["tables"]) else 0)


def test_json_rows_carry_their_provenance():
    done = CliRunner().invoke(facts_command, ["--json"], standalone_mode=False)
    for table in json.loads(done.output)["tables"]:
        for row in table["rows"]:
            assert row["source"] and row["seen"] and row["how"] in {"read", "ran", "inferred"}


def test_one_table_names_the_source_and_the_date_of_every_row():
    done = told("torch")
    assert done.return_value == 0
    assert done.output.count("read 20") == 16
    assert "pypi_cuda 13.2" in done.output.replace("\n", " ")


def test_a_table_that_is_not_there_is_refused_with_the_names_of_those_that_are():
    done = told("torhc")
    assert "wheels_mamba_ssm" in str(done.exception)


def test_the_document_fits_its_schema():
    assert len(valid(told("--json").output)["tables"]) == len(TABLES)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """pip is told of an index on this machine, and nothing of the user's is read or written."""
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    with serving(recorded()["pages"], recorded()["members"]) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.url)
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
        yield server


def test_a_check_says_what_is_new_writes_nothing_and_exits_1(index, tmp_path):
    index.pages["mamba-ssm"] = [*index.pages["mamba-ssm"], later(index)]
    done = told("wheels_mamba_ssm", "--check", "--json")
    assert done.return_value == 1
    assert valid(done.output)["refreshed"][0]["changes"] == ["mamba-ssm 2.9.9 is new"]
    assert not (tmp_path / "XDG_STATE_HOME").exists()


def test_a_refresh_is_in_force_at_once_and_a_second_finds_nothing_new(index, tmp_path):
    from preflight.facts.in_force import digest, put_in_force

    before = digest()
    index.pages["mamba-ssm"] = [*index.pages["mamba-ssm"], later(index)]
    try:
        done = told("wheels_mamba_ssm", "--refresh")
        assert done.return_value == 0
        assert "mamba-ssm 2.9.9 is new" in done.output
        assert digest() != before
        assert "0 changes" in told("wheels_mamba_ssm", "--refresh").output
    finally:
        put_in_force(None)
    assert digest() == before


def test_nothing_new_is_exit_0_and_an_index_that_fails_is_exit_3(index):
    assert told("wheels_mamba_ssm", "--check").return_value == 0
    index.fails["/simple/mamba-ssm/"] = 99
    done = told("wheels_mamba_ssm", "--check")
    assert done.return_value == 3
    assert "not read, its rows stay: 127.0.0.1" in done.output.replace("\n", " ")


def test_a_table_that_is_kept_by_hand_is_not_said_to_be_fresh(index):
    assert "kept by hand" in str(told("limits", "--refresh").exception)


def later(index):
    (last,) = [row for row in index.pages["mamba-ssm"] if "2.3.2.post1" in row["filename"]]
    name = last["filename"].replace("2.3.2.post1", "2.9.9")
    index.members = {**index.members, name: index.members[last["filename"]]}
    return {**last, "filename": name}
