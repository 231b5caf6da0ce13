"""Speed of the recipe reader: an app of 750 lines, and how the time grows to 12,000 lines.

Run: python tests/bench/bench_recipe.py.  Leaves with 1 past 50 ms for 750 lines, or where 16 times the lines take
more than 24 times the time.  CPU time, best of several: other work on the machine is left out where it can be.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from preflight.app import reader

LIMIT_MS, TIMES = 50.0, 24.0
HEAD = """import os
from pathlib import Path

import modal

CUDA = "12.4.1"
TAG = f"nvidia/cuda:{CUDA}-devel-ubuntu22.04"
GPU = os.environ.get("GPU", "A100-80GB")
ROOT = Path(__file__).resolve().parent
app = modal.App("bench")
"""
PART = '''

weights_{n} = modal.Volume.from_name("weights-{n}", create_if_missing=True)
image_{n} = (
    modal.Image.from_registry(TAG, add_python="3.11")
    .entrypoint([])
    .apt_install("git", "build-essential", "ninja-build")
    .pip_install("torch==2.4.0", "torchvision==0.19.0", index_url="https://download.pytorch.org/whl/cu124")
    .run_commands("pip install packaging ninja", "CC=gcc CXX=g++ pip install --no-build-isolation mamba-ssm=={n}.2.4")
    .env({{"HF_HOME": "/cache/hf", "STEP": "{n}"}})
    .add_local_dir(str(ROOT / "src"), remote_path="/root/src")
)


def score_{n}(rows, threshold=0.5):
    """The share of rows above the threshold."""
    kept = [row for row in rows if row["score"] > threshold and row.get("label") is not None]
    by_label = {{}}
    for row in kept:
        by_label.setdefault(row["label"], []).append(row["score"] * 2 + 1)
    best = max(by_label.items(), key=lambda pair: sum(pair[1]) / len(pair[1]), default=(None, []))
    if not best[1]:
        raise ValueError(f"no row above {{threshold}} in {{len(rows)}}")
    return len(kept) / max(len(rows), 1), best[0], {{k: len(v) for k, v in by_label.items()}}


@app.function(
    image=image_{n},
    gpu=GPU,
    timeout=24 * 60 * 60,
    volumes={{"/weights": weights_{n}}},
    secrets=[modal.Secret.from_name("aws", required_keys=["AWS_REGION"])],
)
def train_{n}(epochs: int = 100, resume: bool = False):
    import torch

    model = torch.nn.Linear(8, 8).cuda()
    for epoch in range(epochs):
        loss = model(torch.randn(4, 8, device="cuda")).sum()
        loss.backward()
        print(epoch, loss.item(), os.environ["AWS_REGION"])
        if epoch % 10 == 0:
            torch.save(model.state_dict(), f"/weights/{{epoch}}.pt")
            weights_{n}.commit()
    return {{"epochs": epochs, "resumed": resume}}
'''


def app_of(lines: int) -> str:
    text, n = HEAD, 0
    while text.count("\n") < lines:
        text, n = text + PART.format(n=n), n + 1
    return text


def milliseconds(file: Path, turns: int) -> float:
    best = float("inf")
    for _ in range(turns):
        start = time.process_time()
        recipe = reader.read(file, project=file.parent)
        best = min(best, time.process_time() - start)
        assert recipe.functions and not recipe.broken and not recipe.unresolved
    return best * 1000


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "app.py")
        file.write_text(app_of(750), "utf-8")
        milliseconds(file, 1)  # the parsers are loaded once
        small = milliseconds(file, 10)
        print(f"   750 lines  {small:8.1f} ms")
        large = small
        for lines in (1500, 3000, 6000, 12_000):
            file.write_text(app_of(lines), "utf-8")
            large = milliseconds(file, 3)
            print(f"{lines:6} lines  {large:8.1f} ms  {large / lines * 750:6.1f} ms per 750 lines")
    print(f"16 times the lines take {large / small:.1f} times the time")
    return int(small > LIMIT_MS or large / small > TIMES)


if __name__ == "__main__":
    sys.exit(main())
