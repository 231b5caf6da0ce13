"""Speed and memory of `link`: 150 ms for 20 MB beyond start-up, of a library and of one in a wheel.

Run: python tests/bench/bench_link.py [FILE]...  Leaves with 1 past the limit, which is for the library's own bytes,
packed or not, and for processor time: what else the machine does is not measured.  Without files it measures a
library of 200 MB made here with the machine's assembler and linker: symbols of torch, three relocations for each,
and fat binaries of which every second byte is random.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from preflight.binary.link import Target, link

LIMIT_S_PER_20_MB = 0.150
SIZE_BYTES = 200_000_000
SYMBOLS = 4_000
TRIES = 3


def make_library(folder: Path, rng: random.Random) -> Path:
    """With the machine's own assembler and linker: calls to many names, and a .nv_fatbin of many containers."""
    entry = "\n".join((".short 2,0x101", ".long 64", ".quad 4032", ".long 0,0", ".short 8,1", ".long {sm},0,0",
                       ".quad 0x11,0,0", '.incbin "body",{at},4032'))  # fmt: skip
    (folder / "body").write_bytes(rng.randbytes(1 << 20) + bytes(1 << 20))
    with (folder / "big.s").open("w") as file:
        file.write('.section .nv_fatbin,"a"\n.align 8\n')
        for _ in range(SIZE_BYTES // 4112):
            body = entry.format(sm=rng.choice((75, 80, 86, 90)), at=rng.randrange((2 << 20) - 4032))
            file.write(f".long 0xba55ed50\n.short 1,16\n.quad 4096\n{body}\n")
        file.write(".data\n.align 8\n")
        for n in range(SYMBOLS):
            file.write(
                f".quad _ZN2at4_ops{len(str(n)) + 9}operator_{n}4callERKNS_6TensorEN3c108ArrayRefINS5_6SymIntEEE\n"
            )
    path = folder / "big.so"
    subprocess.run(["gcc", "-shared", "-nostdlib", "-o", path, "big.s"], check=True, timeout=300, cwd=folder)
    return path


def bytes_of(path: Path) -> int:
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(m.file_size for m in archive.infolist() if ".so" in m.filename)


def measure(path: Path) -> bool:
    size_mb = bytes_of(path) / 1e6
    link(path, Target("2.5.1"))  # the tables are read once, which belongs to start-up
    took = float("inf")
    for _ in range(TRIES):
        began = time.process_time()
        found = link(path, Target("2.5.1"))
        took = min(took, time.process_time() - began)
    per = took / max(1.0, size_mb / 20)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    speed = f"{size_mb:.0f} MB in {took * 1000:.0f} ms, {per * 1000:.0f} ms for 20 MB"
    said = f"{found[0].verdict}, {len(found)} libraries, {sum(one.torch_symbols for one in found)} symbols of torch"
    print(f"{path.name}: {speed}; peak {peak_mib:.0f} MiB; {said}")
    return per <= LIMIT_S_PER_20_MB


def main(files: list[Path]) -> int:
    if files:
        return int(sum(measure(path) for path in files) < len(files))
    with tempfile.TemporaryDirectory() as name:
        library = make_library(Path(name), random.Random(1))
        wheel = Path(name) / "big.whl"
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.write(library, "big.so")
        return int(sum(map(measure, (library, wheel))) < 2)


if __name__ == "__main__":
    sys.exit(main([Path(word) for word in sys.argv[1:]]))
