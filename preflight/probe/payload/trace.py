"""What launched: the profiler's device events, counted as a whole and inside labelled forward passes."""

from __future__ import annotations

import contextlib
import importlib
import math
import re
from typing import Any, Iterator

# A convolution done by torch itself shows as one of these operators on the host side of the trace.
CONV_OPERATORS = (
    "aten::conv1d",
    "aten::_conv_depthwise2d",
    "aten::cudnn_convolution",
    "aten::mkldnn_convolution",
)
SIMULATED_KERNEL = "simulated::"  # record_function labels with this prefix stand for launches when device is cpu
CUDA_CALL = re.compile(r"cu(da)?[A-Z]")
LABEL = "preflight/"  # + the number of the module whose forward pass it is


def synchronize(torch: Any, device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


@contextlib.contextmanager
def traced(torch: Any, device: str, watch: Any = (), inside: Any = None) -> Iterator[dict[str, Any]]:
    """Fills the yielded dict with what the profiler saw; one product that it must see is launched along.

    ``watch`` are names of kernels ("a|b" for either); ``inside`` gets their number and the convolutions' per label.
    """
    profiler = torch.profiler
    activities = [profiler.ProfilerActivity.CPU]
    if device == "cuda":
        activities.append(profiler.ProfilerActivity.CUDA)
    found: dict[str, Any] = {}
    with profiler.profile(activities=activities) as profile:
        canary = torch.ones(64, device=device)
        canary.mul_(2)
        yield found
        synchronize(torch, device)
    launched: dict[str, list[float]] = {}
    operators: dict[str, int] = {}
    events = 0
    for event in profile.events():
        name = str(event.name)
        on_device = str(event.device_type).endswith("CUDA")
        if on_device and not getattr(event, "is_user_annotation", False):
            events += 1
        elif device != "cuda" and name.startswith(SIMULATED_KERNEL):
            name = name[len(SIMULATED_KERNEL) :]
            events += 1
        else:
            if name in CONV_OPERATORS:
                operators[name] = operators.get(name, 0) + 1
            elif inside is not None and name.startswith(LABEL) and not on_device:
                _count(event, watch, inside.setdefault(name[len(LABEL) :], {}))
            continue
        if not name.startswith(("Memcpy", "Memset")):
            row = launched.setdefault(name[:300], [0, 0.0])
            row[0] += 1
            row[1] += float(event.time_range.elapsed_us())
    rows = [{"name": n, "count": int(c), "us": round(us, 1)} for n, (c, us) in sorted(launched.items())]
    found.update(launched=rows, operators=operators, device_events=events)


def _count(event: Any, watch: Any, into: dict[str, int]) -> None:
    """Adds the watched kernels that were launched from this event or from one inside it."""
    # calls of CUDA itself carry numbers of their own, which may be those of other launches
    is_cuda = CUDA_CALL.match(str(event.name)) is not None
    names = [] if is_cuda else [str(kernel.name) for kernel in getattr(event, "kernels", None) or ()]
    for inner in getattr(event, "cpu_children", None) or ():
        name = str(inner.name)
        if name.startswith(SIMULATED_KERNEL):
            names.append(name)
        elif name in CONV_OPERATORS[:1]:
            into[name] = into.get(name, 0) + 1
        _count(inner, watch, into)
    for pattern in watch:
        n = sum(any(spelling in name for spelling in pattern.split("|")) for name in names)
        if n:
            into[pattern] = into.get(pattern, 0) + n


def hold_autotuner(untuned: list[str]) -> None:
    """Makes Triton's autotuner take its cheapest configuration that fits, instead of timing each of them.

    Mamba2's kernels have 5 to 10 configurations each: tuning them took more than 60 s on an H100, and tells
    nothing about whether they launch.  ``untuned`` collects the kernels' names.
    """
    try:
        autotuner = importlib.import_module("triton.runtime.autotuner")
        errors = importlib.import_module("triton.runtime.errors")
    except ImportError:
        return
    original = autotuner.Autotuner.run
    too_big = tuple(e for e in (getattr(errors, "OutOfResources", None),) if e is not None)

    def cost(config: Any) -> int:
        sizes = [v for k, v in config.kwargs.items() if "BLOCK" in k and isinstance(v, int)]
        return int(math.prod(sizes) * max(1, getattr(config, "num_stages", 1) or 1))

    def run_one(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(self.configs) == 1:
            return original(self, *args, **kwargs)
        everything = sorted(self.configs, key=cost)
        for config in everything:
            self.configs = [config]
            try:
                done = original(self, *args, **kwargs)
            except too_big:
                continue
            untuned.append(getattr(self.fn, "__name__", "") or str(self.fn))
            return done
        self.configs = everything
        return original(self, *args, **kwargs)

    autotuner.Autotuner.run = run_one
