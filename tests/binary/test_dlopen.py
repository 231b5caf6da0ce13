"""The verdict against the loader itself: libraries built here, and real extensions under a real torch."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from preflight.binary.elf import shared_library
from preflight.binary.link import Target, Verdict, link

BINARIES = Path(__file__).parent.parent / "data" / "binaries"
LIMIT_S = 120
LOAD = """
import ctypes, sys
for library in sys.argv[1:-1]:
    ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
try:
    ctypes.CDLL(sys.argv[-1])
except OSError as e:
    print(e)
"""
TORCH_LIBRARIES = ("libc10.so", "libtorch_cpu.so", "libtorch.so")


def dlopen(*libraries: Path) -> str:
    """What the loader says of the last one, the others loaded before it; empty when it loads."""
    ran = subprocess.run(
        [sys.executable, "-c", LOAD, *map(str, libraries)], capture_output=True, text=True, timeout=LIMIT_S, check=True
    )
    return ran.stdout.strip()


def built(folder: Path, name: str, source: str, *options: str) -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("there is no gcc here")
    (folder / f"{name}.c").write_text(source)
    path = folder / f"{name}.so"
    command = ["gcc", "-shared", "-fPIC", *options, "-o", path, folder / f"{name}.c"]
    subprocess.run(command, check=True, timeout=LIMIT_S, capture_output=True)
    return path


CALLS = (
    "void _ZN3c105firstEv(void); void _ZN3c106secondEv(void); void f(void) { _ZN3c105firstEv(); _ZN3c106secondEv(); }"
)
HOLDS = "extern int _ZN3c104heldE; int *p = &_ZN3c104heldE;"
MAY = "__attribute__((weak)) void _ZN3c104weakEv(void); void g(void) { if (_ZN3c104weakEv) _ZN3c104weakEv(); }"


@pytest.mark.parametrize(
    "source", [CALLS, HOLDS, CALLS + HOLDS, HOLDS + MAY, CALLS + MAY], ids=["calls", "data", "both", "weak", "weak2"]
)
@pytest.mark.parametrize("options", [(), ("-Wl,-z,now",), ("-Wl,--hash-style=sysv",), ("-fno-plt",)], ids=str)
def test_the_first_symbol_is_the_one_the_loader_names(tmp_path: Path, source: str, options: tuple[str, ...]) -> None:
    path = built(tmp_path, "asks", source, *options)
    first = shared_library(path.read_bytes()).undefined[0]
    assert dlopen(path) == f"{path}: undefined symbol: {first}"


def test_a_weak_symbol_that_nobody_has_is_not_missed(tmp_path: Path) -> None:
    path = built(tmp_path, "may", MAY)
    assert shared_library(path.read_bytes()).undefined == ()
    assert dlopen(path) == ""


def test_once_another_library_has_the_symbols_it_loads(tmp_path: Path) -> None:
    path = built(tmp_path, "asks", CALLS)
    names = shared_library(path.read_bytes()).undefined
    has = built(tmp_path, "has", "".join(f"void {n}(void) {{}}" for n in names))
    assert dlopen(has, path) == ""


@pytest.mark.torch
@pytest.mark.parametrize("name", ["op-torch-2.2.2.so", "op-torch-2.13.0.so"])
def test_a_real_extension_gets_the_verdict_of_the_torch_that_is_here(name: str) -> None:
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        pytest.skip("pip install torch: the CPU build is enough")
    lib = Path(spec.origin).parent / "lib"
    said = dlopen(*(lib / each for each in TORCH_LIBRARIES), BINARIES / name)
    (one,) = link(BINARIES / name, Target(version("torch")))
    if said:
        assert one.verdict is Verdict.DOES_NOT_LOAD
        assert said.endswith(f"undefined symbol: {one.missing_symbols[0]}")
    else:
        assert one.verdict is Verdict.LOADS
