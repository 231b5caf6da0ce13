"""Asks every question in a child with a time limit, so that a segfault or a hang while a kernel loads is an answer
and not the end.  A child writes one JSON line when it begins a step and one when it ends it; a step that began and
never ended is where the child died.  Only children import torch, triton and mamba_ssm.

The request is written by preflight/probe/request.py, with what is in ``DEFAULTS`` left out; preflight/probe/reading.py
parses the reading.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import threading
import time
from typing import Any, Callable

from .child import child
from .choices import is_on
from .gpus import smi
from .installed import EXTENSIONS
from .lane import NOT_REACHED, Lane
from .processes import PR_SET_CHILD_SUBREAPER, descendants, end, end_with_parent, prctl

READING_SCHEMA = "preflight.probe-reading/2"
DEFAULTS: dict[str, Any] = {
    "device": "cuda",  # "cpu" is for stand-ins: every verdict from it says simulated
    "length": 0,  # instead of each block's own
    "seed": 20,
    "model_steps": 3,
    "lanes": 0,  # children that run cases; 0 as the cores allow
}
ALONE = ("packages", "versions", "gpu", "library", "fallback")  # steps that stand in the reading by their name
AT_REST = "name,driver_version,ecc.errors.uncorrected.volatile.total"
Plan = list[tuple[str, list[dict[str, Any]]]]  # for each child what kind it is, and its steps


# --- the supervisor ---------------------------------------------------------------------------------------


def run(request: dict[str, Any], say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """The reading for ``request``.  A child may do what it wants; this ends by ``limit_s``."""
    asked = {**DEFAULTS, **request}
    started, stop = time.monotonic(), threading.Event()
    folder = tempfile.mkdtemp(prefix="preflight-probe-")
    lanes: list[Lane] = []
    cards: list[dict[str, str]] = []

    def tell(text: str) -> None:
        # progress that can't be shown (a closed pipe) must not cost the reading
        with contextlib.suppress(OSError, ValueError):
            say(text)

    def start(plan: Plan) -> None:
        for kind, steps in plan:
            room = os.path.join(folder, str(len(lanes)))
            lanes.append(Lane(kind, steps, asked, room, started + float(asked["limit_s"]), tell, stop))
            lanes[-1].start()

    def wait() -> None:
        for lane in lanes:
            lane.join()

    try:
        start(_plan(asked))
        cards = smi(AT_REST)
        wait()
        # measured when nothing else runs: what it finds is the GPU, not its neighbour in this container
        start(_gpu_plan(asked, cards, folder))
        wait()
    finally:
        stop.set()
        for lane in lanes:
            lane.join(2)
            lane.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return _reading(asked, lanes, cards, time.monotonic() - started)


def _cases(asked: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(b, dtype=d, step="%s %s" % (b["block"], d)) for b in asked["blocks"] for d in asked["dtypes"]]


def _plan(asked: dict[str, Any]) -> Plan:
    """Which child is asked what.  Each pays for importing torch, so cores bound their number."""
    loads = [{"step": name} for name in ("packages", "versions", "gpu", *EXTENSIONS, "fallback", "library")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # The slow ones (Triton compiles about 25 kernels a dtype) are dealt first, one to a lane.
    cases = sorted(_cases(asked), key=lambda case: case["block"] == "Mamba")
    lanes = int(asked["lanes"]) or max(1, min(len(cases), cores // 3))
    hands = [cases[i::lanes] for i in range(lanes)]
    model = [("model", [{"step": "model"}])] if asked["model"] else []
    return [("load", loads), *(("cases", hand) for hand in hands if hand), *model]


def _gpu_plan(asked: dict[str, Any], cards: list[dict[str, str]], folder: str) -> Plan:
    """One child a GPU; where there are several, they meet in an all-reduce."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = len(cards) if visible is None else len([c for c in visible.split(",") if c.strip()])
    if asked["device"] != "cuda" or not count or not (count > 1 or asked["gpu_health"]):
        return []
    meet = "file://" + os.path.join(folder, "meet")
    return [("gpus", [{"step": "gpu %d" % n, "rank": n, "of": count, "meet": meet}]) for n in range(count)]


def _reading(asked: dict[str, Any], lanes: list[Lane], cards: list[dict[str, str]], seconds: float) -> dict[str, Any]:
    everything: dict[str, dict[str, Any]] = {}
    for lane in lanes:
        for step, answer in lane.answers.items():
            # Lanes import the same modules: an import that failed anywhere is the one to show.
            if step not in everything or everything[step]["outcome"] == "ok":
                everything[step] = answer
    lane_of = {want["step"]: lane for lane in lanes for want in lane.wanted}
    cases = []
    for want in _cases(asked):
        stopped = [s for s, a in lane_of[want["step"]].answers.items() if a["outcome"] != "ok"]
        not_reached = dict(NOT_REACHED, at=stopped[-1] if stopped else "")
        cases.append(dict(everything.get(want["step"], not_reached), block=want["block"], dtype=want["dtype"]))
    standin = (everything.get("versions", NOT_REACHED)["value"] or {}).get("standin")
    return {
        "schema": READING_SCHEMA,
        "request": asked,
        "seconds": round(seconds, 3),
        "python": {"version": platform.python_version()},
        "simulated": asked["device"] != "cuda" or bool(standin),
        "forced": {v: os.environ[v] for v in asked["force_variables"] if is_on(os.environ.get(v, ""))},
        "driver": {"name": cards[0]["name"], "driver": cards[0]["driver_version"]} if cards else {},
        "visible_devices": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "cards": cards,
        "gpus": [everything[s] for s in everything if s.startswith("gpu ") and s != "gpu ready"],
        **{name: everything.get(name, NOT_REACHED) for name in ALONE},
        "loads": {name: everything.get(name, NOT_REACHED) for name in EXTENSIONS},
        "imports": {s: a for s, a in everything.items() if s.startswith("import ") or s == "gpu ready"},
        "cases": cases,
        "model": dict(everything.get("model", NOT_REACHED), name=asked["model"]) if asked["model"] else None,
        "strays": {s: a for s, a in everything.items() if s in ("start", "between steps", "supervisor")},
    }


# --- by itself --------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--child"]:
        child(arguments[1])
        return 0
    given = dict(zip(arguments[::2], arguments[1::2]))
    with open(given["--request"]) as f:
        request = json.load(f)

    def end_all() -> None:
        end(descendants(os.getpid()))

    # TERM, HUP and INT end the children too: run() kills them on its way out.  So does the launcher's own end.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    if "--parent" in given:
        end_with_parent(int(given["--parent"]), end_all)
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # what our children start and leave becomes ours, and can be ended
    try:
        reading = run(request, lambda text: print(text, flush=True))
    finally:
        end_all()
    text = json.dumps(reading, indent=1)
    if "--out" in given:
        with open(given["--out"], "w") as f:
            f.write(text + "\n")
    else:
        print(text)
    return 0
