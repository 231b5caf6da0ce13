"""One GPU of the container: how fast it multiplies and copies, and, where there are several, how fast they meet."""

from __future__ import annotations

import datetime
import importlib
import subprocess
from typing import Any, Callable

SIDE = 8192  # of the square product
COPY_BYTES = 2**31
REDUCE_BYTES = 2**28  # of one all-reduce; the bandwidth of 1 GiB is 8 % higher on two H100
MEET_S = 60
LOADED = "temperature.gpu,clocks_throttle_reasons.active,clocks.sm,clocks.max.sm,power.draw"


def ask_gpu(answers: Any, steps: list[dict[str, Any]], request: dict[str, Any]) -> None:
    torch = answers.ask("import torch", lambda: importlib.import_module("torch"))
    if torch is not None:
        answers.ask(steps[0]["step"], lambda: measured(answers, torch, **steps[0]))


def measured(answers: Any, torch: Any, step: str, rank: int, of: int, meet: str) -> dict[str, object]:
    answers.at("matrix products")
    torch.cuda.set_device(rank)
    name = torch.cuda.get_device_name(rank)
    kind = torch.bfloat16 if torch.cuda.get_device_capability(rank)[0] >= 8 else torch.float16
    a, b = (torch.randn(SIDE, SIDE, device="cuda", dtype=kind) for _ in range(2))
    product_s = _seconds(torch, lambda: torch.mm(a, b), 20)
    about = {"rank": rank, "name": name, "tflops": round(2 * SIDE**3 / product_s / 1e12, 1)}
    uuid = "GPU-" + str(getattr(torch.cuda.get_device_properties(rank), "uuid", ""))
    about["loaded"] = next(iter(smi(LOADED, "-i", uuid)), {})  # while it is still warm from the work
    answers.at("copies")
    source = torch.empty(COPY_BYTES // 4, device="cuda").normal_()
    target = torch.empty_like(source)
    copy_s = _seconds(torch, lambda: target.copy_(source), 10)
    about["copy_gbps"] = round(2 * COPY_BYTES / copy_s / 1e9, 1)
    if of > 1:
        answers.at("the all-reduce of %d GPUs" % of)
        about.update(_reduced(torch, rank, of, meet))
    return about


def _seconds(torch: Any, work: Callable[[], Any], rounds: int) -> float:
    """The median of single runs, by events of the device."""
    for _ in range(3):
        work()
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(rounds + 1)]
    marks[0].record()
    for mark in marks[1:]:
        work()
        mark.record()
    torch.cuda.synchronize()
    times = sorted(one.elapsed_time(two) for one, two in zip(marks, marks[1:]))
    return float(times[len(times) // 2] / 1000)


def smi(fields: str, *options: str) -> list[dict[str, str]]:
    """What the NVIDIA driver says of each GPU without torch: [] where there is none."""
    command = ["nvidia-smi", "--query-gpu=" + fields, "--format=csv,noheader,nounits", *options]
    try:
        done = subprocess.run(command, check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return []
    names, lines = fields.split(","), done.stdout.decode("utf-8", "replace").splitlines()
    rows = [[value.strip() for value in line.split(",")] for line in lines]
    return [dict(zip(names, row)) for row in rows if len(row) == len(names)]


def _reduced(torch: Any, rank: int, of: int, meet: str) -> dict[str, object]:
    """Bus bandwidth of an all-reduce (2 (n - 1) / n of the bytes a second), and whether the sum was right."""
    distributed = torch.distributed
    limit = datetime.timedelta(seconds=MEET_S)
    distributed.init_process_group("nccl", init_method=meet, rank=rank, world_size=of, timeout=limit)
    data = torch.full((REDUCE_BYTES // 4,), float(rank + 1), device="cuda")
    distributed.all_reduce(data)
    torch.cuda.synchronize()
    is_right = bool((data == of * (of + 1) / 2).all())
    data.zero_()
    took = _seconds(torch, lambda: distributed.all_reduce(data), 10)
    return {"reduce_gbps": round(2 * (of - 1) / of * REDUCE_BYTES / took / 1e9, 1), "sum_is_right": is_right}
