"""A refresh against an index on this machine: the shipped rows come out again, and what is new is found."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from preflight.facts.in_force import FOLDER, put_in_force
from preflight.facts.load import read, rows, shipped_rows
from preflight.facts.refresh.releases import rows as releases_of
from preflight.facts.refresh.renew import GENERATORS, Renewed, renew, table_text, write
from preflight.facts.refresh.source import NotRead, Sources, named, requires
from preflight.facts.types import COMPAT, MAMBA_SSM, TABLES, TORCH, Row, Table
from preflight.facts.wheels import TABLE_OF
from preflight.remote.index.packages import PackageIndex
from tests.facts.conftest import Lay
from tests.facts.index_server import Index, recorded, serving
from tests.forked import REPOSITORY

TODAY = date(2027, 1, 5)
SCRIPT = REPOSITORY / ".ci" / "refresh_facts.py"
MOST = 12  # releases of one package that are opened: each takes a fifth of a second


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    with serving(recorded()["pages"], recorded()["members"]) as server:
        yield server


def renewed(server: Index, kept: Path, table: Table[Any], *, is_all: bool = False) -> Any:
    with PackageIndex([server.url], kept) as asked:
        (one,) = renew(Sources(asked, None, TODAY, is_all), (table,))
    return one


def without_date(row: Row) -> dict[str, object]:
    return {k: v for k, v in msgspec.structs.asdict(row).items() if k != "seen"}


def test_every_torch_row_comes_out_again_from_recorded_answers(index: Index, tmp_path: Path) -> None:
    one = renewed(index, tmp_path, TORCH, is_all=True)
    assert one.unread == ()
    shipped = {r.minor: without_date(r) for r in shipped_rows(TORCH)}
    found = {r.minor: without_date(r) for r in one.rows}
    for row in (*shipped.values(), *found.values()):
        row.pop("source")  # it names the day on which the +cu builds were read, which are on another index
    assert found == shipped


@pytest.mark.parametrize("package", TABLE_OF)
def test_every_release_comes_out_again_from_recorded_answers(tmp_path: Path, package: str) -> None:
    shipped = [r for r in shipped_rows(TABLE_OF[package]) if r.package == package]
    files = {row["filename"]: str(named(row["filename"])[0]) for row in recorded()["pages"][package]}
    known = [r for r in shipped if r.version in files.values() or not r.on_pypi]
    known = known[-1 :: -max(1, len(known) // MOST)][::-1]
    versions = {r.version for r in known}
    page = [row for row in recorded()["pages"][package] if files[row["filename"]] in versions]
    with serving({package: page}, recorded()["members"]) as server, PackageIndex([server.url], tmp_path) as asked:
        not_on_pypi = [msgspec.structs.replace(r, on_pypi=False) for r in known]  # what is there now is read again
        found = list(releases_of(asked, package, not_on_pypi, TODAY))
    assert known
    assert list(map(without_date, found)) == list(map(without_date, known))


def test_a_release_that_is_known_is_not_opened_again(index: Index, tmp_path: Path) -> None:
    index.asked.clear()
    one = renewed(index, tmp_path, MAMBA_SSM)
    assert one.changes == ()
    assert {r.seen for r in one.rows} == {TODAY}
    assert index.asked == ["/simple/mamba-ssm/"]


def test_what_was_read_is_not_asked_for_again_and_a_page_only_whether_it_changed(index: Index, tmp_path: Path) -> None:
    with PackageIndex([index.url], tmp_path) as asked:
        first = list(releases_of(asked, "causal-conv1d", (), TODAY, oldest="1.5"))
    index.asked.clear()
    with PackageIndex([index.url], tmp_path) as asked:
        assert list(releases_of(asked, "causal-conv1d", (), TODAY, oldest="1.5")) == first
    assert index.asked == ["/simple/causal-conv1d/"]


def test_an_index_that_is_overloaded_is_asked_again_and_one_that_stays_so_leaves_the_rows(tmp_path: Path) -> None:
    with serving(recorded()["pages"], recorded()["members"]) as server:
        server.fails["/simple/mamba-ssm/"] = 1
        assert renewed(server, tmp_path, MAMBA_SSM).unread == ()
        server.fails["/simple/mamba-ssm/"] = 99
        one = renewed(server, tmp_path, MAMBA_SSM)
    assert one.rows == () and one.changes == ()
    assert one.unread == ("127.0.0.1:" + str(server.server_port) + " answers 503",)


def test_a_source_that_fails_half_way_gives_no_row_and_all_that_it_could_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(sources: Sources, known: Sequence[Row]) -> Iterator[Row | str]:
        yield "the second index: no answer"
        yield msgspec.structs.replace(known[0], note="read anew")
        raise NotRead("the first index: no answer")

    monkeypatch.setitem(GENERATORS, TORCH, (half,))
    with PackageIndex(["http://127.0.0.1:9"], tmp_path) as asked:
        (one,) = renew(Sources(asked, None, TODAY), (TORCH,))
    assert (one.rows, one.changes) == ((), ())
    assert one.unread == ("the second index: no answer", "the first index: no answer")


@pytest.mark.parametrize("is_plain", [False, True], ids=["JSON and ranges", "HTML and no ranges"])
def test_a_plain_index_says_the_same_as_one_with_sizes_and_ranges(tmp_path: Path, is_plain: bool) -> None:
    page = [r for r in recorded()["pages"]["torchvision"] if "0.29.0" in r["filename"]]
    with serving({"torchvision": page}, recorded()["members"]) as server, PackageIndex([server.url], tmp_path) as asked:
        server.is_plain = is_plain
        (file,) = asked.files("torchvision")
        assert (file.size == 0) is is_plain
        assert "torch==2.14.0" in map(str, requires(asked.metadata(file)))


def test_an_index_that_can_not_be_reached_is_named_and_not_read_as_empty(tmp_path: Path) -> None:
    with PackageIndex(["http://127.0.0.1:9"], tmp_path) as asked, pytest.raises(NotRead, match=r"127\.0\.0\.1:9: "):
        asked.files("torch")


def with_new_releases() -> tuple[dict[str, Any], dict[str, Any]]:
    """The recorded index some weeks later: torch 2.16, and a mamba-ssm that is built like the last one."""
    pages, members = dict(recorded()["pages"]), dict(recorded()["members"])
    for row in [r for r in pages["torch"] if r["filename"].startswith("torch-2.15.0")]:
        new = row["filename"].replace("2.15.0", "2.16.0")
        pages["torch"] = [*pages["torch"], {**row, "filename": new}]
        if row["filename"] in members:
            members[new] = members[row["filename"]]
    (last,) = [r for r in pages["mamba-ssm"] if "2.3.2.post1" in r["filename"]]
    new = last["filename"].replace("2.3.2.post1", "2.4.0")
    pages["mamba-ssm"] = [*pages["mamba-ssm"], {**last, "filename": new}]
    members[new] = {k.replace("2.3.2.post1", "2.4.0"): v for k, v in members[last["filename"]].items()}
    return pages, members


def test_a_new_release_is_found_said_in_words_and_in_force_once_written(tmp_path: Path, overlay: Lay) -> None:
    folder = overlay({})
    with serving(*with_new_releases()) as server:
        torch, mamba = renewed(server, tmp_path, TORCH), renewed(server, tmp_path, MAMBA_SSM)
    assert torch.changes == ("torch 2.16 is new",)
    assert mamba.changes == ("mamba-ssm 2.4.0 is new",)
    for one in (torch, mamba):
        write(folder, one)
    put_in_force(folder)
    assert rows(TORCH)[-1].minor == "2.16"
    assert rows(TORCH)[-1].builds_known is False
    assert [r.version for r in rows(MAMBA_SSM)][-1] == "2.4.0"


def test_of_two_rows_of_one_thing_the_later_seen_holds(overlay: Lay) -> None:
    row = msgspec.structs.replace(shipped_rows(TORCH)[-1], note="from the overlay")
    for seen, note in ((date(2030, 1, 1), "from the overlay"), (date(2026, 1, 1), shipped_rows(TORCH)[-1].note)):
        overlay({TORCH.file: table_text(TORCH, [msgspec.structs.replace(row, seen=seen)])})
        assert rows(TORCH)[-1].note == note
        assert len(rows(TORCH)) == len(shipped_rows(TORCH))


@pytest.mark.parametrize("text", ["[[torch]]\nminor = 3\n", "not toml [", "[[tarch]]\nminor = '2.16'\n"])
def test_an_overlay_that_cannot_be_read_is_not_used_and_named(overlay: Lay, text: str) -> None:
    from preflight.facts.in_force import ignored

    overlay({TORCH.file: text})
    assert rows(TORCH) == shipped_rows(TORCH)
    assert "torch.toml" in ignored


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_a_table_is_written_as_it_is_read(table: Table[Row]) -> None:
    assert read(table_text(table, shipped_rows(table)), table) == shipped_rows(table)


@pytest.mark.skipif(not SCRIPT.exists(), reason="a copy without the maintainers' scripts")
def test_the_maintainers_script_leaves_a_table_without_news_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shipped = runpy.run_path(str(SCRIPT))["write"]
    for table in (TORCH, MAMBA_SSM):
        shutil.copy(FOLDER / table.file, tmp_path)
        monkeypatch.setitem(write_shipped.__globals__, "FOLDER", tmp_path)
        write_shipped(Renewed(table, shipped_rows(table)))
        assert (tmp_path / table.file).read_text("utf-8") == (FOLDER / table.file).read_text("utf-8")


def test_the_tables_that_a_refresh_makes_are_those_with_a_public_source() -> None:
    assert {t.name for t in GENERATORS} >= {"torch", "wheels_mamba_ssm", "wheels_causal_conv1d", "wheels_flash_attn"}


def test_what_comes_when_nobody_asks_for_a_version_is_read_from_the_index(tmp_path: Path, overlay: Lay) -> None:
    folder = overlay({})
    with serving({"transformers": [{"filename": "transformers-9.8.7-py3-none-any.whl"}]}, {}) as server:
        one = renewed(server, tmp_path, COMPAT)
    assert one.unread == () and len(one.rows) == len(shipped_rows(COMPAT))
    write(folder, one)
    put_in_force(folder)
    assert {r.today for r in rows(COMPAT) if r.other == "transformers"} == {"9.8.7"}
    assert {r for r in rows(COMPAT) if not r.today} == {r for r in shipped_rows(COMPAT) if not r.today}  # type: ignore[attr-defined]
