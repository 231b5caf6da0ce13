import json

from click.testing import CliRunner

from preflight.cli.facts import facts_command
from preflight.facts.types import TABLES


def test_facts_lists_every_table():
    done = CliRunner().invoke(facts_command, [], standalone_mode=False)
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
