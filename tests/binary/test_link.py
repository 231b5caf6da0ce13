"""The verdict on a library: what the loader would say, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from preflight.binary.elf import SharedLibrary
from preflight.binary.fatbin import Arch, Kind
from preflight.binary.link import Beside, Library, Linked, Target, Verdict, WantedGpu, judge, link, whole
from preflight.facts.symbols import pypi_columns, span_of_table

BINARIES = Path(__file__).parent.parent / "data" / "binaries"
OLD, NEW = BINARIES / "op-torch-2.2.2.so", BINARIES / "op-torch-2.13.0.so"
EXCHANGE = "_ZN3c104cuda14ExchangeDeviceEa"
SET_2_3 = "_ZN3c104cuda9SetDeviceEa"
PRE = "_ZN3c106detail14torchCheckFailEPKcS2_jRKSs"
CXX11 = "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
NOWHERE = "_ZN2at6native6nosuchEv"  # torch's, and of a kind that the table does not hold
H100, B200 = WantedGpu("H100", 90, "--gpu"), WantedGpu("B200", 100, "--gpu")
SM80, SM90, PTX90 = Arch(80, Kind.CUBIN), Arch(90, Kind.CUBIN), Arch(90, Kind.PTX)
SCAN = "selective_scan_cuda.cpython-311-x86_64-linux-gnu.so"


def library(*undefined: str, needed: tuple[str, ...] = (), machine: str = "x86_64") -> SharedLibrary:
    return SharedLibrary(
        machine=machine, soname="", needed=needed, undefined=undefined, versions=(), init_functions=(), sections=()
    )


def of(
    one: SharedLibrary, *held: Arch, torch: str | None = None, gpus: tuple[WantedGpu, ...] = (), path: str = SCAN
) -> Linked:
    return judge(Library(path, one, held), Target(torch, gpus), path.partition("/")[0])


@pytest.mark.parametrize(
    ("file", "torch", "verdict", "first"),
    [
        (OLD, "2.2.2", Verdict.LOADS, ""),
        (
            OLD,
            "2.13.0+cpu",
            Verdict.DOES_NOT_LOAD,
            "_ZNR5torch7Library4_defEON3c1014FunctionSchemaEPNS1_12OperatorNameE",
        ),
        (NEW, "2.13.0+cpu", Verdict.LOADS, ""),
        (NEW, "2.2.2", Verdict.DOES_NOT_LOAD, "_ZN3c106detail23torchInternalAssertFailEPKcS2_jS2_RKNSt7__cxx11"),
    ],
)
def test_real_extensions_get_the_verdict_that_a_real_dlopen_gave(
    file: Path, torch: str, verdict: Verdict, first: str
) -> None:
    (one,) = link(file, Target(torch))
    assert one.verdict is verdict
    if first:
        assert one.missing_symbols[0].startswith(first)
        assert one.reasons[0].startswith(f"undefined symbol: {first}")


def test_without_a_torch_it_names_those_it_loads_with_and_the_abi() -> None:
    (old,), (new,) = link(OLD, Target()), link(NEW, Target())
    assert (old.torch_versions, old.cxx11abi) == (("2.2", "2.3"), False)
    assert (new.torch_versions, new.cxx11abi) == (("2.12", "2.13", "2.14", "2.15"), True)
    assert new.notes == ()
    assert old.floors["GLIBC"] == "2.32"


def test_all_symbols_narrow_the_range_that_one_gives() -> None:
    assert of(library(EXCHANGE)).torch_versions[0] == "2.3"
    assert of(library(EXCHANGE, SET_2_3, PRE)).torch_versions == ("2.3", "2.4", "2.5", "2.6")


def test_the_new_abi_takes_in_the_build_of_2_6_that_has_it() -> None:
    assert of(library(CXX11)).torch_versions[0] == "2.6+cu126"
    assert of(library(CXX11), torch="2.6.0").verdict is Verdict.DOES_NOT_LOAD
    assert of(library(CXX11), torch="2.6.0+cu126").verdict is Verdict.LOADS


def test_both_abis_in_one_library_load_with_no_torch_and_claim_neither() -> None:
    one = of(library(CXX11, PRE))
    assert one.verdict is Verdict.DOES_NOT_LOAD
    assert one.cxx11abi is None
    assert len(one.missing_symbols) == 1
    assert f"no release from {span_of_table()} has all that it needs" in one.reasons[0]


def test_a_symbol_that_was_never_measured_makes_it_unknown_and_not_green() -> None:
    one = of(library(EXCHANGE, NOWHERE), torch="2.5.1")
    assert one.verdict is Verdict.UNKNOWN
    assert one.unknown_symbols == (NOWHERE,)
    assert of(library(NOWHERE)).verdict is Verdict.UNKNOWN


def test_what_is_known_to_be_missing_outweighs_what_is_unknown() -> None:
    assert of(library(NOWHERE, EXCHANGE), torch="2.2.2").verdict is Verdict.DOES_NOT_LOAD


@pytest.mark.parametrize("torch", ["2.16.0", "1.13.1", "3.0"])
def test_a_torch_outside_the_table_is_unknown(torch: str) -> None:
    one = of(library(EXCHANGE), torch=torch)
    assert one.verdict is Verdict.UNKNOWN
    assert "not in the table" in one.reasons[0]


def test_a_library_that_asks_torch_for_nothing_loads_with_each() -> None:
    one = of(library("PyObject_Call", "cuLaunchKernel"), torch="2.5.1")
    assert one.verdict is Verdict.LOADS
    assert one.cxx11abi is None and one.torch_symbols == 0
    assert one.torch_versions == pypi_columns()


@pytest.mark.parametrize(
    ("needed", "torch", "said"),
    [
        ("libcudart.so.11.0", "2.5.1", "libcudart.so.11.0: cannot open shared object file"),
        ("libcudart.so.12", "2.13.0", "libcudart.so.12: cannot open shared object file"),
        ("libc10_cuda.so", "2.13.0+cpu", "libc10_cuda.so: cannot open shared object file"),
    ],
)
def test_the_cuda_of_another_torch_is_what_the_loader_misses_first(needed: str, torch: str, said: str) -> None:
    one = of(library(PRE, needed=(needed,)), torch=torch)
    assert one.verdict is Verdict.DOES_NOT_LOAD
    assert one.reasons[0].startswith(said)


@pytest.mark.parametrize(("needed", "torch"), [("libcudart.so.12", "2.5.1"), ("libcudart.so.11.0", "2.5.1+cu118")])
def test_the_cuda_of_this_torch_is_not_missed(needed: str, torch: str) -> None:
    assert of(library(PRE, needed=(needed,)), torch=torch).verdict is Verdict.LOADS


def test_a_cuda_that_a_release_has_no_build_for_takes_it_from_the_list() -> None:
    assert of(library(PRE, needed=("libcudart.so.13",))).torch_versions == ()
    assert of(library(EXCHANGE, needed=("libcudart.so.13",))).torch_versions[0] == "2.9"


def test_another_machine_does_not_load() -> None:
    one = of(library(machine="aarch64"))
    assert one.verdict is Verdict.DOES_NOT_LOAD
    assert one.reasons == ("it is built for aarch64; Modal's machines are x86_64",)


def test_a_gpu_without_code_is_a_reason_and_one_with_ptx_is_none() -> None:
    lacks = of(library(), SM80, SM90, gpus=(H100, B200))
    assert lacks.verdict is Verdict.DOES_NOT_LOAD
    assert lacks.reasons == ("no kernel image for B200 (sm_100, --gpu): it holds sm_80, sm_90",)
    assert [(g.name, g.runs) for g in lacks.gpus] == [("H100", True), ("B200", False)]
    assert of(library(), SM80, PTX90, gpus=(H100, B200)).verdict is Verdict.LOADS


def test_a_library_without_gpu_code_is_not_blamed_for_the_gpu() -> None:
    one = of(library(EXCHANGE), gpus=(H100,), torch="2.5.1")
    assert one.verdict is Verdict.LOADS
    assert one.gpus == () and one.notes == ("it holds no GPU code",)


def test_the_fix_is_the_wheel_for_this_torch() -> None:
    one = of(library(CXX11), torch="2.5.1")
    assert one.remedy.endswith("mamba_ssm-2.3.0+cu12torch2.5cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")
    assert "or take torch 2.3 to 2.7" in of(library(SET_2_3), torch="2.13.0").remedy


def test_a_wheel_whose_name_and_symbols_disagree_is_told() -> None:
    name = "causal_conv1d-1.6.0+cu12torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
    notes = of(library(CXX11, EXCHANGE), path=f"{name}/causal_conv1d_cuda.so").notes
    assert "its name says cxx11abiFALSE; its symbols say cxx11abiTRUE" in notes
    right = name.replace("FALSE", "TRUE")
    assert of(library(CXX11, EXCHANGE), path=f"{right}/causal_conv1d_cuda.so").notes == ()


def test_a_python_that_must_be_shared_is_told() -> None:
    one = of(replace(library(needed=("libpython3.11.so.1.0",)), init_functions=("PyInit_selective_scan_cuda",)))
    assert one.modules == ("selective_scan_cuda",)
    assert one.python == "cpython-311"
    assert one.notes[0].startswith("it needs libpython3.11.so.1.0")


ABSENT = "_ZN2at4cuda6nosuchEv"


def test_a_name_that_no_torch_exports_does_not_load_with_any() -> None:
    assert of(library(ABSENT), torch="2.5.1").verdict is Verdict.DOES_NOT_LOAD
    assert of(library(ABSENT)).verdict is Verdict.DOES_NOT_LOAD


def test_what_another_library_of_the_wheel_exports_is_not_missing() -> None:
    beside = Beside(frozenset({"libmine.so"}), frozenset({ABSENT}))
    one = judge(Library(SCAN, library(ABSENT, needed=("libmine.so",)), ()), Target("2.5.1"), SCAN, beside)
    assert one.verdict is Verdict.LOADS


def test_a_library_that_neither_torch_nor_the_wheel_brings_makes_it_unknown_and_not_green() -> None:
    one = of(library(EXCHANGE, needed=("libavcodec.so.58", "libc10.so")), torch="2.5.1")
    assert one.verdict is Verdict.UNKNOWN
    assert "libavcodec.so.58 is brought neither by torch nor by this file" in one.reasons[0]
    assert of(library(ABSENT, needed=("libnvfuser.so",)), torch="2.5.1").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "name",
    "libc.so.6 libstdc++.so.6 libtorch_cuda.so libcudart.so.12 libcuda.so.1 libcudnn.so.9 libgomp-a34.so.1".split(),
)
def test_a_library_of_the_system_of_torch_or_of_the_driver_is_not_asked_for(name: str) -> None:
    assert of(library(EXCHANGE, needed=(name,)), torch="2.5.1").verdict is Verdict.LOADS


def verdicts(*pairs: tuple[str, str]) -> Verdict:
    return whole([Linked(path="a", verdict=Verdict(verdict), choice=choice) for verdict, choice in pairs])


def test_of_alternatives_one_must_load_and_of_the_others_all() -> None:
    assert verdicts(("loads", ""), ("does-not-load", "lib#"), ("loads", "lib#")) is Verdict.LOADS
    assert verdicts(("loads", ""), ("does-not-load", "lib#"), ("does-not-load", "lib#")) is Verdict.DOES_NOT_LOAD
    assert verdicts(("does-not-load", ""), ("loads", "lib#"), ("loads", "lib#")) is Verdict.DOES_NOT_LOAD
    assert verdicts(("unknown", "lib#"), ("does-not-load", "lib#")) is Verdict.UNKNOWN
