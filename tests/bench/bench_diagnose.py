"""Speed and memory of `diagnose` on 50 MB of log, against `grep -E` of the same needles.

Run: python tests/bench/bench_diagnose.py.  Leaves with 1 past 10 times grep's time or 150 MB.
"""

from __future__ import annotations

import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from preflight.diagnosis import diagnose
from preflight.diagnosis.rules import rulebook

LOGS = Path(__file__).parent.parent / "data" / "logs" / "reproduced.jsonl"
SIZE_BYTES = 50_000_000
TIMES, MEMORY_MIB = 10.0, 150.0


def write_log(path: Path, rng: random.Random) -> None:
    """Training progress with a clean build log now and then, and a failure at the end."""
    logs = [json.loads(line) for line in LOGS.read_text("utf-8").splitlines()]
    clean = [log["log"] for log in logs if log["cause"] == "none"]
    written = 0
    with path.open("w", encoding="utf-8") as file:
        while written < SIZE_BYTES:
            step = "".join(
                f"epoch {rng.randrange(99)} step {rng.randrange(10**6)} loss {rng.random():.4f} lr 3e-4 "
                f"gpu_mem {rng.random() * 80:.1f} GiB tokens/s {rng.randrange(10**5)}\n"
                for _ in range(20)
            )
            said = rng.choice(clean) + "\n" if rng.random() < 0.002 else step
            written += file.write(said)
        file.write("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n")


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 18):
            yield chunk


def main() -> int:
    book = rulebook()
    owned = [*(r.needles for r in book.rule), *(s.needles for s in book.signal)]
    needles = {n for each in owned for n in each}
    with tempfile.TemporaryDirectory() as folder:
        log, patterns = Path(folder) / "log", Path(folder) / "needles"
        write_log(log, random.Random(1))
        patterns.write_text("|".join(re.sub(r"([][\\.*^$+?(){}|])", r"\\\1", n.strip("\n")) for n in sorted(needles)))
        began = time.perf_counter()
        # to /dev/null grep would stop at its first match
        subprocess.run(["grep", "-cE", "-f", str(patterns), str(log)], capture_output=True, check=True)
        grep_s = time.perf_counter() - began
        began = time.perf_counter()
        found = diagnose(chunks(log))
        ours_s = time.perf_counter() - began
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    causes = ", ".join(c.rule for c in found.causes)
    print(f"grep {grep_s:.2f} s, diagnose {ours_s:.2f} s ({ours_s / grep_s:.1f} times), {peak_mib:.0f} MiB; {causes}")
    return int(ours_s > TIMES * grep_s or peak_mib > MEMORY_MIB)


if __name__ == "__main__":
    sys.exit(main())
