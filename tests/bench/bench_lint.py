"""Cost of `preflight lint`: 200 files of real size on one core, start-up included, and growth with a file's length.

Run: python tests/bench/bench_lint.py.  Leaves with 1 past 5 s of processor time, or when a line of the longest file
costs more than 1.5 times a line of the shortest.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATA = Path(__file__).parent.parent / "data"
FILES, LINES = 200, 370  # the mean of 102 files of 22 packages on the index that import modal
MOST_S, MOST_GROWTH = 5.0, 1.5
LENGTHS = (500, 1_000, 2_000, 4_000, 8_000)
BODY = '''

def step_{n}(model, batch, *, rate=1e-3, scale={n}):
    """One step of training.

    The batch is a dict of two tensors, x and y, of the same length.  The loss is summed over
    its items, each of them scaled; the gradients are left in the model's parameters.

    Returns the loss as a number, and the rates that the schedule would give next.
    """
    import torch

    # the total stays on the device until the end: .item() in the loop would wait for the GPU
    # at every item, and that is what the first version of this function did

    total = torch.zeros((), device=batch["x"].device)
    for index, (x, y) in enumerate(zip(batch["x"], batch["y"], strict=True)):
        logits = model(x.unsqueeze(0)).squeeze(0)
        loss = torch.nn.functional.cross_entropy(logits, y, reduction="mean")
        if index % {k} == 0 and loss.item() > {n} / 100:
            print(f"step {{index}}: {{loss.item():.4f}}", {{"rate": rate, "scale": scale}})
        total = total + loss * scale
    try:
        total.backward()
    except RuntimeError as e:
        raise ValueError(f"batch {{len(batch)}} does not fit") from e
    return {{"loss": float(total), "lr": [rate * s for s in range({k})]}}
'''


def apps() -> list[str]:
    """The apps and recipes of the tests, as they stand."""
    found = [*DATA.glob("apps/*.py"), *DATA.glob("apps/seed/*.py"), *DATA.glob("rules/recipes/*.py")]
    return [f.read_text("utf-8") for f in sorted(found)]


def grown(text: str, lines: int, rng: random.Random) -> str:
    """The app with code of its own below, to about that many lines."""
    each = BODY.count("\n")
    more = max(0, lines - text.count("\n")) // each
    return text + "".join(BODY.format(n=n, k=rng.randrange(2, 9)) for n in range(more))


def lint(folder: Path) -> float:
    """Seconds of processor time of the command on one core."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "preflight",
            "lint",
            str(folder),
            "-o",
            f"json={folder.parent / folder.name}.report.json",
        ],
        capture_output=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    rng = random.Random(1)
    texts = apps()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        small = folder / "small"
        small.mkdir()
        (small / "app.py").write_text(texts[0], "utf-8")
        start_s = lint(small)
        many = folder / "many"
        many.mkdir()
        for n in range(FILES):
            text = grown(texts[n % len(texts)], int(LINES * rng.uniform(0.4, 1.6)), rng)
            (many / f"app_{n}.py").write_text(text, "utf-8")
        began = time.perf_counter()
        many_s = lint(many)
        wall_s = time.perf_counter() - began
        lines = sum(f.read_text("utf-8").count("\n") for f in many.iterdir())
        print(
            f"{FILES} files, {lines} lines: {many_s:.1f} s of one core ({wall_s:.1f} s passed), "
            f"{start_s:.1f} s of it to start"
        )
        a_line_us = {}
        for length in LENGTHS:
            one = folder / str(length)
            one.mkdir()
            for n in range(LENGTHS[-1] // length):  # as many lines in all, so that only the length differs
                (one / f"app_{n}.py").write_text(grown(texts[n % len(texts)], length, rng), "utf-8")
            total = sum(f.read_text("utf-8").count("\n") for f in one.iterdir())
            a_line_us[length] = max(lint(one) - start_s, 0.0) / total * 1e6
            print(f"files of {length} lines: {a_line_us[length]:.0f} microseconds a line")
    growth = a_line_us[LENGTHS[-1]] / a_line_us[LENGTHS[0]]
    print(f"a line of the longest costs {growth:.2f} times one of the shortest")
    return int(many_s > MOST_S or growth > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
