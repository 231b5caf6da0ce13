"""Kept readings of a real GPU with one thing changed, and what the judges say of each then.

A row: the reading, what is changed in it (path: value, or a function of the value there; ``*`` is every entry), then
verdict, cause, and texts that the reason and remedy together hold; one that begins with ! must not be there.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "data" / "probes"
Row = tuple[str, dict[str, Any], str, str, tuple[str, ...]]


def without(*names: str) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda rows: [row for row in rows if not any(name in row["name"] for name in names)]


def more(*rows: object) -> Callable[[list[object]], list[object]]:
    return lambda there: [*there, *rows]


def raised(kind: str, message: str, *paths: str, at: str = "") -> dict[str, Any]:
    error = {"type": kind, "message": message, "frames": [{"path": p, "line": 7, "name": "f"} for p in paths]}
    return {"outcome": "error", "seconds": 1.0, "at": at, "error": error, "value": None}


def ended(outcome: str, at: str = "", **more: object) -> dict[str, Any]:
    return {"outcome": outcome, "seconds": 9.0, "at": at, "value": None, "error": None, **more}


def error(kind: str, message: str, *paths: str) -> dict[str, Any]:
    return dict(raised(kind, message, *paths)["error"])


def case(block: str = "Mamba", **more: Any) -> list[dict[str, Any]]:
    return [{"block": block, "dtype": "float32", "options": {}, **more}]


def imports(name: str, step: dict[str, Any]) -> dict[str, Any]:
    return {"imports": {name: step}, "cases": case(**ended("not-reached"))}


def compared(what: str, **more: object) -> list[dict[str, Any]]:
    return [{"what": what, "relative": 1e-7, "scale": 1.0, "norm": 1.0, "reference_norm": 1.0, **more}]


NUMBERS, RUN, CHOICES = "cases.0.value.numerics", "model.value", "model.value.choices"
HANDLER = {"path": "net.py", "line": 5, "type": "ImportError", "message": "no", "about_mamba": True, "kind": "call"}
DECISION = {"path": "net.py", "line": 6, "test": "fast", "variables": [], "is_sure": True}
READ = {"name": "FAST", "path": "net.py", "line": 8, "value": "1"}
REPLACED = {"name": "causal_conv1d_fn", "by": "net.f", "path": "net.py", "line": 9}
ABSENT = {"name": "causal_conv1d_fn", "path": "mamba.py", "line": 2}
SLOW = {"path": "net.py", "line": 10, "called": "slow_forward"}
SCAN_FORWARD, SCAN_BACKWARD = "selective_scan_fwd_kernel", "selective_scan_bwd_kernel"
NO_SCAN = {f"{RUN}.steps.*.launched": without(SCAN_FORWARD)}
HIDDEN = {**NO_SCAN, f"{RUN}.blocks.*.steps.*.launched": {}}
NOT_INSTALLED = {"loads.causal_conv1d": raised("ModuleNotFoundError", "No module named 'causal_conv1d'")}
CONV_GONE = {"cases.0.value.launched": without("causal_conv1d_fwd")}
FALLBACK, BROKEN, PARTIAL, GREEN, UNKNOWN = "conv1d-fallback", "broken", "partial", "kernels", "could-not-run"

BLOCKS: list[Row] = [
    ("healthy", {}, GREEN, "launched",
     ("your own model was not run", "one Triton configuration of each", "numbers right")),
    ("healthy", {"request.full_autotune": True}, GREEN, "launched", ("!one Triton configuration",)),
    ("healthy", {"cases.*.value.held": []}, GREEN, "launched", ("!one Triton configuration",)),
    ("healthy", {"simulated": True, "cases.*.value.numerics.compared": []}, GREEN, "launched",
     ("simulated: Mamba, Mamba2: 19 kernels", "no numbers were compared")),
    ("healthy", {"simulated": True, f"{NUMBERS}.compared": []}, GREEN, "launched", ("!no numbers", "numbers right")),
    ("healthy", {f"{NUMBERS}.compared": [], f"{NUMBERS}.without_reference": "none"}, UNKNOWN, "no-reference",
     ("Mamba in float32 has nothing to be compared with: none",)),
    ("healthy", {"request.blocks": more({"block": "Mamba3"})}, UNKNOWN, "nothing-asked",
     ("Mamba3 was run in no dtype",)),
    ("healthy", {"cases.1.value.device_events": 0}, UNKNOWN, "no-device-events", ("CUPTI",)),
    ("healthy", {"request.blocks": [{"block": "Mamba9"}], "cases": lambda rows: [{**rows[0], "block": "Mamba9"}]},
     UNKNOWN, "no-reference", ("not in kernels.toml", "Mamba, Mamba2, Mamba3")),
    ("healthy", {"cases.0.value.without_gradient": list("abcde")}, BROKEN, "missing-backward",
     ("no gradient reached a, b, c, d (5 in all)",)),
    ("healthy", {"cases.0.value.without_gradient": ["a"], f"{NUMBERS}.finite": False}, BROKEN, "nan-output", ()),
    ("healthy", {"cases.0.value.without_gradient": ["a"], f"{NUMBERS}.zero": True}, BROKEN, "zero-output", ()),
    ("scan-3-percent", {"cases.0.value.without_gradient": ["a"]}, BROKEN, "missing-backward", ()),
    ("healthy", {"cases.0.value.launched": without(SCAN_FORWARD)}, FALLBACK, "no-launch", ("none of its kernels",)),
    ("healthy", {"cases.0.value.launched": without(SCAN_BACKWARD)}, BROKEN, "missing-backward",
     ("runs forward, and its backward did not launch selective_scan_bwd_kernel",)),
    ("mamba2-forgets", {"cases.*.value.numerics.compared": compared("output"), "cases.0.value.launched":
     without("_chunk_state_fwd_kernel")}, PARTIAL, "no-launch", ("float32 did not launch _chunk_state_fwd_kernel",)),
    ("healthy", CONV_GONE, PARTIAL, "causal-conv1d-unusable",
     ("ran another convolution in place", "loads and was not called", "look for what calls another")),
    ("healthy", {**CONV_GONE, **NOT_INSTALLED, "cases.0.value.operators": {"aten::conv1d": 1}}, PARTIAL,
     "causal-conv1d-absent", ("ran nn.Conv1d (aten::conv1d)", "is not installed", "pip install")),
    ("healthy", {**CONV_GONE, "loads.causal_conv1d_cuda": raised("ImportError", "x.so: undefined symbol: _ZN3c10x")},
     PARTIAL, "undefined-symbol", ("was built for another torch than 2.11",)),
    ("healthy", {**CONV_GONE, "loads.causal_conv1d": ended("crash", signal="SIGSEGV")}, PARTIAL,
     "causal-conv1d-unusable", ("import causal_conv1d: the process died (SIGSEGV)", "build causal-conv1d")),
    ("healthy", {**CONV_GONE, "loads.causal_conv1d": ended("time-out")}, PARTIAL, "causal-conv1d-unusable",
     ("no end within 9 s",)),
    ("healthy", {**CONV_GONE, "loads.causal_conv1d": ended("not-reached")}, PARTIAL, "causal-conv1d-unusable",
     ("loads and was not called",)),
    ("healthy", {**CONV_GONE, "library.value.absent": [ABSENT]}, PARTIAL, "causal-conv1d-unusable",
     ("causal-conv1d 1.7.0 loads, but mamba_ssm set causal_conv1d_fn to None",)),
    ("healthy", {**CONV_GONE, "library.value.replaced": [REPLACED]}, PARTIAL, "causal-conv1d-unusable",
     ("causal_conv1d_fn is net.f (net.py:9)", "take out the assignment")),
    ("healthy", {**CONV_GONE, "library.value.replaced": [{**REPLACED, "name": "selective_scan_fn"}]}, PARTIAL,
     "causal-conv1d-unusable", ("!take out the assignment",)),
    ("healthy", {"cases.2.value.default_path_error": error("TypeError", "no")}, PARTIAL, "error",
     ("Mamba2 in float32 raises TypeError: no; its kernels launch with use_mem_eff_path=False only",)),
    ("healthy", {"cases.0.value.default_path_error": error("TypeError", "no"), **CONV_GONE}, PARTIAL,
     "causal-conv1d-unusable", ("raises TypeError: no; with use_mem_eff_path=False it runs another convolution",)),
    ("scan-3-percent", {"packages.value.versions.mamba-ssm": "9.0"}, BROKEN, "wrong-numbers",
     ("(no row for Mamba of mamba-ssm 9.0; compared with 2.3.2.post1",)),
    ("other-architecture", {"packages.value.versions.mamba-ssm": "9.0"}, BROKEN, "wrong-architecture", ("!no row",)),
]  # fmt: skip

NOT_BEGUN: list[Row] = [
    ("forced", imports("import torch", ended("crash", signal="SIGILL")), UNKNOWN, "no-torch", ("died (SIGILL)",)),
    ("healthy", imports("import torch", ended("crash", exit=3)), UNKNOWN, "no-torch", ("exit code 3",)),
    ("healthy", {**imports("gpu ready", raised("RuntimeError", "no")), "visible_devices": None}, UNKNOWN, "no-gpu",
     ("reaches no GPU: RuntimeError: no", "driver 580", "!CUDA_VISIBLE_DEVICES", "--gpu A100-80GB")),
    ("healthy", {**imports("gpu ready", raised("RuntimeError", "no")), "visible_devices": ""}, UNKNOWN, "no-gpu",
     ('CUDA_VISIBLE_DEVICES="" shows torch none of 1 GPU', "unset CUDA_VISIBLE_DEVICES")),
    ("healthy", {**imports("gpu ready", raised("RuntimeError", "no")), "versions.value.cuda": ""}, UNKNOWN, "no-gpu",
     ("this torch is a CPU build", "install a CUDA build")),
    ("healthy", {**imports("gpu ready", raised("RuntimeError", "no")), "driver": {}, "visible_devices": "1"}, UNKNOWN,
     "no-gpu", ("nvidia-smi finds no driver", "!CUDA_VISIBLE", "!CPU build")),
    ("healthy", {"gpu": ended("not-reached"), "visible_devices": None}, GREEN, "launched", ()),
    ("healthy", {"gpu": ended("time-out")}, UNKNOWN, "no-gpu", ("no end within 9 s",)),
    ("healthy", imports("import mamba_ssm", ended("time-out")), UNKNOWN, "import-hang", ("-X importtime",)),
    ("healthy", imports("import mamba_ssm", ended("crash", exit=1)), BROKEN, "import-crash", ("exit code 1",)),
    ("healthy", imports("import mamba_ssm", raised("ModuleNotFoundError", "No module named 'einops.x'")), FALLBACK,
     "import-error", ("install what einops comes from",)),
    ("healthy", imports("import mamba_ssm", raised("ModuleNotFoundError", "No module named 'mamba_ssm'")), FALLBACK,
     "mamba-ssm-absent", ("install mamba-ssm",)),
    ("healthy", imports("import mamba_ssm", raised("ImportError", "No module named 'causal_conv1d_cuda'")), FALLBACK,
     "causal-conv1d-absent", ("install causal-conv1d",)),
    ("healthy", imports("import mamba_ssm", raised("ImportError", "half an import")), FALLBACK, "import-error", ()),
    ("healthy", imports("import mamba_ssm", raised("OSError", "libcudart.so.12: absent")), BROKEN, "import-error", ()),
    ("healthy", imports("import mamba_ssm", raised("OSError", "causal_conv1d_cuda")), BROKEN, "import-error",
     ("build causal-conv1d against",)),
    ("healthy", {"cases": case(**ended("not-reached", at="import torch"))}, UNKNOWN, "time-out",
     ("the time went to import torch", "larger")),
    ("healthy", {"cases": case(**ended("not-reached")), "strays": {"start": raised("OSError", "full")}},
     UNKNOWN, "crash",
     ("was not reached: OSError: full (start)",)),
    ("healthy", {"cases": case(**ended("not-reached")), "strays": {"start": ended("time-out")}}, UNKNOWN, "time-out",
     ("the steps before it",)),
    ("no-visible-gpu", {"forced": {"SWITCH": "1"}}, UNKNOWN, "no-gpu", ()),
    ("no-selective-scan", {"forced": {"SWITCH": "1"}}, FALLBACK, "forced-fallback", ("; and the kernels: import",)),
    ("scan-3-percent", {"forced": {"B": "1", "A": "2"}}, FALLBACK, "forced-fallback",
     ("A=2, B=1 is set", "and the kernels: Mamba in float32: output", "unset A, B")),
]  # fmt: skip

RUNNING: list[Row] = [
    ("healthy", {"cases": case(**ended("time-out", at="forward"))}, UNKNOWN, "time-out",
     ("did not end within 9 s at its forward", "faulthandler")),
    ("healthy", {"cases": case(**ended("time-out", at="construction"))}, UNKNOWN, "time-out", ("MODULE:CALLABLE",)),
    ("healthy", {"cases": case(**ended("time-out")), "request.full_autotune": True}, UNKNOWN, "time-out",
     ("leave out --full-autotune", "!at its")),
    ("healthy", {"cases": case(**ended("crash", at="forward", signal="SIGSEGV"))}, BROKEN, "crash",
     ("killed the process at its forward: SIGSEGV",)),
    ("healthy", {"cases": case(**raised("RuntimeError", "device kernel image is invalid"))}, BROKEN,
     "wrong-architecture", ("holds no code for NVIDIA H200, sm_90",)),
    ("healthy", {"cases": case(**raised("AttributeError", "module 'mamba_ssm' has no attribute 'Mamba3'",
     at="construction"))},
     FALLBACK, "block-absent", ("mamba-ssm 2.3.2.post1 has no Mamba3", "Mamba3 is there from 2.3.2")),
    ("healthy", {"cases": case(**raised("AttributeError", "module 'mamba_ssm' has no attribute 'Mamba3'",
     at="forward"))},
     BROKEN, "error", ("raises at its forward",)),
    ("healthy", {"cases": case(**raised("RuntimeError", "CUDA Out Of Memory"))}, UNKNOWN, "out-of-memory",
     ("Mamba takes 1 GiB here",)),
    ("healthy", {"cases": case("Mamba9", **raised("RuntimeError", "out of memory")),
     "request.blocks": [{"block": "Mamba9"}]},
     UNKNOWN, "out-of-memory", ("this block's need is not known",)),
    ("healthy", {"cases": case(**raised("RuntimeError", "{no} derivative", at="backward"))}, BROKEN, "missing-backward",
     ("runs forward, and its backward raises RuntimeError: {no} derivative",)),
    ("healthy", {"cases": case(**raised("RuntimeError", "in causal_conv1d"))}, BROKEN, "error",
     ("build causal-conv1d",)),
]  # fmt: skip

COMPARED: list[Row] = [
    ("healthy", {f"{NUMBERS}.compared": compared("output", relative=9e-6)}, GREEN, "launched", ()),
    ("healthy", {f"{NUMBERS}.compared": compared("output", relative=2e-4)}, BROKEN, "wrong-numbers",
     ("output is 0.02 % off the reference",)),
    ("healthy", {f"{NUMBERS}.compared": compared("output", scale=1.5)}, BROKEN, "wrong-numbers",
     ("output is 1.5 times the reference",)),
    ("healthy", {f"{NUMBERS}.compared": compared("output", scale=0.5)}, BROKEN, "wrong-numbers", ("0.5 times",)),
    ("healthy", {f"{NUMBERS}.compared": compared("output", relative=None)}, BROKEN, "wrong-numbers",
     ("output is not finite; wanted within",)),
    ("healthy", {f"{NUMBERS}.compared": compared("output", scale=None)}, BROKEN, "wrong-numbers", ("not finite",)),
    ("healthy", {f"{NUMBERS}.compared": compared("gradient of D", relative=1.0, norm=0.0)}, BROKEN, "missing-backward",
     ("the gradient of D is zero",)),
    ("healthy", {f"{NUMBERS}.compared": compared("output", relative=1.0, norm=0.0)}, BROKEN, "wrong-numbers",
     ("100 % off",)),
    ("healthy", {f"{NUMBERS}.compared": compared("gradient of D", relative=1.0, norm=0.0) +
     compared("gradient of A_log", relative=2.0)}, BROKEN, "wrong-numbers", ("float32: gradient of D is 100 % off",)),
    ("healthy", {f"{NUMBERS}.compared": compared("gradient of D", relative=1.0) + compared("output", relative=0.01)},
     BROKEN, "wrong-numbers", ("float32: output is 1 % off",)),
    ("healthy", {"cases.0.dtype": "float8"}, UNKNOWN, "no-reference", ("how far float8 may be off is not known",)),
]  # fmt: skip

MODELS: list[Row] = [
    ("own-healthy", {}, GREEN, "launched", ("2 blocks, 6 calls", "its 2 blocks at", "right within", "!not called")),
    ("own-idle-block", {}, GREEN, "launched", ("not called in these steps, and not judged: second",)),
    ("own-healthy", {"model": ended("not-reached", name="net:make", at="x")}, UNKNOWN, "time-out", ("went to x",)),
    ("own-healthy", {"model": ended("crash", name="net:make", signal="SIGSEGV")}, BROKEN, "crash", ("SIGSEGV",)),
    ("own-healthy", {f"{RUN}.steps.1.device_events": 0}, UNKNOWN, "no-device-events", ()),
    ("own-healthy", {f"{RUN}.steps.1.finite": False}, BROKEN, "nan-output", ("not finite in step 2",)),
    ("own-healthy", {f"{RUN}.steps.0.bad_gradients": list("abcd"), f"{RUN}.blocks.1.steps.0.bad": ["a"]}, BROKEN,
     "nan-gradient", ("not finite in step 1 (a, b, c and 1 more)",)),
    ("own-healthy", {f"{RUN}.steps.0.bad_gradients": ["a"], f"{RUN}.scaled": True}, GREEN, "launched",
     ("gradients overflowed, which its GradScaler is for",)),
    ("own-healthy", {f"{RUN}.scaled": True}, GREEN, "launched", ("!overflowed",)),
    ("own-healthy", {f"{RUN}.numbers": []}, GREEN, "launched", ("!its 2 blocks at", "!were not compared")),
    ("own-healthy", {f"{RUN}.numbers.*.numerics": None, f"{RUN}.numbers.0.error": error("TypeError", "odd")}, GREEN,
     "launched", ("its numbers at its own shape were not compared: odd",)),
    ("own-healthy", {f"{RUN}.numbers.*.module": "layers.0"}, GREEN, "launched", ("1 of its 2 blocks at",)),
    ("own-healthy", {f"{RUN}.numbers.0.numerics.zero": True}, BROKEN, "zero-output", ("layers.0 at",)),
    ("own-healthy", {f"{RUN}.numbers.0.numerics.compared": compared("gradient of D", relative=1.0)},
     GREEN, "launched", ()),
    ("own-healthy", {f"{RUN}.numbers.1.numerics.compared": compared("gradient of D", relative=1.0)}, BROKEN,
     "wrong-numbers", ("gradient of D",)),
    ("own-healthy", {f"{RUN}.numbers.1.numerics.compared": compared("output") +
     compared("gradient of D", relative=1.0, reference_norm=1e-12)}, GREEN, "launched", ()),
    ("own-healthy", {f"{RUN}.blocks.0.steps.1.raised": 1}, PARTIAL, "hidden-fallback",
     ("layers.0 raised in step 2, and the model went on", "look for the code that runs in place")),
    ("own-healthy", {f"{RUN}.blocks.0.steps.1.calls": 0}, PARTIAL, "hidden-fallback",
     ("layers.0 was called in step 1 and is not called in step 2",)),
    ("own-healthy", {f"{RUN}.blocks.0.steps.0.calls": 0}, GREEN, "launched", ("5 calls",)),
    ("own-healthy", {f"{RUN}.blocks.0.steps.0.calls": 9}, PARTIAL, "hidden-fallback",
     ("launched selective_scan_fwd_kernel 2 times in 9 calls of step 1",)),
    ("own-healthy", {f"{RUN}.blocks.*.steps.*.launched": {}}, GREEN, "launched", ()),
    ("own-healthy", HIDDEN, FALLBACK, "hidden-fallback",
     ("selective_scan_fwd_kernel launched 0 times in step 1, for 2 calls of Mamba (and 2 more)",)),
    ("own-healthy", {f"{RUN}.steps.0.launched": without(SCAN_FORWARD), f"{RUN}.blocks.*.steps.*.launched": {}}, PARTIAL,
     "hidden-fallback", ()),
    ("own-healthy", {f"{RUN}.steps.*.launched": without(SCAN_BACKWARD)}, PARTIAL, "hidden-fallback",
     ("selective_scan_bwd_kernel launched 0 times in step 1, for 2 Mamba blocks",)),
    ("own-healthy", {f"{RUN}.steps.*.launched": without(SCAN_BACKWARD), f"{RUN}.blocks.*.steps.*.arrived": [],
     f"{RUN}.steps.*.gradients": 0}, GREEN, "launched", ()),
    ("own-healthy", {f"{RUN}.steps.*.launched": without("causal_conv1d_bwd")}, PARTIAL, "causal-conv1d-unusable",
     ("causal_conv1d_bwd_kernel launched 0 times", "causal-conv1d loads and was not called")),
    ("own-healthy", {f"{RUN}.blocks.0.steps.*.arrived": []}, PARTIAL, "no-gradient",
     ("no gradient reached layers.0 in 3 steps", "check that the loss reaches it")),
    ("own-healthy", {f"{RUN}.blocks.0.trains": more("extra")}, BROKEN, "missing-backward",
     ("no gradient reached extra of layers.0",)),
    ("own-healthy", {f"{RUN}.blocks.0.trains": []}, GREEN, "launched", ()),
    ("own-healthy", {f"{RUN}.blocks.0.steps.*.zero": ["D"], f"{RUN}.blocks.0.trains": lambda names: ["D", "A_log"]},
     BROKEN, "zero-gradient", ("the gradient of D of layers.0 is zero in 3 steps", "multiplies its output")),
    ("own-healthy", {f"{RUN}.blocks.0.steps.*.zero": ["D"], f"{RUN}.blocks.0.trains": ["D"], f"{RUN}.numbers": []},
     BROKEN, "zero-gradient", ("every gradient of layers.0 is zero", "build mamba-ssm")),
    ("own-healthy", {f"{RUN}.blocks.0.steps.0.zero": ["D"]}, GREEN, "launched", ()),
    ("own-healthy", {f"{CHOICES}.handlers": [HANDLER]}, PARTIAL, "hidden-fallback",
     ("something else runs where a block was wanted; net.py:5 caught ImportError: no", "let net.py:5 raise")),
    ("own-healthy", {f"{CHOICES}.handlers": [{**HANDLER, "about_mamba": False}]}, GREEN, "launched", ("!net.py",)),
    ("own-healthy", {f"{CHOICES}.handlers": [{**HANDLER, "kind": "import"}]}, GREEN, "launched",
     ("net.py:5 caught ImportError at an import",)),
    ("own-healthy", {**HIDDEN, f"{CHOICES}.handlers": [{**HANDLER, "type": ""}]}, FALLBACK, "hidden-fallback",
     ("net.py:5 caught an exception",)),
    ("own-healthy", {**HIDDEN, f"{CHOICES}.decisions": [{**DECISION, "is_sure": False}, DECISION]}, FALLBACK,
     "hidden-fallback", ("net.py:6 took the branch without Mamba: fast", "give it the configuration")),
    ("own-healthy", {**HIDDEN, f"{CHOICES}.decisions": [{**DECISION, "variables": ["FAST"]}],
     f"{CHOICES}.reads": [READ]},
     FALLBACK, "hidden-fallback", ("net.py:6 decides by FAST=1: fast", "unset FAST, or set it")),
    ("own-healthy", {**HIDDEN, f"{CHOICES}.decisions": [{**DECISION, "is_sure": False}]}, FALLBACK, "hidden-fallback",
     ("!net.py",)),
    ("own-healthy", {**HIDDEN, f"{CHOICES}.reads": [{**READ, "value": "0"}, READ]}, FALLBACK, "hidden-fallback",
     ("net.py:8 reads FAST=1", "unset FAST")),
    ("own-healthy", {**HIDDEN, f"{CHOICES}.reads": [{**READ, "value": "0"}]}, FALLBACK, "hidden-fallback", ("!FAST",)),
    ("own-healthy", {**HIDDEN, f"{RUN}.library.replaced": [REPLACED]}, FALLBACK, "hidden-fallback",
     ("causal_conv1d_fn is net.f (net.py:9)", "leave causal_conv1d_fn of mamba_ssm as it is")),
    ("own-healthy", {**HIDDEN, f"{CHOICES}.slow_paths": [SLOW]}, FALLBACK, "hidden-fallback",
     ("net.py:10 calls slow_forward", "its fast path wants")),
    ("own-compiled", {f"{RUN}.steps.1.launched": without(SCAN_FORWARD)}, PARTIAL, "hidden-fallback",
     ("selective_scan_fwd_kernel launched 2, 0, 2 times in 3 steps, due 2",)),
    ("own-scan-alone", {f"{RUN}.steps.1.launched": without(SCAN_BACKWARD)}, PARTIAL, "hidden-fallback", ("!, due",)),
    ("own-scan-alone", {f"{CHOICES}.handlers": [HANDLER]}, PARTIAL, "hidden-fallback", ("where a scan was wanted",)),
    ("own-scan-alone", {}, GREEN, "launched", ("without a block of mamba_ssm around them",)),
    ("own-scan-alone", {f"{RUN}.steps.*.launched": [{"name": "my_scan_kernel", "count": 5, "us": 1.0}],
     f"{RUN}.modules": [{"class": "net.MambaX", "count": 1}, {"class": "depthwise Conv1d", "count": 2}]}, UNKNOWN,
     "unknown-blocks", ("no row knows (my_scan_kernel), from net.MambaX", "!depthwise")),
    ("own-scan-alone", {f"{RUN}.steps.*.launched": [{"name": "void at::scan", "count": 5, "us": 1.0}],
     f"{RUN}.modules": [{"class": "depthwise Conv1d", "count": 2}]}, FALLBACK, "hidden-fallback",
     ("launched no kernel of Mamba in 3 steps; it holds 2 depthwise Conv1d",)),
    ("own-scan-alone", {f"{RUN}.steps.*.launched": [{"name": "my_scan_kernel", "count": 5, "us": 1.0}],
     f"{CHOICES}.handlers": [HANDLER]}, FALLBACK, "hidden-fallback", ("let net.py:5 raise",)),
    ("on-the-cpu", {"simulated": True}, FALLBACK, "hidden-fallback", ()),
    ("on-the-cpu", {f"{RUN}.steps.0.launched": more({"name": "void at::x", "count": 9, "us": 1.0})}, FALLBACK,
     "hidden-fallback", ()),
    ("one-of-two", {"forced": {"SWITCH": "1"}}, FALLBACK, "forced-fallback", ("with it the model net:make",)),
]  # fmt: skip

RAISED: list[Row] = [
    ("own-healthy", {f"{RUN}.error": error(kind, message, *paths), **changed}, verdict, cause, texts)
    for kind, message, paths, changed, verdict, cause, texts in (
        ("RuntimeError", "CUDA out of memory", (), {f"{RUN}.free_bytes": 0, f"{RUN}.peak_bytes": 2**31}, UNKNOWN,
         "out-of-memory", ("(it reached 2.0 GiB)", "free the GPU: 139.8 of its 140 GiB")),
        ("RuntimeError", "CUDA out of memory", (), {f"{RUN}.free_bytes": 2**40, f"{RUN}.peak_bytes": 0}, UNKNOWN,
         "out-of-memory", ("!it reached", "make its batch smaller")),
        ("RuntimeError", "profiler is already on", ("x/triton/a.py",), {}, UNKNOWN, "other-profiler",
         ("own profiler",)),
        ("RuntimeError", "bad", ("net.py", "x/mamba_ssm/a.py"), {}, BROKEN, "error", ("build mamba-ssm",)),
        ("TypeError", "'NoneType' object is not callable", ("x/mamba_ssm/a.py",), {f"{RUN}.library.absent": [ABSENT]},
         BROKEN, "causal-conv1d-unusable", ("(causal-conv1d loads and was not called)",)),
        ("TypeError", "'NoneType' object is not callable", ("x/mamba_ssm/a.py",), {}, BROKEN, "error", ()),
        ("TypeError", "missing 2 required positional arguments", ("net.py",), {}, UNKNOWN, "model-error",
         ("--model-args",)),
        ("ValueError", "missing 2 required positional arguments", (), {}, UNKNOWN, "model-error", ("!--model-args",)),
        ("TypeError", "the callable gave int", (), {}, UNKNOWN, "model-error", ("--model-input",)),
        ("FileNotFoundError", "x.json", (), {}, UNKNOWN, "model-error", ("put that file into the image",)),
        ("ImportError", "No module named 'wandb'", (), {}, UNKNOWN, "model-error", ("add wandb to the image",)),
        ("ValueError", "odd", ("net.py",), {}, UNKNOWN, "model-error",
         ("raises in step 4 at net.py:7: ValueError: odd", "it raises there too")),
        ("ValueError", "odd", (), {f"{RUN}.steps": [], f"{RUN}.blocks": []}, UNKNOWN, "model-error",
         ("raises: ValueError: odd", "make MODULE:CALLABLE give (module, inputs)")),
    )
]  # fmt: skip
ROWS = [*BLOCKS, *NOT_BEGUN, *RUNNING, *COMPARED, *MODELS, *RAISED]


@cache
def _kept(name: str) -> str:
    kept = json.loads((FOLDER / f"h200-{name}.json").read_text("utf-8"))
    return json.dumps(kept["reading"])


def _homes(value: Any, keys: list[str]) -> Iterator[tuple[Any, Any]]:
    """Where a path's last key stands: once, or for every entry of ``*``."""
    key: Any = int(keys[0]) if isinstance(value, list) and keys[0].isdigit() else keys[0]
    entries = range(len(value)) if key == "*" else [key]
    for entry in entries:
        if len(keys) == 1:
            yield value, entry
        else:
            yield from _homes(value[entry], keys[1:])


def changed(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    reading: dict[str, Any] = json.loads(_kept(name))
    for path, new in changes.items():
        for home, key in _homes(reading, path.split(".")):
            home[key] = new(home[key]) if callable(new) else copy.deepcopy(new)
    return reading
