"""Which torch exports a symbol: the table against what was measured, and what it must not claim to know."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preflight.facts.in_force import FOLDER, SYMBOLS
from preflight.facts.symbols import abi_of, column_of, columns, exports, is_kept, is_torch, pypi_columns

MEASURED = json.loads((Path(__file__).parent.parent / "data" / "symbols" / "measured.json").read_text("utf-8"))
EXCHANGE = "_ZN3c104cuda14ExchangeDeviceEa"
NAMES = sorted(MEASURED["symbols"])
DRAWN = random.Random(5).sample([n for n in NAMES if is_kept(n)], 200)


def minors(text: str) -> set[str]:
    found: set[str] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(pypi_columns()[pypi_columns().index(first) : pypi_columns().index(last or first) + 1])
    return found


@pytest.mark.parametrize("name", DRAWN)
def test_two_hundred_symbols_are_known_for_every_release_and_present_where_libc10_was_seen_to_export_them(
    name: str,
) -> None:
    said = exports(name)
    assert said is not None
    for release, mark in zip(MEASURED["releases"], MEASURED["symbols"][name]["releases"], strict=True):
        column = column_of(release)
        assert column is not None
        assert said.says(column) is not None, release
        if mark == "x" or not name.startswith("_ZT"):  # another library may hold the type of a class
            assert said.says(column) is (mark == "x"), release


def test_the_abi_in_every_measured_name_is_read_without_a_demangler() -> None:
    assert {n: abi_of(n) for n in NAMES} == {n: s["abi"] for n, s in MEASURED["symbols"].items()}


def test_every_symbol_that_the_extensions_leave_undefined_is_known_for_every_release() -> None:
    for name, by in MEASURED["extensions"].items():
        said = exports(name)
        assert said is not None
        assert {c for c in pypi_columns() if said.says(c)} == minors(by)


def test_the_pre_cxx11_name_is_in_no_build_with_the_new_abi() -> None:
    said = exports("_ZN3c106detail14torchCheckFailEPKcS2_jRKSs")
    assert said is not None
    assert said.says("2.6") is True
    assert said.says("2.6+cxx11") is False


@pytest.mark.parametrize(
    ("torch", "column"),
    [
        ("2.6.0", "2.6"),
        ("2.6.0+cu124", "2.6"),
        ("2.6.0+cu126", "2.6+cxx11"),
        ("2.10.0+cu128", "2.10"),
        ("2.15.0", "2.15"),
        ("1.13.1", None),
        ("2.16.0", None),
        ("nightly", None),
    ],
)
def test_a_release_has_its_column_and_one_outside_the_table_has_none(torch: str, column: str | None) -> None:
    assert column_of(torch) == column


@pytest.mark.parametrize("name", ["torch_", "PyObject_Call", "malloc", "", "_ZN2at6native6nosuchEv"])
def test_a_name_of_which_not_all_are_in_the_table_is_unknown_and_not_absent(name: str) -> None:
    assert exports(name) is None


@pytest.mark.parametrize("name", ["_ZN3c103FooEv", "_ZN2at4_ops6nosuch4callEv", "_ZN2at4cuda6nosuchEv"])
def test_a_name_of_torchs_interface_that_is_not_in_the_table_is_in_no_release(name: str) -> None:
    said = exports(name)
    assert said is not None
    assert {said.says(column) for column in columns()} == {False}


def test_an_absent_name_of_the_new_abi_says_nothing_of_the_build_of_2_6_that_was_measured_in_part() -> None:
    said = exports("_ZN2at4cuda6nosuchENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE")
    assert said is not None
    assert said.says("2.6") is False and said.says("2.6+cxx11") is None


def test_an_operator_is_known_for_every_release() -> None:
    said = exports("_ZN2at4_ops10add_Tensor4callERKNS_6TensorES4_RKN3c106ScalarE")
    assert said is not None
    assert {said.says(column) for column in columns()} == {True}


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("_ZN2at4cuda26getCurrentDevicePropertiesEv", "2.0", "2.15"),  # libtorch_cuda
        ("_Z16THPVariable_WrapRKN2at10TensorBaseE", "2.6", "2.15"),  # libtorch_python
    ],
)
def test_names_of_the_cuda_and_python_libraries_are_measured(name: str, first: str, last: str) -> None:
    said = exports(name)
    assert said is not None
    assert said.says(first) is True and said.says(last) is True


@pytest.mark.parametrize(
    "name",
    [
        "_Z4funcN2at6TensorE",  # the extension's own, whose source was left out of the build
        "_ZN3foo3barERKN2at6TensorENSt8optionalIN3c106DeviceEEE",
        "_ZNSt6vectorIN2at6TensorESaIS1_EED1Ev",
        "_ZN4atom3fooEv",
        "torch_scatter_init",
    ],
)
def test_a_function_of_somebody_else_that_takes_a_tensor_is_not_torchs(name: str) -> None:
    assert not is_torch(name)
    assert exports(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "_ZN2at4_ops6nosuch4callERKNS_6TensorE",
        "_ZNK3c103FooEv",
        "_ZTIN5torch8autograd4NodeE",
        "_ZTVN3c105ErrorE",
        "_ZNR5torch7Library3fooEv",
        "_ZN8pybind116detail11type_casterIN3c106ScalarEvE4loadENS_6handleEb",
        "THPVariableClass",
        "_ZN4c10d12ProcessGroupD1Ev",
    ],
)
def test_a_name_in_torchs_namespaces_is_torchs(name: str) -> None:
    assert is_torch(name)


@pytest.mark.parametrize("name", ["_ZN5boost8optionalIiE3getEv", "_ZNSt8optionalIiE5resetEv", "cudaLaunchKernel"])
def test_the_rule_of_optional_is_for_torch_alone(name: str) -> None:
    assert exports(name) is None
    assert not is_torch(name)


@pytest.mark.parametrize(
    ("name", "abi"),
    [
        ("_ZN3c104cuda14ExchangeDeviceEa", "neutral"),
        ("_ZN2at4_ops5SsSs14callEv", "neutral"),  # inside an identifier
        ("_ZN3c105ErrorC2ENS_14SourceLocationESs", "pre"),
        ("_ZNK3c105Error3fooB5cxx11Ev", "cxx11"),
        ("Ss", "neutral"),
    ],
)
def test_the_abi_of_a_name(name: str, abi: str) -> None:
    assert abi_of(name) == abi


@given(st.text(max_size=300))
def test_no_text_breaks_the_questions(text: str) -> None:
    exports(text)
    exports("_ZN3c10" + text)
    assert abi_of("_Z" + text) in ("cxx11", "pre", "neutral")


def test_the_table_is_small_and_says_where_it_is_from() -> None:
    file = FOLDER / SYMBOLS
    assert file.stat().st_size <= 200_000
    head = json.loads(file.read_bytes().partition(b"\n")[0])
    assert head["columns"] == list(columns())
    assert head["source"] and head["how"] == "read" and head["seen"].startswith("2026-")


def test_the_table_is_read_only_when_a_symbol_is_asked_for() -> None:
    code = "import preflight.facts.symbols as s, preflight.diagnosis.rank; print(s.table.cache_info().currsize)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == "0"
