"""What the gate adds before a command, on an unchanged pass: python tests/bench/bench_gate.py

Offline means `--offline`: files, settings, variables and versions are compared, and nobody is asked.  Without it
Modal and S3 are asked again; here they answer on 127.0.0.1.  Each figure is the gate's run less the same command
without it, taken in turn; the median of RUNS.  CPU is what the process used: a shared machine drifts, that less.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from preflight.sandbox import serve

RUNS = 11
ROOT = Path(__file__).resolve().parents[2]
GATE = [sys.executable, "-m", "preflight", "gate", "--skip", "smoke-test,gpu-probe"]
COMMAND = ["/bin/true"]


def cost(command: Sequence[str], environ: Mapping[str, str], cwd: Path) -> tuple[float, float]:
    """Wall seconds and CPU seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=dict(environ), cwd=cwd, capture_output=True, check=False, timeout=120)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def added(gate: Sequence[str], environ: Mapping[str, str], cwd: Path) -> str:
    walls, cpus = [], []
    for _ in range(RUNS):
        wall, cpu = cost([*gate, "--", *COMMAND], environ, cwd)
        bare_wall, bare_cpu = cost(COMMAND, environ, cwd)
        walls.append(wall - bare_wall)
        cpus.append(cpu - bare_cpu)
    wall, low, high, cpu = (
        1000 * x for x in (statistics.median(walls), min(walls), max(walls), statistics.median(cpus))
    )
    return f"{wall:.0f} ms ({low:.0f}-{high:.0f}), CPU {cpu:.0f} ms"


def main() -> None:
    with serve.start("healthy") as sandbox, tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "project")
        shutil.copytree(sandbox.project, project)
        environ = sandbox.applied(os.environ) | {"XDG_STATE_HOME": f"{folder}/state", "PYTHONPATH": str(ROOT)}
        for extra in (0, 500, 5000):
            for n in range(extra):
                (project / f"module_{n}.py").write_text(f"N = {n}\n" * 100, encoding="utf-8")
            cost([*GATE, "--renew", "--", *COMMAND], environ, project)
            files = sum(1 for p in project.rglob("*") if p.is_file())
            print(f"{files} files, --offline: {added([*GATE, '--offline'], environ, project)} (wanted at most 400 ms)")
            if not extra:
                print(f"{files} files, Modal and S3 asked again: {added(GATE, environ, project)}")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
