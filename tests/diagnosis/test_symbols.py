"""What an undefined symbol tells in a diagnosis: the range, the side, the ABI, the fix; and where it stays silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.binary.symbols import fix, needed, readable, side, span, why
from preflight.diagnosis import diagnose

EXCHANGE = "_ZN3c104cuda14ExchangeDeviceEa"
SET_2_3 = "_ZN3c104cuda9SetDeviceEa"
SET_2_8 = "_ZN3c104cuda9SetDeviceEab"
PRE = "_ZN3c106detail14torchCheckFailEPKcS2_jRKSs"
CXX11 = "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
SCAN = "selective_scan_cuda.cpython-311-x86_64-linux-gnu.so"


def test_one_symbol_gives_a_range_and_all_of_them_narrow_it() -> None:
    one, both = needed([EXCHANGE]), needed([EXCHANGE, SET_2_3, PRE])
    assert one is not None and both is not None
    assert one.minors is not None and span(one.minors) == "2.3 to 2.15"
    assert both.minors is not None and span(both.minors) == "2.3 to 2.6"
    assert both.abi == "pre"


@pytest.mark.parametrize(
    ("symbol", "torch", "said"),
    [
        (EXCHANGE, "2.2.2", "torch 2.2.2 is too old for this build"),
        (SET_2_3, "2.8.0", "this build is too old for torch 2.8.0"),
        (EXCHANGE, None, "the torch that refuses it is 2.2 or older"),
        (SET_2_3, None, "the torch that refuses it is 2.2 or older, or 2.8 or newer"),
        (CXX11, "2.5.1", "torch 2.5.1 has the old C++ ABI (cxx11abiFALSE)"),
        (PRE, "2.6.0+cu126", "torch 2.6.0+cu126 has the C++11 ABI (cxx11abiTRUE)"),
    ],
)
def test_it_says_which_side_is_wrong(symbol: str, torch: str | None, said: str) -> None:
    told = why([symbol], torch)
    assert told is not None and said in told


def test_a_torch_inside_the_range_is_not_called_too_old() -> None:
    assert "another build of it" in side(["2.3", "2.4"], "2.3.1")


def test_a_symbol_that_never_changes_says_that_torch_was_not_loaded() -> None:
    told = why(["_ZTVN5torch8autograd12AutogradMetaE"], None)
    assert told is not None and "import torch first" in told


@pytest.mark.parametrize("symbol", ["ncclCommRegister", "PyObject_Call", "_ZN5boost3fooEv", ""])
def test_a_symbol_that_is_not_torchs_is_left_to_the_rule(symbol: str) -> None:
    assert why([symbol], "2.5.1") is None
    assert fix([symbol], SCAN, "2.5.1") is None


def test_an_unknown_symbol_of_torch_gets_no_range_and_no_fix() -> None:
    told = why(["_ZN2at6native3FooEv"], "2.5.1")
    assert told is not None and "is known to export it or to lack it" in told
    assert "too old" not in told
    assert fix(["_ZN2at6native3FooEv"], SCAN, "2.5.1") is None


def test_the_fix_is_the_sound_wheel_for_the_torch_that_stands() -> None:
    assert fix([SET_2_8], SCAN, "2.5.1+cu124") == (
        "pip install --no-deps --force-reinstall https://github.com/state-spaces/mamba/releases/download/v2.3.0/"
        "mamba_ssm-2.3.0+cu12torch2.5cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
    )


def test_where_no_wheel_was_published_the_fix_is_a_build() -> None:
    told = fix([EXCHANGE], SCAN, "2.13.0")
    assert told is not None and told.startswith("no sound release wheel of mamba-ssm is known for torch 2.13.0: build")


def test_without_the_loading_torch_the_fix_names_the_pin_of_this_build() -> None:
    told = fix([SET_2_3], SCAN, None)
    assert told is not None and told.endswith("or pin the torch of this build: torch >=2.3,<2.8")


@pytest.mark.parametrize("torch", ["2.5.1; rm -rf /", "x" * 300, "2"])
def test_text_of_a_log_that_is_no_version_names_no_wheel(torch: str) -> None:
    told = fix([SET_2_3], SCAN, torch)
    assert told is not None and "github" not in told and "rm -rf" not in told


@pytest.mark.parametrize(
    "symbol", ["_Z" + "N" * 50_000, "_ZN3c101fE" + "P" * 9_000, "_ZN3c10" + "St8optionalI" * 4_000]
)
def test_a_hostile_name_is_shown_short_and_soon(symbol: str) -> None:
    assert len(readable(symbol)) <= 160


def test_diagnose_speaks_of_this_very_log() -> None:
    log = f"torch.__version__ = 2.2.2\nImportError: /x/{SCAN}: undefined symbol: {EXCHANGE}\n"
    cause = diagnose(log).causes[0]
    assert cause.rule == "torch-abi-mismatch"
    said, _, side_said = cause.why.partition("; ")
    assert said == "c10::cuda::ExchangeDevice(signed char) is in torch 2.3 to 2.15 as on PyPI"
    assert side_said == "torch 2.2.2 is too old for this build"
    assert "mamba_ssm-2.2.4+cu12torch2.2cxx11abiFALSE-cp311" in cause.remedy


def test_several_symbols_of_one_library_narrow_the_range_of_the_cause() -> None:
    log = "".join(f"ImportError: /x/{SCAN}: undefined symbol: {s}\n" for s in (EXCHANGE, SET_2_3))
    assert "2.3 to 2.7" in diagnose(log).causes[0].why


def test_symbols_of_two_libraries_are_not_thrown_together() -> None:
    log = (
        f"ImportError: /x/{SCAN}: undefined symbol: {EXCHANGE}\nImportError: /x/other.so: undefined symbol: {SET_2_3}\n"
    )
    assert "2.3 to 2.15" in diagnose(log).causes[0].why


BINARIES = Path(__file__).parent.parent / "data" / "binaries"
LIBRARY_DEF = (
    "_ZNR5torch7Library4_defEON3c1014FunctionSchemaEPNS1_12OperatorName"
    "ERKSt6vectorIN2at3TagESaIS8_EENS_17_RegisterOrVerifyE"
)


def test_the_file_that_the_log_speaks_of_narrows_the_range_where_it_is_at_hand() -> None:
    log = f"ImportError: {BINARIES}/op-torch-2.2.2.so: undefined symbol: {LIBRARY_DEF}\n"
    cause = diagnose(log).causes[0]
    assert "and 18 more of its symbols are in torch 2.2 to 2.3 as on PyPI" in cause.why
    assert "torch >=2.2,<2.4" in cause.remedy


@pytest.mark.parametrize("name", ["op-torch-2.13.0.so", "op.cpp", "no-such.so", "."])
def test_a_file_that_does_not_ask_for_the_symbol_is_not_the_one(name: str) -> None:
    log = f"ImportError: {BINARIES}/{name}.so: undefined symbol: {EXCHANGE}\n".replace(".so.so", ".so")
    assert "2.3 to 2.15" in diagnose(log).causes[0].why
