"""One fault for gpu_faults.py: the files that are laid before the installed packages, and what is to be found."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from preflight.probe.ruling import Cause, Verdict

REAL = """
import importlib.machinery, importlib.util, os, sys
import torch
here = os.path.dirname(os.path.abspath(__file__))
path = [p for p in sys.path if os.path.abspath(p or ".") != here]
spec = importlib.machinery.PathFinder.find_spec("selective_scan_cuda", path)
real = importlib.util.module_from_spec(spec)
spec.loader.exec_module(real)
fwd_real, bwd_real = fwd, bwd = real.fwd, real.bwd
"""
GONE = "raise ModuleNotFoundError(\"No module named '{0}'\", name='{0}')\n"
UNDEFINED_C = """
#include <Python.h>
extern void _ZN3c104cuda14ExchangeDeviceEx(int);
PyMODINIT_FUNC PyInit_selective_scan_cuda(void) { _ZN3c104cuda14ExchangeDeviceEx(0); return NULL; }
"""
OTHER_ARCH_CU = """
__global__ void nothing() {}
extern "C" const char* go() { nothing<<<1, 1>>>(); return cudaGetErrorString(cudaGetLastError()); }
"""
OTHER_ARCH = """
import ctypes, os
library = ctypes.CDLL(os.path.join(here, "other_arch.so"))
library.go.restype = ctypes.c_char_p
def fwd(*a):
    raise RuntimeError("CUDA error: " + library.go().decode())
"""


@dataclass(frozen=True)
class Fault:
    """``model`` is its net.py, ``block`` the library's block that is run beside it, ``patch`` a line of mamba_ssm."""

    name: str
    verdict: Verdict
    causes: tuple[Cause, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    model: str = ""
    blocks: tuple[str, ...] = ("Mamba",)
    dtypes: tuple[str, ...] = ("float32",)
    request: dict[str, object] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    patch: tuple[str, str, str] | None = None  # file in mamba_ssm, what stands there, what is to stand there
    said: str = ""  # a part of the reason, the remedy or a place
    is_alone: bool = False

    def prepare(self, room: Path) -> None:
        for name, text in self.files.items():
            (room / name).write_text(text)
        if self.model:
            (room / "net.py").write_text(self.model)
        if "undefined.c" in self.files:
            include = subprocess.check_output(
                [sys.executable, "-c", "import sysconfig; print(sysconfig.get_paths()['include'])"], text=True
            ).strip()
            out = str(room / "selective_scan_cuda.so")
            source = str(room / "undefined.c")
            subprocess.run(["gcc", "-shared", "-fPIC", f"-I{include}", source, "-o", out], check=True)
        if "other_arch.cu" in self.files:
            nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
            flags = ["-shared", "-Xcompiler", "-fPIC", "-gencode", "arch=compute_80,code=sm_80"]
            out = str(room / "other_arch.so")
            subprocess.run([nvcc, *flags, str(room / "other_arch.cu"), "-o", out], check=True)
        if self.patch:
            spec = importlib.util.find_spec("mamba_ssm")
            assert spec is not None
            assert spec.origin is not None
            shutil.copytree(Path(spec.origin).parent, room / "mamba_ssm", ignore=shutil.ignore_patterns("*.pyc"))
            path, old, new = self.patch
            text = (room / "mamba_ssm" / path).read_text()
            assert old in text, f"{self.name}: {path} has no {old!r}"
            (room / "mamba_ssm" / path).write_text(text.replace(old, new))


def scan(text: str) -> dict[str, str]:
    return {"selective_scan_cuda.py": REAL + text}


def output(change: str, when: str = "True") -> dict[str, str]:
    """``change`` is done to the scan's outputs ``t`` in place."""
    body = (
        f"def fwd(u, *a):\n    out = fwd_real(u, *a)\n    if {when}:\n        [{change} for t in out[:1] + out[2:]]\n"
    )
    return scan(body + "    return out\n")


def gradient(change: str, when: str = "True") -> dict[str, str]:
    """``change`` is done to ``out``, the scan's gradients (du, ddelta, dA, dB, dC, dD, ddelta_bias, ...)."""
    return scan(f"def bwd(u, *a):\n    out = bwd_real(u, *a)\n    if {when}:\n        {change}\n    return out\n")
