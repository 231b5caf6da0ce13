"""How fast the checklist is, as ratios against the real CLI: python tests/bench/bench_checklist.py

Prints medians of several runs.  Not a timed test: a shared machine drifts, ratios taken in turn drift less.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from preflight.sandbox import serve

RUNS = 5
BIN = Path(sys.executable).parent
PREFLIGHT = [sys.executable, "-m", "preflight"]
MODAL = [
    ["token", "info"],
    ["environment", "list", "--json"],
    ["workspace", "settings", "list", "--json"],
    ["secret", "list", "--json"],
    ["billing", "summary", "--json"],
    ["billing", "rates", "--json"],
    ["app", "list", "--json"],
    ["volume", "list", "--json"],
]
REMOTE = "image-builder,modal-auth,s3-secret,s3-bucket,credits,stale-apps,client-version,volume"
SLOW = """title = "slow"
wrong = "every RPC takes 200 ms"
[server.delays]
"*" = 0.2
"""
COUNTED = """
import sys
from preflight.cli.main import main
from preflight.remote.rpcs import observed
with observed() as rpcs:
    try:
        main()
    finally:
        print(len(rpcs), file=sys.stderr)
"""


def seconds(command: Sequence[str], environ: Mapping[str, str], cwd: Path) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, env=dict(environ), cwd=cwd, capture_output=True, check=False, timeout=120)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    return time.perf_counter() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as compiled:  # bytecode, which an installed package has, as modal has its own
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        environ |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": compiled}
        measure(environ)


def measure(environ: Mapping[str, str]) -> None:
    here = Path.cwd()
    ours = statistics.median(seconds([*PREFLIGHT, "--help"], environ, here) for _ in range(RUNS))
    theirs = statistics.median(seconds([str(BIN / "modal"), "--help"], environ, here) for _ in range(RUNS))
    print(f"--help: preflight {ours:.3f} s, modal {theirs:.3f} s, ratio {ours / theirs:.3f} (wanted at most 0.25)")
    with serve.start("healthy") as sandbox:
        world = sandbox.applied(environ)
        remote = [*PREFLIGHT, "run", "--only", REMOTE, "--json"]
        seconds(remote, world, sandbox.project)  # writes the bytecode
        pairs = []
        for _ in range(RUNS):
            cli = sum(seconds([str(BIN / "modal"), *words], world, sandbox.project) for words in MODAL)
            pairs.append((seconds(remote, world, sandbox.project), cli))
        ratio = statistics.median(a / b for a, b in pairs)
        mine, cli = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"remote part: preflight {mine:.2f} s, eight modal commands {cli:.2f} s, ratio {ratio:.3f} (wanted 0.15)")
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder, "slow.toml")
        scenario.write_text(SLOW, encoding="utf-8")
        with serve.start(scenario) as sandbox:
            world = sandbox.applied(environ)
            command = [sys.executable, "-c", COUNTED, *remote[len(PREFLIGHT) :]]
            walls = []
            for _ in range(RUNS):
                done = subprocess.run(
                    command, env=world, cwd=sandbox.project, capture_output=True, check=False, timeout=120
                )
                walls.append(float(json.loads(done.stdout)["seconds"]))
        wall, calls = statistics.median(walls), int(done.stderr.splitlines()[-1])
    print(
        f"200 ms an RPC: {wall:.2f} s for {calls} RPCs, {calls * 0.2:.1f} s in sum,"
        f" ratio {wall / (calls * 0.2):.3f} (wanted 0.45)"
    )


if __name__ == "__main__":
    main()
