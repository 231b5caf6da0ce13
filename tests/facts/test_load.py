import tomllib

import pytest

from preflight.facts import in_force
from preflight.facts.in_force import digest
from preflight.facts.load import identity, read, rows
from preflight.facts.types import GPUS, TABLES
from preflight.toml_rows import WrongRow

GPU = '[[gpu]]\nname = "T4"\naliases = []\nsm = 75\nmost = 8\nsource = "x"\nseen = 2026-01-01\nhow = "read"\n'


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.file)
def test_every_table_loads_and_every_row_says_where_when_and_how(table):
    assert rows(table)
    for row in rows(table):
        assert row.source and row.seen.year >= 2026


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.file)
def test_every_row_is_of_a_thing_of_its_own(table):
    assert len({identity(table, row) for row in rows(table)}) == len(rows(table))


def test_every_fact_file_belongs_to_a_table_or_to_nobody_here():
    ours = {t.file for t in TABLES}
    assert ours <= {p.name for p in in_force.FOLDER.glob("*.toml")}
    for file in ours:
        document = tomllib.loads((in_force.FOLDER / file).read_text())
        assert len(document) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("sm = 75", 'sm = "75"'), "row 1, sm: Expected `int`, got `str`"),
        (("most = 8\n", ""), "missing required field `most`"),
        (("most = 8", "most = 8\nmots = 8"), "unknown field `mots`"),
        (('how = "read"', 'how = "guessed"'), "row 1, how: Invalid enum value 'guessed'"),
        (("[[gpu]]", "[[cpu]]"), "wanted [[gpu]] rows"),
        (("seen = 2026-01-01", 'seen = "lately"'), "row 1, seen"),
    ],
)
def test_a_wrong_row_is_refused_with_file_and_row(change, said):
    with pytest.raises(WrongRow) as refused:
        read(GPU.replace(*change), GPUS)
    assert "gpus.toml" in str(refused.value)
    assert said in str(refused.value)


def test_a_right_row_is_not_refused():
    assert len(read(GPU, GPUS)) == 1


def test_the_digest_changes_with_a_table_and_only_then(tmp_path, overlay):
    shipped = digest()
    overlay({})
    assert digest() == shipped
    overlay({"gpus.toml": GPU})
    first = digest()
    assert first != shipped
    overlay({"gpus.toml": GPU, "torch_symbols.bin": b"0"})
    assert digest() != first
