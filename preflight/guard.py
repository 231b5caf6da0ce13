"""A guard inside the training run: it stops the run within its first minutes when the dollars would be wasted.

    from preflight.guard import guard

    model = guard(model, total_steps=100 * len(loader), hours=24)

It traces the first steps with torch's profiler and counts what launched.  Afterwards it adds 14 to 20 us of CPU time a
Mamba block and step: less than 1 % where a step of 24 blocks takes 50 ms (tests/bench/guard_cost.py).  The run ends
with exit code 86 and one JSON line (``preflight.guard/1``, after "preflight.guard " on standard error, and in the file
``out``) when a Mamba block launched no kernel, another path took over, the loss or a gradient is not finite, there is
no GPU or one far slower than its name, or the steps will not fit the hours.
``warn_only=True`` only says so.

A step is a forward pass that trains.  A loop is guarded with ``for batch in guard(loader, model=model, ...)``: a step
is then one batch.  A loss is looked at where it is given: ``model.preflight_guard.loss(loss)``.  Standard library and
torch only: nothing else of preflight is imported, so that this file can be copied into an image alone.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import statistics
import sys
import time
from typing import Any, Iterable, Iterator, Optional

EXIT_CODE = 86
SCHEMA = "preflight.guard/1"
# What an app adds to its image, so that its container has this file.
IMAGE_LINE = '.add_local_python_source("preflight")'
# Block -> (forward, backward) kernels that a step launches at least once a call, "a|b" for either; as kernels.toml.
KERNELS = {
    "Mamba": (
        ("selective_scan_fwd_kernel", "causal_conv1d_fwd_kernel|causal_conv1d_channellast_fwd_kernel"),
        ("selective_scan_bwd_kernel", "causal_conv1d_bwd_kernel|causal_conv1d_channellast_bwd_kernel"),
    ),
    "Mamba2": (
        ("_chunk_scan_fwd_kernel", "causal_conv1d_channellast_fwd_kernel|causal_conv1d_fwd_kernel"),
        ("_chunk_scan_chunk_state_bwd_dx_kernel", "causal_conv1d_channellast_bwd_kernel|causal_conv1d_bwd_kernel"),
    ),
    "Mamba3": (("mamba3_siso_fwd_kernel",), ("mamba3_siso_bwd_kernel_dqkv",)),
}
# TFLOP/s of 4096 x 4096 bfloat16 products below which a GPU is not what its name says: half of health.toml's.
LEAST_TFLOPS = {"H100 80GB HBM3": 390.0, "H200": 390.0, "A100-SXM4": 125.0, "A100 80GB PCIe": 110.0, "L40S": 100.0}
WATCHED = (1, 2, 4)  # steps that are traced; before the last an optimizer's step was taken
PACE_AT = (10, 30, 100, 300, 1000)  # steps at which the pace is held against the hours; then every ten thousand
MISSED_STEPS = 3  # in a row without a block that was called before: another path took over
TRACE_SHARE = 0.005  # of the time since the last trace that a new one may take
LOOK_S = 60.0  # between two looks at a loss, each of which waits for the GPU
STANDIN = "simulated::"  # what a stand-in launches where there is no GPU, in tests


class GuardStop(SystemExit):
    """Ends the process with the guard's exit code; no ``except Exception`` catches it."""

    def __init__(self, record: dict[str, Any]) -> None:
        super().__init__(EXIT_CODE)
        self.record = record

    def __str__(self) -> str:
        return "preflight.guard stopped the run: " + "; ".join(f["said"] for f in self.record["findings"])


def guard(what: Any, *, model: Any = None, **options: Any) -> Any:
    """``what`` guarded: a module (given back as it is, with hooks) or an iterable of batches (give ``model=``).

    total_steps: the steps of the whole run.  hours: what the run has, from ``started`` (time.time(); default now).
    warn_only: say it and go on.  out: a file for the JSON lines.  health: ask whether the GPU is what its name says.
    """
    watcher = Guard(what if model is None else model, **options)
    if not hasattr(what, "register_forward_pre_hook"):
        return watcher.over(what)
    watcher.model.register_forward_pre_hook(watcher.on_forward)
    return what


class Guard:
    def __init__(
        self,
        model: Any,
        total_steps: Optional[int] = None,
        hours: Optional[float] = None,
        started: Optional[float] = None,
        warn_only: bool = False,
        out: Optional[str] = None,
        health: bool = True,
    ) -> None:
        import torch

        self.torch: Any = torch
        self.model, self.total_steps, self.hours, self.out = model, total_steps, hours, out
        self.started, self.warn_only, self.health = started or time.time(), warn_only, health
        self.step, self.trace_cost = 0, 0.0
        self.tflops: Optional[float] = None
        self.findings: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.blocks: dict[str, dict[str, Any]] = {}
        self.flags: list[tuple[str, Any, Any]] = []
        self.hooks: list[Any] = []
        self.profile: Any = None
        self.at = self.looked = self.traced = time.perf_counter()
        for name, module in model.named_modules():
            kinds = [k.__name__ for k in type(module).__mro__ if k.__module__.startswith("mamba_ssm")]
            kind = next((k for k in kinds if k in KERNELS), None)
            if kind is not None:
                row = self.blocks[name or kind] = {"block": kind, "calls": 0, "seen": 0, "missed": 0}
                module.register_forward_pre_hook(functools.partial(_count, row))
        object.__setattr__(model, "preflight_guard", self)

    # --- what a step is -----------------------------------------------------------------------------------

    def over(self, batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            self.begin()
            yield batch
        self.end()

    def on_forward(self, module: Any, args: Any) -> None:
        """A step begins with each forward pass that trains; those of a validation are not counted."""
        in_backward = getattr(self.torch._C, "_current_graph_task_id", lambda: -1)() != -1
        if module.training and self.torch.is_grad_enabled() and not in_backward:
            self.begin()

    def begin(self) -> None:
        if self.step:
            self.end()
        self.step += 1
        if self.step == 1 and self.health:
            self._ask_gpu()
        since = time.perf_counter() - self.traced
        may_trace_again = self.trace_cost > 0 and self.step > max(WATCHED) and since * TRACE_SHARE > self.trace_cost
        if self.step in WATCHED or may_trace_again:
            self._trace()
        self.at = time.perf_counter()

    def end(self) -> None:
        """The step that began last is over: the next one begins, or the loop is."""
        if self.profile is not None:
            self._judge_trace()
        else:
            self.times = [*self.times[-199:], time.perf_counter() - self.at]
        for name, row in self.blocks.items():
            row["missed"] = 0 if row["calls"] or not row["seen"] else row["missed"] + 1
            row["seen"] += row["calls"]
            row["calls"] = 0
            if row["missed"] == MISSED_STEPS:
                self._found("fallback", f"{name} is not called any more since step {self.step - MISSED_STEPS + 1}")
        if self.step in PACE_AT or self.step % 10_000 == 0:
            self._hold_pace()

    # --- what is looked at --------------------------------------------------------------------------------

    def loss(self, value: Any) -> Any:
        """Looks at a loss in the first steps, and once a minute after them."""
        now = time.perf_counter()
        if self.step <= max(WATCHED) or now - self.looked > LOOK_S:
            self.looked = now
            if not bool(self.torch.isfinite(value.detach()).all()):
                self._found("loss", f"the loss is not finite in step {self.step}")
        return value

    def _trace(self) -> None:
        profiler, began = self.torch.profiler, time.perf_counter()
        kinds = [profiler.ProfilerActivity.CPU]
        kinds += [profiler.ProfilerActivity.CUDA] if self.torch.cuda.is_available() else []
        self.profile = profiler.profile(activities=kinds)
        try:
            self.profile.__enter__()
        except RuntimeError as error:  # the user's own profiler, say: it is noted, and the run goes on
            self.profile = None
            sys.stderr.write(f"preflight.guard: step {self.step} could not be traced: {error}\n")
            return
        self.flags = []
        for name, p in self.model.named_parameters():
            if p.requires_grad:
                self.hooks.append(p.register_hook(functools.partial(self._on_gradient, name)))
        self.trace_cost = time.perf_counter() - began

    def _on_gradient(self, name: str, gradient: Any) -> None:
        if not gradient.is_sparse:
            self.flags.append((name, self.torch.isfinite(gradient).all(), (gradient != 0).any()))

    def _judge_trace(self) -> None:
        began = time.perf_counter()
        if self.torch.cuda.is_available():
            self.torch.cuda.synchronize()
        profile, self.profile = self.profile, None
        profile.__exit__(None, None, None)
        for hook in self.hooks:
            hook.remove()
        self.hooks = []
        for p in self.model.parameters():
            if getattr(p, "_backward_hooks", None) == {}:
                p._backward_hooks = None  # an empty table of hooks is still asked in each backward: 1 us a parameter
        names: dict[str, int] = {}
        convolutions = 0
        for event in profile.events():
            name = str(event.name)
            on_device = str(event.device_type).endswith("CUDA") and not getattr(event, "is_user_annotation", False)
            if on_device or name.startswith(STANDIN):
                names[name] = names.get(name, 0) + 1
            convolutions += name == "aten::conv1d"
        row: dict[str, Any] = {"step": self.step, "launches": sum(names.values()), "conv1d": convolutions}
        row.update(kernels={}, gradients=len({name for name, _, _ in self.flags}))
        self.steps = [*self.steps[-4:], row]
        if names or not self.torch.cuda.is_available():
            self._judge_launches(names, row)
        else:
            sys.stderr.write(f"preflight.guard: step {self.step}: the profiler saw nothing of the GPU\n")
        self._judge_gradients()
        self.traced = time.perf_counter()
        self.trace_cost += self.traced - began
        if self.step == max(WATCHED) and not self.findings:
            self._write("watched")

    def _judge_launches(self, names: dict[str, int], row: dict[str, Any]) -> None:
        arrived = {name for name, _, _ in self.flags}
        for kind in sorted({str(b["block"]) for b in self.blocks.values()}):
            mine = {name: b for name, b in self.blocks.items() if b["block"] == kind and b["calls"]}
            calls = sum(b["calls"] for b in mine.values())
            trained = sum(any(n.startswith(name) or len(self.blocks) == 1 for n in arrived) for name in mine)
            for due, kernels in ((calls, KERNELS[kind][0]), (trained, KERNELS[kind][1])):
                for kernel in kernels:
                    shown = kernel.split("|")[0]
                    count = sum(n for name, n in names.items() if any(k in name for k in kernel.split("|")))
                    row["kernels"][shown] = count
                    if count < due:
                        self._found("kernels", f"{shown} launched {count} times in step {self.step}, due {due}: {kind}")
        if self.blocks and self.step == max(WATCHED) and not any(b["calls"] + b["seen"] for b in self.blocks.values()):
            message = f"none of its {len(self.blocks)} Mamba blocks is called; {row['conv1d']} conv1d ran"
            self._found("kernels", f"{message} in step {self.step}")

    def _judge_gradients(self) -> None:
        bad = sorted({name for name, is_finite, _ in self.flags if not bool(is_finite)})
        # a GradScaler finds its scale by overflowing: its first gradients are not finite, and are skipped
        if bad and not any(type(o).__name__ == "GradScaler" and o.is_enabled() for o in gc.get_objects()):
            self._found("gradient", f"gradients are not finite in step {self.step}: {', '.join(bad[:3])}")
        zero = {name for name, _, is_some in self.flags if not bool(is_some)}
        if self.flags and self.step == max(WATCHED) and len(zero) == len({name for name, _, _ in self.flags}):
            self._found("gradient", f"every gradient is zero in step {self.step}")
        self.flags = []

    def _ask_gpu(self) -> None:
        torch = self.torch
        if not torch.cuda.is_available():
            self._found("gpu", "torch reaches no GPU: the run would train on the CPU")
            return
        if not torch.cuda.is_bf16_supported():
            return
        name = torch.cuda.get_device_name()
        a = torch.randn(4096, 4096, device="cuda", dtype=torch.bfloat16)
        marks = [torch.cuda.Event(enable_timing=True) for _ in range(2)]
        for n in range(30):
            if n == 10:
                marks[0].record()
            torch.mm(a, a)
        marks[1].record()
        torch.cuda.synchronize()
        self.tflops = tflops = round(20 * 2 * 4096**3 / float(marks[0].elapsed_time(marks[1])) / 1e9, 1)
        least = next((v for k, v in LEAST_TFLOPS.items() if k in name), None)
        if least is not None and tflops < least:
            self._found("gpu", f"{name} does {tflops:.0f} TFLOP/s; a healthy one does more than {least:.0f}")

    def _hold_pace(self) -> None:
        pace = statistics.median(self.times) if self.times else 0.0
        if self.total_steps and self.hours and pace:
            needed = (time.time() - self.started + (self.total_steps - self.step) * pace) / 3600
            if needed > self.hours:
                message = (
                    f"{self.total_steps} steps at {pace:.3g} s take {needed:.1f} hours; the run has {self.hours:g}"
                )
                self._found("pace", message)
                return
        if not self.findings:
            self._write("paced")

    # --- what is reported -------------------------------------------------------------------------------------

    def _found(self, kind: str, message: str) -> None:
        if any(f["said"] == message or (self.warn_only and f["kind"] == kind) for f in self.findings):
            return
        self.findings.append({"kind": kind, "said": message, "step": self.step})
        record = self._write("warned" if self.warn_only else "stopped")
        if not self.warn_only:
            stop = GuardStop(record)
            sys.stderr.write(f"{stop}\n")
            raise stop

    def _write(self, verdict: str) -> dict[str, Any]:
        """One line; ``step_s`` and ``total_steps`` are what an estimate needs."""
        cuda = self.torch.cuda
        record = {
            "schema": SCHEMA,
            "verdict": verdict,
            "exit": EXIT_CODE if verdict == "stopped" else 0,
            "findings": list(self.findings),
            "step": self.step,
            "total_steps": self.total_steps,
            "step_s": round(statistics.median(self.times), 4) if self.times else None,
            "seconds": round(time.time() - self.started, 1),
            "hours": self.hours,
            "gpu": cuda.get_device_name() if cuda.is_available() else "",
            "tflops": self.tflops,
            "peak_bytes": int(cuda.max_memory_allocated()) if cuda.is_available() else 0,
            "blocks": {name: {"block": b["block"], "calls": b["seen"] + b["calls"]} for name, b in self.blocks.items()},
            "traced": self.steps,
            "torch": str(self.torch.__version__),
        }
        line = json.dumps(record)
        sys.stderr.write(f"preflight.guard {line}\n")
        sys.stderr.flush()
        path = self.out or os.environ.get("PREFLIGHT_GUARD_OUT")
        if path:
            with open(path, "a") as f:  # noqa: PTH123 - this file stands alone
                f.write(line + "\n")
        return record


def _count(row: dict[str, Any], module: Any, args: Any) -> None:
    row["calls"] += 1
