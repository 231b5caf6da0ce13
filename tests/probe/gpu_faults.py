"""The faults of test_faults.py on a real GPU, with the real packages: python tests/probe/gpu_faults.py FOLDER [NAME...]

Each fault is a folder laid before the installed packages.  Prints what was wanted and what was judged, one line a
fault, and leaves every reading in FOLDER for keep_reading.py.  Exits 1 when a verdict was another one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from preflight.probe.expected import table  # noqa: E402
from preflight.probe.reading import parsed  # noqa: E402
from preflight.probe.ruling import Cause, Verdict  # noqa: E402
from preflight.probe.verdict import judge  # noqa: E402

AT_ONCE = 3
REAL = """
import importlib.machinery, importlib.util, os, sys
import torch
here = os.path.dirname(os.path.abspath(__file__))
path = [p for p in sys.path if os.path.abspath(p or ".") != here]
spec = importlib.machinery.PathFinder.find_spec("selective_scan_cuda", path)
real = importlib.util.module_from_spec(spec)
spec.loader.exec_module(real)
fwd, bwd = real.fwd, real.bwd
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
MODEL = """
import torch
try:
    from mamba_ssm import Mamba
    MAMBA_AVAILABLE = True
except ImportError:
    MAMBA_AVAILABLE = False

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        if MAMBA_AVAILABLE:
            self.mamba = Mamba(64)
        self.conv = torch.nn.Conv1d(64, 64, 3, padding=1, groups=64)

    def forward(self, x):
        if not MAMBA_AVAILABLE:
            return self.conv(x.transpose(1, 2)).transpose(1, 2)
        try:
            return self.mamba(x)
        except RuntimeError:
            return self.conv(x.transpose(1, 2)).transpose(1, 2)

def make():
    return Net(), torch.randn(2, 128, 64)
"""


@dataclass(frozen=True)
class Fault:
    name: str
    verdict: Verdict
    causes: tuple[Cause, ...]
    files: dict[str, str] = field(default_factory=dict)
    request: dict[str, object] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    is_quick: bool = True  # Mamba in float32 alone

    def prepare(self, room: Path) -> None:
        for name, text in self.files.items():
            (room / name).write_text(text)
        if "undefined.c" in self.files:
            include = subprocess.check_output(
                [sys.executable, "-c", "import sysconfig; print(sysconfig.get_paths()['include'])"], text=True
            ).strip()
            out = str(room / "selective_scan_cuda.so")
            subprocess.run(
                ["gcc", "-shared", "-fPIC", f"-I{include}", str(room / "undefined.c"), "-o", out], check=True
            )
        if "other_arch.cu" in self.files:
            nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
            arch = ["-gencode", "arch=compute_80,code=sm_80"]
            out = str(room / "other_arch.so")
            flags = ["-shared", "-Xcompiler", "-fPIC", *arch]
            subprocess.run([nvcc, *flags, str(room / "other_arch.cu"), "-o", out], check=True)


def scan(text: str) -> dict[str, str]:
    return {"selective_scan_cuda.py": REAL + text}


NO_CONV = {name + ".py": GONE.format(name) for name in ("causal_conv1d", "causal_conv1d_cuda")}
RUNTIME_ERROR = "def fwd(*a):\n    raise RuntimeError('CUDA error: misaligned address')\n"
FAULTS = (
    Fault("healthy", Verdict.KERNELS, (Cause.LAUNCHED,), is_quick=False),
    Fault("mamba3", Verdict.KERNELS, (Cause.LAUNCHED,), {}, {"blocks": [{"block": "Mamba3", "options": {}}]}),
    Fault("no-causal-conv1d", Verdict.PARTIAL, (Cause.CONV1D_ABSENT,), NO_CONV, is_quick=False),
    Fault(
        "no-selective-scan",
        Verdict.FALLBACK,
        (Cause.SCAN_ABSENT,),
        {"selective_scan_cuda.py": GONE.format("selective_scan_cuda")},
    ),
    Fault("undefined-symbol", Verdict.FALLBACK, (Cause.UNDEFINED_SYMBOL,), {"undefined.c": UNDEFINED_C}),
    Fault(
        "other-architecture",
        Verdict.BROKEN,
        (Cause.WRONG_ARCHITECTURE,),
        {**scan(OTHER_ARCH), "other_arch.cu": OTHER_ARCH_CU},
    ),
    Fault(
        "zeros",
        Verdict.BROKEN,
        (Cause.ZERO_OUTPUT,),
        scan("def fwd(*a):\n    out = fwd_real(*a)\n    [t.zero_() for t in out]\n    return out\n"),
    ),
    Fault(
        "nans",
        Verdict.BROKEN,
        (Cause.NAN_OUTPUT,),
        scan("def fwd(*a):\n    out = fwd_real(*a)\n    [t.fill_(float('nan')) for t in out]\n    return out\n"),
    ),
    Fault(
        "slightly-wrong",
        Verdict.BROKEN,
        (Cause.WRONG_NUMBERS,),
        scan(
            "def fwd(*a):\n    out = fwd_real(*a)\n"
            "    [t[..., 200:].mul_(0.7) for t in out[:1] + out[2:]]\n    return out\n"
        ),
    ),
    Fault(
        "no-backward",
        Verdict.BROKEN,
        (Cause.MISSING_BACKWARD,),
        scan("def bwd(*a):\n    raise NotImplementedError('no backward in this build')\n"),
    ),
    Fault(
        "silent-backward",
        Verdict.BROKEN,
        (Cause.MISSING_BACKWARD, Cause.WRONG_NUMBERS),
        scan("def bwd(*a):\n    out = bwd_real(*a)\n    [t.zero_() for t in out if t is not None]\n    return out\n"),
    ),
    Fault(
        "hang",
        Verdict.COULD_NOT_RUN,
        (Cause.IMPORT_HANG,),
        {"selective_scan_cuda.py": "import time\ntime.sleep(300)\n"},
        {"step_limit_s": 40.0},
    ),
    Fault(
        "segfault",
        Verdict.BROKEN,
        (Cause.IMPORT_CRASH,),
        {"selective_scan_cuda.py": "import ctypes\nctypes.string_at(0)\n"},
    ),
    Fault("forced", Verdict.FALLBACK, (Cause.FORCED,), environ={"SEIZURE_MAMBA_FORCE_FALLBACK": "1"}),
    Fault("own-model", Verdict.KERNELS, (Cause.LAUNCHED,), {"net.py": MODEL}, {"model": "net:make"}),
    Fault(
        "hidden-in-forward",
        Verdict.FALLBACK,
        (Cause.HIDDEN,),
        {**scan(RUNTIME_ERROR), "net.py": MODEL},
        {"model": "net:make", "blocks": [{"block": "Mamba2", "options": {}}]},
    ),
    Fault(
        "hidden-at-import",
        Verdict.FALLBACK,
        (Cause.SCAN_ABSENT, Cause.HIDDEN),
        {"selective_scan_cuda.py": GONE.format("selective_scan_cuda"), "net.py": MODEL},
        {"model": "net:make"},
    ),
)


def run(fault: Fault, folder: Path) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory(prefix="preflight-fault-") as name:
        room = Path(name)
        fault.prepare(room)
        for path in room.glob("*.py"):
            text = path.read_text().replace("fwd, bwd = real.fwd", "fwd_real, bwd_real = fwd, bwd = real.fwd")
            path.write_text(text)
        request: dict[str, object] = {"paths": [name], "lanes": 1 if fault.is_quick else 0}
        if fault.is_quick:
            request |= {"blocks": [{"block": "Mamba", "options": {}}], "dtypes": ["float32"]}
        request |= fault.request
        asked, out = room / "request.json", folder / f"{fault.name}.json"
        asked.write_text(json.dumps(request))
        environ = dict(os.environ, PYTHONPATH=os.pathsep.join((name, os.environ.get("PYTHONPATH", ""))))
        environ["TRITON_CACHE_DIR"] = str(room / "triton")  # cold every time
        payload = ROOT / "preflight" / "probe" / "payload.py"
        command = [sys.executable, str(payload), "--request", str(asked), "--out", str(out)]
        began = time.monotonic()
        subprocess.run(command, env={**environ, **fault.environ}, capture_output=True, timeout=590, check=False)
        took = time.monotonic() - began
    judged = judge(parsed(json.loads(out.read_text())), table())
    is_right = judged.verdict is fault.verdict and judged.ruling.cause in fault.causes
    found = f"{judged.verdict}/{judged.ruling.cause}"
    return (
        is_right,
        f"{'ok   ' if is_right else 'WRONG'} {fault.name:20} {took:5.1f} s  {found:40} {judged.ruling.reason}",
    )


def main(folder: Path, names: list[str]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [f for f in FAULTS if not names or f.name in names]
    alone = [f for f in chosen if not f.is_quick]  # these are timed, so nothing runs beside them
    rights = []
    for fault in alone:
        is_right, line = run(fault, folder)
        rights.append(is_right)
        print(line, flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for is_right, line in pool.map(lambda f: run(f, folder), [f for f in chosen if f.is_quick]):
            rights.append(is_right)
            print(line, flush=True)
    return 0 if all(rights) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
