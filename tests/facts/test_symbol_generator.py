"""torch_symbols.bin, made column by column: what a column says, and what it leaves unknown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from preflight.binary.elf import exported
from preflight.cli.facts import facts_command
from preflight.facts.in_force import FOLDER, SYMBOLS, put_in_force
from preflight.facts.refresh.symbols import Measured, of_table
from preflight.facts.symbols import CXX11_26, exports, read_table
from tests.facts.conftest import Lay
from tests.facts.index_server import serving

TODAY = date(2027, 1, 5)
OLD, BOTH, NEW = "_ZN3c103oldEv", "_ZN3c104bothEv", "_ZN3c103newEv"
NEW_OF_ABI = "_ZN3c103newENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
LIBRARY = Path(__file__).parent.parent / "data" / "binaries" / "op-torch-2.13.0.so"


def test_each_column_says_what_that_release_exports_and_lacks(overlay: Lay) -> None:
    made = Measured()
    made.add("2.0", [OLD, BOTH])
    made.add("2.1", [BOTH, NEW])
    overlay({SYMBOLS: made.written(TODAY)})
    said = {name: [exports(name).says(c) for c in ("2.0", "2.1")] for name in (OLD, BOTH, NEW)}  # type: ignore[union-attr]
    assert said == {OLD: [True, False], BOTH: [True, True], NEW: [False, True]}


def test_a_later_name_of_the_new_abi_is_unknown_for_the_build_of_2_6_that_was_measured_in_part(overlay: Lay) -> None:
    made = Measured()
    made.add("2.6", [BOTH])
    made.add(CXX11_26, [BOTH])
    made.add("2.7", [BOTH, NEW, NEW_OF_ABI])
    overlay({SYMBOLS: made.written(TODAY)})
    neutral, of_abi = exports(NEW), exports(NEW_OF_ABI)
    assert neutral is not None and of_abi is not None
    assert (neutral.says(CXX11_26), of_abi.says(CXX11_26), of_abi.says("2.6")) == (False, None, False)


def test_the_shipped_table_is_written_as_it_is_read() -> None:
    shipped = read_table(FOLDER / SYMBOLS)
    assert of_table(shipped).written(date(2026, 11, 28)) == (FOLDER / SYMBOLS).read_bytes()


def test_the_names_of_a_library_are_those_that_others_may_find() -> None:
    names = dict(exported(LIBRARY.read_bytes()))
    assert names and not any(n.startswith("_ZN3c106detail23torchInternalAssertFail") for n in names)


@pytest.fixture
def later_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An index whose newest torch no table knows; a library stands for its own."""
    columns = [c for c in read_table(FOLDER / SYMBOLS).columns if "+" not in c]
    files = [f"torch-{c}.0-cp311-cp311-manylinux_2_28_x86_64.whl" for c in (*columns, "9.1")]
    members = {files[-1]: {"torch/lib/libc10.so": LIBRARY.read_bytes(), "torch/lib/libcudart.so": "not torch's"}}
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    with serving({"torch": [{"filename": f} for f in files]}, members) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.url)
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
        yield tmp_path / "XDG_STATE_HOME" / "preflight" / "facts" / SYMBOLS
    put_in_force(None)


def test_a_release_that_the_table_lacks_is_added_when_it_is_asked_for(later_torch: Path) -> None:
    check = CliRunner().invoke(facts_command, ["torch_symbols", "--check"], standalone_mode=False)
    assert (check.return_value, later_torch.exists()) == (1, False)
    done = CliRunner().invoke(facts_command, ["torch_symbols", "--refresh"], standalone_mode=False)
    assert done.return_value == 0, done.output
    assert read_table(later_torch).columns[-1] == "9.1"
    again = CliRunner().invoke(facts_command, ["torch_symbols", "--check"], standalone_mode=False)
    assert (again.return_value, again.output) == (0, "no release of torch is missing\n")
