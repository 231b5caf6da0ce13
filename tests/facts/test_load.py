import tomllib

import pytest

from preflight.facts import digest as digests
from preflight.facts import load
from preflight.facts.in_force import digest
from preflight.facts.load import WrongFact, read, rows
from preflight.facts.types import GPUS, TABLES

GPU = '[[gpu]]\nname = "T4"\naliases = []\nsm = 75\nmost = 8\nsource = "x"\nseen = 2026-01-01\nhow = "read"\n'


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.file)
def test_every_table_loads_and_every_row_says_where_when_and_how(table):
    assert rows(table)
    for row in rows(table):
        assert row.source and row.seen.year >= 2026


def test_every_fact_file_belongs_to_a_table_or_to_nobody_here():
    ours = {t.file for t in TABLES}
    assert ours <= {p.name for p in load.FOLDER.glob("*.toml")}
    for file in ours:
        document = tomllib.loads((load.FOLDER / file).read_text())
        assert len(document) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("sm = 75", 'sm = "75"'), "row 1, sm: wanted int"),
        (("most = 8\n", ""), "most missing"),
        (("most = 8", "most = 8\nmots = 8"), "mots is no key of GpuRow"),
        (('how = "read"', 'how = "guessed"'), "wanted How, found 'guessed'"),
        (("[[gpu]]", "[[cpu]]"), "wanted [[gpu]] rows"),
        (("seen = 2026-01-01", 'seen = "2026-01-01"'), "wanted date"),
    ],
)
def test_a_wrong_row_is_refused_with_file_and_row(change, said):
    with pytest.raises(WrongFact) as refused:
        read(GPU.replace(*change), GPUS)
    assert "gpus.toml" in str(refused.value)
    assert said in str(refused.value)


def test_a_right_row_is_not_refused():
    assert len(read(GPU, GPUS)) == 1


def test_the_digest_changes_with_a_table_and_only_then(tmp_path, monkeypatch):
    (tmp_path / "a.toml").write_text("x = 1")
    monkeypatch.setattr(digests, "FOLDER", tmp_path)
    first = digest.__wrapped__()
    assert digest.__wrapped__() == first
    (tmp_path / "a.toml").write_text("x = 2")
    assert digest.__wrapped__() != first
    (tmp_path / "a.toml").write_text("x = 1")
    (tmp_path / "symbols.bin").write_bytes(b"\x00")
    assert digest.__wrapped__() != first
