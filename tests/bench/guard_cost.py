"""What preflight.guard costs a training step: a model of Mamba-like blocks on the CPU, with and without it, in turns.

Run: python tests/bench/guard_cost.py [STEPS [BLOCKS]], with a torch (the CPU build is enough).  Leaves with 1 where the
median of the watched steps is more than 1 % above that of the others.  The mean is printed too: it holds the first
steps, which are traced, and every later trace, which the median leaves out.  CPU time of one thread: what else the
machine does is left out, and all that the guard adds to a step that is not traced is work of the CPU.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
from preflight.guard import KERNELS, guard

MOST = 0.01
WIDTH, LENGTH, BATCH = 128, 64, 1
RELATED = [part.split("|")[0] for direction in KERNELS["Mamba"] for part in direction]


class Mamba(torch.nn.Module):
    """The projections of a block, and labels where its kernels would launch."""

    __module__ = "mamba_ssm.modules.mamba_simple"  # what makes it a block for the guard

    def __init__(self) -> None:
        super().__init__()
        self.into, self.out = torch.nn.Linear(WIDTH, 2 * WIDTH), torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Any) -> Any:
        for name in RELATED:
            with torch.profiler.record_function(f"simulated::{name}"):
                pass
        a, b = self.into(x).chunk(2, -1)
        return x + self.out(a * torch.nn.functional.silu(b))


class Run:
    def __init__(self, blocks: int, is_guarded: bool) -> None:
        torch.manual_seed(1)
        self.net = torch.nn.Sequential(*(Mamba() for _ in range(blocks)))
        self.best = torch.optim.SGD(self.net.parameters(), lr=1e-4)
        self.x, self.is_guarded, self.seconds = torch.randn(BATCH, LENGTH, WIDTH), is_guarded, list[float]()
        if is_guarded:
            guard(self.net, total_steps=1_000_000, hours=1e6, health=False)

    def step(self) -> None:
        began = time.process_time()
        self.best.zero_grad()
        loss = self.net(self.x).square().mean()
        if self.is_guarded:
            self.net.preflight_guard.loss(loss)
        loss.backward()
        self.best.step()
        self.seconds.append(time.process_time() - began)


def main() -> int:
    steps, blocks = (int(n) for n in (*sys.argv[1:], *("200", "24")[len(sys.argv) - 1 :]))
    torch.set_num_threads(1)
    plain, guarded = Run(blocks, False), Run(blocks, True)
    with contextlib.redirect_stderr(io.StringIO()) as records:
        for number in range(steps):  # each goes first in every other turn
            for run in (plain, guarded) if number % 2 else (guarded, plain):
                run.step()
    before, after = statistics.median(plain.seconds), statistics.median(guarded.seconds)
    # of two steps beside each other: what else the machine does is in both
    added = statistics.median(b - a for a, b in zip(plain.seconds, guarded.seconds, strict=True))
    mean = statistics.fmean(guarded.seconds) / statistics.fmean(plain.seconds) - 1
    print(f"{steps} steps of {blocks} blocks, torch {torch.__version__}, one thread")
    print(f"median step  {before * 1e3:.3f} ms without, {after * 1e3:.3f} ms with the guard: {after / before - 1:+.2%}")
    print(f"added        {added * 1e6:.0f} us a step (median of pairs), {added / before:+.2%}")
    lines = len(records.getvalue().splitlines())
    print(f"mean step    {mean:+.2%}, which holds the traced steps; {lines} lines were written")
    return int(min(added / before, after / before - 1) > MOST)


if __name__ == "__main__":
    sys.exit(main())
