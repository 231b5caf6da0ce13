"""The script that runs where the GPU is: it asks, in child processes, and reports what it saw.

It judges nothing.  One file, standard library only at module level, parses as Python 3.9.  ``run(request)``
supervises: every question is asked in a child with a time limit, so a segfault or a hang while a kernel loads
is an answer and not the end.  A child writes one JSON line when it begins a step and one when it ends it; a
step that began and never ended is where the child died.  Only children import torch, triton and mamba_ssm.

    python payload.py --request request.json --out reading.json

The request and the reading are described in reading.py, which parses them; keys that are left out take the
values in ``DEFAULTS``.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import traceback
from typing import Any, Callable, Iterator

READING_SCHEMA = "preflight.probe-reading/1"

DEFAULTS: dict[str, Any] = {
    "blocks": [{"block": "Mamba", "options": {}}, {"block": "Mamba2", "options": {}}],
    "dtypes": ["float32", "bfloat16"],
    "device": "cuda",  # "cpu" is for stand-ins: every verdict from it says simulated
    "force_variables": ["SEIZURE_MAMBA_FORCE_FALLBACK"],
    "length": 320,  # longer than Mamba2's default chunk of 256, so that a state passes between chunks
    "model": "",
    "paths": [],
    "model_steps": 3,
    "step_limit_s": 180.0,
    "limit_s": 540.0,
    "lanes": 0,
}
EXTENSIONS = ("selective_scan_cuda", "causal_conv1d_cuda", "causal_conv1d")
DISTRIBUTIONS = ("torch", "triton", "mamba-ssm", "causal-conv1d", "transformers", "numpy", "einops")
OFF_WORDS = ("", "0", "false", "no", "off")
# A convolution done by torch itself shows as one of these operators on the host side of the trace.
CONV_OPERATORS = (
    "aten::conv1d",
    "aten::_conv_depthwise2d",
    "aten::cudnn_convolution",
    "aten::mkldnn_convolution",
)
SIMULATED_KERNEL = "simulated::"  # record_function labels with this prefix stand for launches when device is cpu
BATCH = 2
WIDTHS = {
    "Mamba": 64,
    "Mamba2": 256,
    "Mamba3": 256,
}  # Mamba2 before 2.2.5 wants nheads = d_model / 32 in eights
TAIL_CHARS = 4000
NOT_REACHED: dict[str, Any] = {"outcome": "not-reached", "seconds": 0.0, "value": None}
POLL_S = 0.05


# --- the supervisor ---------------------------------------------------------------------------------------


def run(request: dict[str, Any], say: Callable[[str], None] | None = None) -> dict[str, Any]:
    """The reading for ``request``.  A child may do what it wants; this ends by ``limit_s``."""
    asked = {**DEFAULTS, **request}

    def tell(text: str) -> None:
        # progress that can't be shown (a closed pipe) must not cost the reading
        with contextlib.suppress(OSError, ValueError):
            if say is not None:
                say(text)

    started = time.monotonic()
    deadline = started + float(asked["limit_s"])
    workers: list[tuple[threading.Thread, Lane]] = []
    folder = tempfile.mkdtemp(prefix="preflight-probe-")
    stop = threading.Event()
    driver: dict[str, Any] = {}
    try:
        for number, (kind, steps) in enumerate(_plan(asked)):
            lane = Lane(kind, steps, asked, os.path.join(folder, str(number)), deadline, tell, stop)
            thread = threading.Thread(target=lane.work, name=kind + str(number), daemon=True)
            workers.append((thread, lane))
            thread.start()
        driver = _driver()
        for thread, _ in workers:
            while thread.is_alive():
                thread.join(0.2)
    finally:
        stop.set()
        for thread, lane in workers:
            thread.join(2)
            lane.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return _reading(asked, [lane for _, lane in workers], driver, time.monotonic() - started)


def _plan(asked: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Which child is asked what.  Each pays for importing torch, so cores bound their number."""
    cases = [
        {
            "step": "%s %s" % (b["block"], d),
            "block": b["block"],
            "dtype": d,
            "options": b.get("options") or {},
        }
        for b in asked["blocks"]
        for d in asked["dtypes"]
    ]
    loads = [{"step": name} for name in ("packages", "versions", "gpu", "fallback", *EXTENSIONS)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    lanes = int(asked["lanes"]) or max(1, min(len(cases), cores // 3))
    # The slow ones (Triton compiles about 25 kernels a dtype) are dealt first, one to a lane.
    cases.sort(key=lambda case: case["block"] == "Mamba")
    hands: list[list[dict[str, Any]]] = [cases[i::lanes] for i in range(lanes)]
    plan = [("load", loads)] + [("cases", hand) for hand in hands if hand]
    if asked["model"]:
        plan.append(("model", [{"step": "model"}]))
    return plan


class Lane:
    """One child after another until each step has an answer; a dead child costs the step it was at."""

    def __init__(
        self,
        kind: str,
        steps: list[dict[str, Any]],
        asked: dict[str, Any],
        folder: str,
        deadline: float,
        say: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        self.kind, self.asked, self.folder = kind, asked, folder
        self.deadline, self.say, self.stop = deadline, say, stop
        self.wanted = steps
        self.answers: dict[str, dict[str, Any]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        os.makedirs(folder)

    def work(self) -> None:
        try:
            self._work()
        except Exception as error:  # ours: it is reported like any other, and the other lanes go on
            self.answers["supervisor"] = dict(NOT_REACHED, outcome="error", error=described(error))

    def _work(self) -> None:
        turn = 0
        while not self.stop.is_set():
            left = [s for s in self.wanted if s["step"] not in self.answers]
            if not left:
                return
            turn += 1
            ended_in = self._ask(left, os.path.join(self.folder, str(turn)))
            # Only a child that died in one of its steps is replaced: the rest of them can still be answered.
            if ended_in not in [s["step"] for s in left]:
                return

    def _ask(self, steps: list[dict[str, Any]], room: str) -> str:
        """Runs one child.  The step it died in, or an empty text when it answered all."""
        os.makedirs(room)
        with open(os.path.join(room, "question.json"), "w") as f:
            json.dump({"kind": self.kind, "steps": steps, "request": self.asked, "parent": os.getpid()}, f)
        environment = dict(os.environ, PYTHONFAULTHANDLER="1", PYTHONUNBUFFERED="1")
        output = os.path.join(room, "output.txt")
        with open(output, "wb") as sink:
            command = [sys.executable, os.path.abspath(__file__), "--child", room]
            self._process = process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=environment,
                start_new_session=True,
            )
        step_limit = float(self.asked["step_limit_s"])
        at: dict[str, Any] = {"step": "start", "since": time.monotonic(), "at": ""}
        offset, timed_out = 0, False
        while True:
            over = process.poll() is not None
            offset = self._read(os.path.join(room, "answers.jsonl"), offset, at)
            if over:
                break
            now = time.monotonic()
            timed_out = now > self.deadline or now - at["since"] > step_limit
            if timed_out or self.stop.is_set():
                self.kill()
                process.wait()
                self._read(os.path.join(room, "answers.jsonl"), offset, at)
                break
            time.sleep(POLL_S)
        self._process = None
        if not at["step"]:
            return ""
        code = process.returncode
        how: dict[str, Any] = {"outcome": "time-out" if timed_out else "crash", "at": at["at"], "value": None}
        how["seconds"] = round(time.monotonic() - at["since"], 3)
        how["signal"] = signal.Signals(-code).name if code < 0 and not timed_out else ""
        how["exit"] = code if code >= 0 else None
        how["output_tail"] = _tail(output)
        self.answers[at["step"]] = how
        self.say("%s: %s %s" % (at["step"], how["outcome"], how["signal"] or how["at"]))
        return str(at["step"])

    def _read(self, path: str, offset: int, at: dict[str, Any]) -> int:
        try:
            with open(path, "rb") as f:
                f.seek(offset)
                new = f.read()
        except FileNotFoundError:
            return offset
        whole, _, rest = new.rpartition(b"\n")
        for line in whole.splitlines():
            said = json.loads(line)
            if "begin" in said:
                at.update(step=said["begin"], since=time.monotonic(), at="")
                self.say("%s: started" % said["begin"])
            elif "at" in said:
                at["at"] = said["at"]
            elif "end" in said:
                self.answers[said["end"]] = dict({k: v for k, v in said.items() if k != "end"}, at=at["at"])
                self.say("%s: %s, %.1f s" % (said["end"], said["outcome"], said["seconds"]))
                at.update(step="between steps", since=time.monotonic(), at="")
            elif "done" in said:
                at["step"] = ""
        return offset + len(new) - len(rest)

    def kill(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def _tail(path: str) -> str:
    try:
        with open(path, "rb") as f:
            f.seek(0, os.SEEK_END)
            f.seek(max(0, f.tell() - TAIL_CHARS))
            return f.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _driver() -> dict[str, Any]:
    """What the NVIDIA driver says without torch: {} where there is none."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, check=False, capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    first = done.stdout.decode("utf-8", "replace").splitlines()[:1]
    parts = [p.strip() for p in first[0].split(",")] if done.returncode == 0 and first else []
    return {"name": parts[0], "driver": parts[1], "compute_cap": parts[2]} if len(parts) == 3 else {}


def _reading(asked: dict[str, Any], lanes: list[Lane], driver: dict[str, Any], seconds: float) -> dict[str, Any]:
    everything: dict[str, dict[str, Any]] = {}
    for lane in lanes:
        for step, answer in lane.answers.items():
            # Lanes import the same modules: an import that failed anywhere is the one to show.
            if step not in everything or everything[step]["outcome"] == "ok":
                everything[step] = dict(answer, lane=lane.kind)
    cases = []
    for lane in lanes:
        for want in lane.wanted if lane.kind == "cases" else ():
            answer = dict(lane.answers.get(want["step"]) or NOT_REACHED)
            if answer["outcome"] == "not-reached":
                stopped = [s for s, a in lane.answers.items() if a["outcome"] != "ok"]
                answer["at"] = stopped[-1] if stopped else ""
            cases.append(dict(answer, block=want["block"], dtype=want["dtype"], options=want["options"]))
    order = [(b["block"], d) for b in asked["blocks"] for d in asked["dtypes"]]
    cases.sort(key=lambda case: order.index((case["block"], case["dtype"])))
    imports = {s: a for s, a in everything.items() if s.startswith("import ") or s == "gpu ready"}
    strays = {s: a for s, a in everything.items() if s in ("start", "between steps", "supervisor")}
    model = everything.get("model") or dict(NOT_REACHED) if asked["model"] else None
    if model is not None and asked["model"]:
        model = dict(model, name=asked["model"])
    return {
        "schema": READING_SCHEMA,
        "request": asked,
        "seconds": round(seconds, 3),
        "python": {
            "version": platform.python_version(),
            "executable": sys.executable,
            "platform": platform.platform(),
        },
        "simulated": asked["device"] != "cuda" or bool(_value(everything.get("versions")).get("standin")),
        "forced": {v: os.environ[v] for v in asked["force_variables"] if is_on(os.environ.get(v, ""))},
        "driver": driver,
        "packages": everything.get("packages") or NOT_REACHED,
        "versions": everything.get("versions") or NOT_REACHED,
        "gpu": everything.get("gpu") or NOT_REACHED,
        "loads": {name: everything.get(name) or NOT_REACHED for name in EXTENSIONS},
        "imports": imports,
        "library": everything.get("library") or NOT_REACHED,
        "fallback": everything.get("fallback") or NOT_REACHED,
        "cases": cases,
        "model": model,
        "strays": strays,
    }


def _value(answer: dict[str, Any] | None) -> dict[str, Any]:
    return (answer or {}).get("value") or {}


def is_on(value: str) -> bool:
    return value.strip().lower() not in OFF_WORDS


# --- a child ----------------------------------------------------------------------------------------------


class Answers:
    """Writes what a child does, line by line, to the file its supervisor reads."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **line: Any) -> None:
        os.write(self._file, (json.dumps(line) + "\n").encode())

    def ask(self, step: str, answer: Callable[[], Any]) -> Any:
        """The value, or None after an error, which is written down; the next step can still be asked."""
        self.write(begin=step)
        began = time.perf_counter()
        try:
            value = answer()
        except (Exception, SystemExit) as error:  # whatever user code or a kernel raised is the answer
            seconds = round(time.perf_counter() - began, 4)
            self.write(end=step, outcome="error", seconds=seconds, value=None, error=described(error))
            return None
        seconds = round(time.perf_counter() - began, 4)
        shown = value if isinstance(value, (dict, list)) else None
        self.write(end=step, outcome="ok", seconds=seconds, value=shown)
        return value

    def at(self, where: str) -> None:
        self.write(at=where)


def described(error: BaseException) -> dict[str, Any]:
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename != __file__ and not f.filename.startswith("<frozen ") and "importlib" not in f.filename
    ]
    return {
        "type": type(error).__name__,
        "message": str(error)[:TAIL_CHARS],
        "frames": [{"path": f.filename, "line": f.lineno or 0, "name": f.name} for f in frames[-8:]],
    }


def child(room: str) -> None:
    with open(os.path.join(room, "question.json")) as f:
        question = json.load(f)
    request = question["request"]
    # Two ends that need no help from the interpreter: the kernel's alarm, and the parent's death (which may have
    # come before this line: so the parent's id is told, not asked for here).
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(request["limit_s"]) + 30)
    threading.Thread(target=_die_with_parent, args=(question["parent"],), daemon=True).start()
    for path in reversed(request["paths"]):
        sys.path.insert(0, path)
    answers = Answers(os.path.join(room, "answers.jsonl"))
    {"load": ask_loads, "cases": ask_cases, "model": ask_model}[question["kind"]](answers, question["steps"], request)
    answers.write(done=True)
    os._exit(0)  # a library's exit handlers are not what was asked


def _die_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def ask_loads(answers: Answers, steps: list[dict[str, Any]], request: dict[str, Any]) -> None:
    left = [s["step"] for s in steps]
    if "packages" in left:
        answers.ask("packages", packages)
    torch = answers.ask("import torch", lambda: importlib.import_module("torch"))
    for step in left:
        if step == "versions" and torch is not None:
            answers.ask(step, lambda: versions(torch))
        elif step in EXTENSIONS:
            answers.ask(step, functools.partial(loaded, step))
        elif torch is not None and step == "gpu":
            answers.ask(step, lambda: gpu(torch, request["device"]))
        elif torch is not None and step == "fallback":
            answers.ask(step, lambda: depthwise_fallback(torch, request["device"]))


def ask_cases(answers: Answers, steps: list[dict[str, Any]], request: dict[str, Any]) -> None:
    torch = answers.ask("import torch", lambda: importlib.import_module("torch"))
    held: list[str] = []
    if torch is None:
        return
    if answers.ask("gpu ready", lambda: {"memory": reach_gpu(torch, request["device"])}) is None:
        return
    hold_autotuner(held)
    mamba = answers.ask("import mamba_ssm", lambda: importlib.import_module("mamba_ssm"))
    if mamba is None:
        return
    answers.ask("library", lambda: dict(library_choices(), version=str(getattr(mamba, "__version__", ""))))
    for wanted in steps:
        case_of = functools.partial(case, answers, torch, mamba, wanted, request, held)
        answers.ask(wanted["step"], case_of)


def loaded(name: str) -> dict[str, Any]:
    return {"file": str(getattr(importlib.import_module(name), "__file__", "") or "")}


def packages() -> dict[str, Any]:
    """What is installed, and where, without importing any of it."""
    found = {}
    for name in DISTRIBUTIONS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    files = {}
    for module in (
        "torch",
        "triton",
        "mamba_ssm",
        "causal_conv1d",
        "selective_scan_cuda",
        "causal_conv1d_cuda",
    ):
        with contextlib.suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(module)
            if spec is not None:
                files[module] = str(spec.origin or "")
    return {"versions": found, "files": files}


def versions(torch: Any) -> dict[str, Any]:
    return {
        "torch": str(torch.__version__),
        "cuda": str(torch.version.cuda or ""),
        "cxx11abi": bool(getattr(torch._C, "_GLIBCXX_USE_CXX11_ABI", False)),
        "standin": bool(getattr(torch, "PREFLIGHT_STANDIN", False)),
    }


def reach_gpu(torch: Any, device: str) -> int:
    """Bytes of the GPU's memory; raises with the driver's own words where there is no GPU to use."""
    if device != "cuda":
        return 0
    if not torch.cuda.is_available():
        torch.cuda.init()  # says why: no driver, a CPU build, a driver too old
        raise RuntimeError("torch.cuda.is_available() is False")
    return int(torch.cuda.get_device_properties(0).total_memory)


def gpu(torch: Any, device: str) -> dict[str, Any]:
    reach_gpu(torch, device)
    if device != "cuda":
        return {"name": "cpu, simulated", "capability": "", "memory_bytes": 0, "count": 0, "torch_archs": []}
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "capability": "%d.%d" % (properties.major, properties.minor),
        "memory_bytes": int(properties.total_memory),
        "count": torch.cuda.device_count(),
        "torch_archs": list(torch.cuda.get_arch_list()),
    }


def hold_autotuner(held: list[str]) -> None:
    """Makes Triton's autotuner take its cheapest configuration that fits, instead of timing each of them.

    Mamba2's kernels have 5 to 10 configurations each: tuning them took more than 60 s on an H100, and tells
    nothing about whether they launch.  ``held`` collects the kernels' names.
    """
    try:
        autotuner = importlib.import_module("triton.runtime.autotuner")
        errors = importlib.import_module("triton.runtime.errors")
    except ImportError:
        return
    original = autotuner.Autotuner.run
    too_big = tuple(e for e in (getattr(errors, "OutOfResources", None),) if e is not None)

    def run_one(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(self.configs) == 1:
            return original(self, *args, **kwargs)
        everything = sorted(self.configs, key=_config_cost)
        for config in everything:
            self.configs = [config]
            try:
                done = original(self, *args, **kwargs)
            except too_big:
                continue
            held.append(getattr(self.fn, "__name__", "") or str(self.fn))
            return done
        self.configs = everything
        return original(self, *args, **kwargs)

    autotuner.Autotuner.run = run_one


def _config_cost(config: Any) -> int:
    sizes = [v for k, v in config.kwargs.items() if "BLOCK" in k and isinstance(v, int)]
    return int(math.prod(sizes) * max(1, getattr(config, "num_stages", 1) or 1))


def library_choices() -> dict[str, Any]:
    """Names that mamba_ssm set to None when an import failed, with the line that did it."""
    absent = []
    for name in (
        "modules.mamba_simple",
        "modules.mamba2",
        "ops.selective_scan_interface",
        "ops.triton.ssd_combined",
    ):
        module = sys.modules.get("mamba_ssm." + name)
        path = getattr(module, "__file__", None)
        if module is None or not path:
            continue
        for handler, names in handlers_that_blank(path):
            for blank in names:
                if getattr(module, blank, 0) is None:
                    absent.append({"name": blank, "path": path, "line": handler})
    return {"absent": absent}


def handlers_that_blank(path: str) -> Iterator[tuple[int, list[str]]]:
    """For each except-branch of the file that sets names to None: its line and those names."""
    for handler in (n for n in ast.walk(parsed(path)) if isinstance(n, ast.ExceptHandler)):
        names = []
        for statement in handler.body:
            if isinstance(statement, ast.Assign) and _is_blank(statement.value):
                for target in statement.targets:
                    names += [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
        if names:
            yield handler.lineno, names


def _is_blank(value: ast.AST) -> bool:
    if isinstance(value, ast.Tuple):
        return all(_is_blank(e) for e in value.elts)
    return isinstance(value, ast.Constant) and value.value is None


def parsed(path: str) -> ast.AST:
    try:
        with open(path, "rb") as f:
            return ast.parse(f.read())
    except (OSError, SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


# --- one block --------------------------------------------------------------------------------------------


def case(
    answers: Answers, torch: Any, mamba: Any, want: dict[str, Any], request: dict[str, Any], held: list[str]
) -> Any:
    """One block in one dtype: first call, traced call, steady calls, numbers."""
    del held[:]
    answers.at("construction")
    options = dict(want["options"])
    width = int(options.pop("d_model", WIDTHS.get(want["block"], 256)))
    make = getattr(mamba, want["block"])
    torch.manual_seed(20)
    kind = getattr(torch, want["dtype"])
    device, shape = request["device"], (BATCH, int(request["length"]), width)
    block = make(width, device=device, dtype=kind, **options)
    try:
        done = exercised(answers, torch, block, shape, kind, device, want["block"])
        return dict(done, held=sorted(set(held)))
    except Exception as error:
        # Mamba2's fused path has no way round a missing causal-conv1d; its other path has, and users take it.
        if want["block"] != "Mamba2" or "use_mem_eff_path" in options:
            raise
        answers.at("unfused")
        torch.manual_seed(20)
        other = make(width, device=device, dtype=kind, use_mem_eff_path=False, **options)
        try:
            unfused = exercised(answers, torch, other, shape, kind, device, want["block"])
        except Exception:
            raise error from None
        return dict(unfused, held=sorted(set(held)), default_path_error=described(error))


def exercised(
    answers: Answers, torch: Any, block: Any, shape: tuple[int, int, int], kind: Any, device: str, name: str
) -> dict[str, Any]:
    u = torch.randn(*shape, device=device, dtype=kind, requires_grad=True)
    pull = torch.randn(*shape, device=device, dtype=kind)
    weigh_states(torch, block)
    parameters = dict(block.named_parameters())

    def step() -> Any:
        u.grad = None
        for p in parameters.values():
            p.grad = None
        answers.at("forward")
        y = block(u)
        answers.at("backward")
        y.backward(pull)
        synchronize(torch, device)
        return y

    began = time.perf_counter()
    step()
    first_call_s = time.perf_counter() - began
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with traced(torch, device) as trace:
        y = step()
    answers.at("steady calls")
    peak = int(torch.cuda.max_memory_allocated()) if device == "cuda" else 0
    rounds = 3
    began = time.perf_counter()
    for _ in range(rounds):
        step()
    steady_s = (time.perf_counter() - began) / rounds
    answers.at("numbers")
    return {
        "shape": list(shape),
        "first_call_s": round(first_call_s, 4),
        "steady_s": round(steady_s, 6),
        "trace_s": round(trace["seconds"], 4),
        "peak_bytes": peak,
        "launched": trace["launched"],
        "device_events": trace["device_events"],
        "operators": trace["operators"],
        "without_gradient": [n for n, p in dict(parameters, input=u).items() if p.requires_grad and p.grad is None],
        "numerics": numerics(torch, name, block, u, y, pull),
        "default_path_error": None,
    }


def weigh_states(torch: Any, block: Any) -> None:
    """Makes what a scan remembers weigh more than what it passes through.

    As initialised, Mamba2 forgets within a few steps: dropping the state between its chunks changes the output by
    0.9 %, less than bfloat16 rounds.  With slow decay, steps of 0.1 and a small skip it changes by 31 % (measured
    on the reference, d_model 256, length 320), while computing everything in bfloat16 changes it by 0.7 %.
    """
    parameters = dict(block.named_parameters())
    if "A_log" not in parameters:
        return
    with torch.no_grad():
        a = parameters["A_log"]
        a.copy_(torch.linspace(0.02, 0.5, a.numel()).log().reshape(a.shape))
        parameters["D"].fill_(0.1)
        parameters["conv1d.weight"].mul_(3)
        for name in ("dt_bias", "dt_proj.bias"):
            if name in parameters:
                parameters[name].fill_(math.log(math.expm1(0.1)))


def synchronize(torch: Any, device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


@contextlib.contextmanager
def traced(torch: Any, device: str) -> Iterator[dict[str, Any]]:
    """Fills the yielded dict with what the profiler saw; one product that it must see is launched along."""
    profiler = torch.profiler
    activities = [profiler.ProfilerActivity.CPU]
    if device == "cuda":
        activities.append(profiler.ProfilerActivity.CUDA)
    found: dict[str, Any] = {}
    began = time.perf_counter()
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
            continue
        if not name.startswith(("Memcpy", "Memset")):
            row = launched.setdefault(name[:300], [0, 0.0])
            row[0] += 1
            row[1] += float(event.time_range.elapsed_us())
    rows = [{"name": n, "count": int(c), "us": round(us, 1)} for n, (c, us) in sorted(launched.items())]
    found.update(launched=rows, operators=operators, device_events=events, seconds=time.perf_counter() - began)


def depthwise_fallback(torch: Any, device: str) -> dict[str, Any]:
    """What a model that gives up on the kernels runs instead: one depthwise Conv1d, forward and backward."""
    width = 512
    layer = torch.nn.Conv1d(width, width, 3, padding="same", groups=width, device=device)
    x = torch.randn(BATCH, width, 320, device=device, requires_grad=True)

    def step() -> Any:
        y = layer(x)
        y.sum().backward()
        synchronize(torch, device)
        return y

    step()
    began = time.perf_counter()
    y = step()
    steady_s = time.perf_counter() - began
    with traced(torch, device) as trace:
        step()
    return {
        "shape": list(x.shape),
        "finite": bool(torch.isfinite(y).all()),
        "steady_s": round(steady_s, 6),
        "launched": trace["launched"],
        "operators": trace["operators"],
        "device_events": trace["device_events"],
    }


# --- numbers: plain PyTorch, float32, on the CPU, so that what judges the GPU is not the GPU --------------


def numerics(torch: Any, name: str, block: Any, u: Any, y: Any, pull: Any) -> dict[str, Any]:
    """How far the output and each gradient are from the reference: relative is the L2 norm of the difference
    over the L2 norm of the reference, None where a value is not finite."""
    size = y.detach().float()
    about: dict[str, Any] = {
        "finite": bool(torch.isfinite(size).all()),
        "zero": not bool(size.any()),
        "compared": [],
        "without_reference": "",
    }
    reference = None if getattr(block, "is_mimo", False) else REFERENCES.get(name)
    if reference is None or getattr(torch, "PREFLIGHT_STANDIN", False):
        about["without_reference"] = "stand-in tensors hold no numbers" if reference else "no reference for " + name
        return about
    torch.set_num_threads(2)  # several children do this at once, on small tensors
    with torch.enable_grad():
        p = {n: v.detach().float().cpu().requires_grad_() for n, v in block.named_parameters()}
        x = u.detach().float().cpu().requires_grad_()
        wanted = reference(torch, block, p, x)
        names = list(p)
        grads = torch.autograd.grad(wanted, [x] + [p[n] for n in names], pull.detach().float().cpu(), allow_unused=True)
    got = dict(block.named_parameters())
    about["compared"].append(_distance(torch, "output", y, wanted))
    about["compared"].append(_distance(torch, "gradient of the input", u.grad, grads[0]))
    for n, g in zip(names, grads[1:]):
        if g is not None:
            about["compared"].append(_distance(torch, "gradient of " + n, got[n].grad, g))
    return about


def _distance(torch: Any, what: str, got: Any, wanted: Any) -> dict[str, Any]:
    if got is None:
        return {"what": what, "relative": None, "reference_norm": float(wanted.detach().norm()), "norm": None}
    have = got.detach().float().cpu()
    relative = float((have - wanted.detach()).norm() / wanted.detach().norm().clamp_min(1e-30))
    norm = float(have.norm())
    return {
        "what": what,
        "relative": relative if math.isfinite(relative) else None,
        "reference_norm": float(wanted.detach().norm()),
        "norm": norm if math.isfinite(norm) else None,
    }


def _linear(p: dict[str, Any], name: str, x: Any) -> Any:
    y = x @ p[name + ".weight"].t()
    return y + p[name + ".bias"] if name + ".bias" in p else y


def _causal_conv(torch: Any, p: dict[str, Any], x: Any) -> Any:
    """Depthwise over (batch, length, channel): each output sees its own position and those before it."""
    weight = p["conv1d.weight"].squeeze(1)
    taps, length = weight.shape[1], x.shape[1]
    padded = torch.nn.functional.pad(x, (0, 0, taps - 1, 0))
    y = sum(padded[:, k : k + length] * weight[:, k] for k in range(taps))
    return torch.nn.functional.silu(y + p["conv1d.bias"] if "conv1d.bias" in p else y)


def reference_mamba(torch: Any, block: Any, p: dict[str, Any], u: Any) -> Any:
    """The selective scan as a loop over time: h = exp(dt A) h + dt B x, y = C h + D x, gated by silu(z)."""
    functional = torch.nn.functional
    x, z = _linear(p, "in_proj", u).chunk(2, dim=-1)
    x = _causal_conv(torch, p, x)
    states = p["A_log"].shape[1]
    rank = p["dt_proj.weight"].shape[1]
    dt, b, c = torch.split(_linear(p, "x_proj", x), [rank, states, states], dim=-1)
    dt = functional.softplus(_linear(p, "dt_proj", dt))
    decay = torch.exp(dt.unsqueeze(-1) * -torch.exp(p["A_log"]))
    drive = (dt * x).unsqueeze(-1) * b.unsqueeze(2)
    h = torch.zeros_like(drive[:, 0])
    seen = []
    for t in range(u.shape[1]):
        h = decay[:, t] * h + drive[:, t]
        seen.append((h * c[:, t].unsqueeze(1)).sum(-1))
    y = (torch.stack(seen, dim=1) + p["D"] * x) * functional.silu(z)
    return _linear(p, "out_proj", y)


def reference_mamba2(torch: Any, block: Any, p: dict[str, Any], u: Any) -> Any:
    """State-space duality as one masked matrix over the whole length, without chunks."""
    functional = torch.nn.functional
    heads, groups, size, states = block.nheads, block.ngroups, block.headdim, block.d_state
    inner = heads * size
    mixed = _linear(p, "in_proj", u)
    plain = (mixed.shape[-1] - 2 * inner - 2 * groups * states - heads) // 2
    z0, x0, z, xbc, dt = torch.split(mixed, [plain, plain, inner, inner + 2 * groups * states, heads], dim=-1)
    x, b, c = torch.split(_causal_conv(torch, p, xbc), [inner, groups * states, groups * states], dim=-1)
    batch, length = u.shape[:2]
    x = x.reshape(batch, length, heads, size)
    b = b.reshape(batch, length, groups, states).repeat_interleave(heads // groups, dim=2)
    c = c.reshape(batch, length, groups, states).repeat_interleave(heads // groups, dim=2)
    dt = functional.softplus(dt + p["dt_bias"]).clamp(*block.dt_limit)
    y = _decayed_attention(torch, c, b, dt, dt * -torch.exp(p["A_log"]), x)
    skip = p["D"].reshape(heads, -1)
    y = (y + skip * x).reshape(batch, length, inner)
    if block.rmsnorm:
        y = _gated_norm(torch, y, z, p["norm.weight"], block.norm.eps, inner // groups, block.norm_before_gate)
    else:
        y = y * functional.silu(z)
    if plain:
        y = torch.cat([functional.silu(z0) * x0, y], dim=-1)
    return _linear(p, "out_proj", y)


def _decayed_attention(
    torch: Any, q: Any, k: Any, scale: Any, log_decay: Any, v: Any, earlier_only: bool = False
) -> Any:
    """y[t] = sum over s <= t (or s < t) of exp(log_decay[s+1] + ... + log_decay[t]) (q[t] . k[s]) scale[s] v[s]."""
    total = log_decay.cumsum(dim=1)
    between = total.unsqueeze(2) - total.unsqueeze(1)
    length = q.shape[1]
    hidden = torch.ones(length, length, dtype=torch.bool, device=q.device).triu(0 if earlier_only else 1)
    weights = between.masked_fill(hidden.reshape(1, length, length, 1), -math.inf).exp() * scale.unsqueeze(1)
    return torch.einsum("btsh,bshp->bthp", torch.einsum("bthn,bshn->btsh", q, k) * weights, v)


def _gated_norm(torch: Any, y: Any, z: Any, weight: Any, eps: float, group: int, norm_first: bool) -> Any:
    gate = torch.nn.functional.silu(z)
    if not norm_first:
        y = y * gate
    parts = y.reshape(*y.shape[:-1], -1, group)
    y = (parts * torch.rsqrt(parts.square().mean(-1, keepdim=True) + eps)).reshape(y.shape) * weight
    return y * gate if norm_first else y


def reference_mamba3(torch: Any, block: Any, p: dict[str, Any], u: Any) -> Any:
    """SISO: a trapezoidal step (each input enters with its own dt and the next one's), keys and queries rotated."""
    functional = torch.nn.functional
    heads, size, states, groups = block.nheads, block.headdim, block.d_state, block.num_bc_heads
    inner, turns = heads * size, block.num_rope_angles
    sizes = [inner, inner, states * groups, states * groups, heads, heads, heads, turns]
    z, x, k, q, dt, a, trap, angles = torch.split(_linear(p, "in_proj", u), sizes, dim=-1)
    batch, length = u.shape[:2]
    x = x.reshape(batch, length, heads, size)
    k = _head_keys(torch, k, p["B_norm.weight"], p["B_bias"], block.B_norm.eps, groups)
    q = _head_keys(torch, q, p["C_norm.weight"], p["C_bias"], block.C_norm.eps, groups)
    dt = functional.softplus(dt + p["dt_bias"])
    log_decay = dt * (-functional.softplus(a)).clamp(max=-block.A_floor)
    trap = torch.sigmoid(trap)
    own = dt * trap
    ahead = functional.pad((dt * (1 - trap))[:, 1:], (0, 0, 0, 1))
    itself = (q * k).sum(-1) * own  # a position meets itself before its rotation, which would cancel
    angle = (torch.tanh(angles).unsqueeze(2) * math.pi * dt.unsqueeze(-1)).cumsum(dim=1)
    k, q = _rotated(torch, k, angle), _rotated(torch, q, angle)
    y = _decayed_attention(torch, q, k, own + ahead, log_decay, x, earlier_only=True)
    y = y + (p["D"] + itself).unsqueeze(-1) * x
    y = y.reshape(batch, length, inner)
    if block.is_outproj_norm:
        y = _gated_norm(torch, y, z, p["norm.weight"], block.norm.eps, size, True)
    else:
        y = y * functional.silu(z)
    return _linear(p, "out_proj", y)


def _head_keys(torch: Any, x: Any, weight: Any, bias: Any, eps: float, groups: int) -> Any:
    """(batch, length, head, state): normed per group, then a bias per head."""
    x = x.reshape(*x.shape[:2], groups, -1)
    x = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight
    return x.repeat_interleave(bias.shape[0] // groups, dim=2) + bias.squeeze(1)


def _rotated(torch: Any, x: Any, angle: Any) -> Any:
    """Pairs of neighbours turned by ``angle``; the states behind the last angle stay."""
    moving = x[..., : 2 * angle.shape[-1]]
    even, odd = moving[..., 0::2], moving[..., 1::2]
    cos, sin = torch.cos(angle), torch.sin(angle)
    turned = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)
    return torch.cat([turned, x[..., moving.shape[-1] :]], dim=-1)


REFERENCES: dict[str, Callable[..., Any]] = {
    "Mamba": reference_mamba,
    "Mamba2": reference_mamba2,
    "Mamba3": reference_mamba3,
}


# --- the user's own model ---------------------------------------------------------------------------------


class Choices:
    """Watches the user's code run: except-branches taken, variables read, slow paths called."""

    SLOW_PATHS = ("slow_forward", "torch_forward")

    def __init__(self, request: dict[str, Any]) -> None:
        libraries = {sysconfig.get_paths()[k] for k in ("stdlib", "platstdlib", "purelib", "platlib")}
        self._libraries = tuple(os.path.realpath(p) + os.sep for p in libraries)
        self._mine: dict[str, bool] = {}
        self._lines: dict[str, set[int]] = {}
        self._raised: list[dict[str, Any]] = []
        self._slow: list[dict[str, Any]] = []
        self._reads: dict[tuple[str, str, int], str] = {}
        self._variables = set(request["force_variables"])

    def is_mine(self, path: str) -> bool:
        if path not in self._mine:
            real = os.path.realpath(path)
            is_file = path.endswith(".py") and real != os.path.realpath(__file__)
            self._mine[path] = is_file and not real.startswith(self._libraries) and "site-packages" not in real
        return self._mine[path]

    def _call(self, frame: Any, event: str, arg: Any) -> Any:
        code = frame.f_code
        if code.co_name in self.SLOW_PATHS and frame.f_back is not None:
            by = frame.f_back
            row = {"path": by.f_code.co_filename, "line": by.f_lineno, "called": code.co_name}
            if row not in self._slow:
                self._slow.append(row)
        return self._line if self.is_mine(code.co_filename) else None

    def _line(self, frame: Any, event: str, arg: Any) -> Any:
        path = frame.f_code.co_filename
        if event == "line":
            self._lines.setdefault(path, set()).add(frame.f_lineno)
        elif event == "exception":
            kind, value, tail = arg
            through = [f.filename for f in traceback.extract_tb(tail)]
            self._raised.append(
                {
                    "path": path,
                    "line": frame.f_lineno,
                    "type": kind.__name__,
                    "message": str(value)[:500],
                    "through": through,
                }
            )
        return self._line

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        kind = type(os.environ)
        original = kind.__getitem__

        def read(environ: Any, key: Any) -> Any:
            by = sys._getframe(1)
            while by.f_back is not None and not self.is_mine(by.f_code.co_filename):
                by = by.f_back
            value = original(environ, key)
            if isinstance(key, str) and self.is_mine(by.f_code.co_filename):
                self._reads[(key, by.f_code.co_filename, by.f_lineno)] = value
            return value

        kind.__getitem__ = read  # type: ignore[method-assign]
        sys.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(None)
            kind.__getitem__ = original  # type: ignore[method-assign]

    def found(self) -> dict[str, Any]:
        taken = []
        for path, lines in sorted(self._lines.items()):
            for block in (n for n in ast.walk(parsed(path)) if isinstance(n, ast.Try)):
                for handler in block.handlers:
                    if handler.body[0].lineno not in lines:
                        continue
                    first, last = block.body[0].lineno, block.body[-1].end_lineno or block.body[-1].lineno
                    errors = [r for r in self._raised if r["path"] == path and first <= r["line"] <= last]
                    for error in errors[:1] or [{"type": "", "message": "", "through": []}]:
                        taken.append(
                            {
                                "path": path,
                                "line": handler.lineno,
                                "type": error["type"],
                                "message": error["message"],
                                "about_mamba": is_about_mamba(error, block),
                            }
                        )
        reads = [
            {"name": n, "path": path, "line": line, "value": value}
            for (n, path, line), value in sorted(self._reads.items())
            if n in self._variables or any(w in n.upper() for w in ("FALLBACK", "MAMBA"))
        ]
        return {"handlers": taken, "reads": reads, "slow_paths": self._slow}


def is_about_mamba(error: dict[str, Any], block: ast.Try) -> bool:
    words = ("mamba", "selective_scan", "causal_conv1d", "triton")
    texts = [error["message"], *error["through"]]
    texts += [n.module or "" for s in block.body for n in ast.walk(s) if isinstance(n, ast.ImportFrom)]
    texts += [a.name for s in block.body for n in ast.walk(s) if isinstance(n, ast.Import) for a in n.names]
    texts += [n.attr for s in block.body for n in ast.walk(s) if isinstance(n, ast.Attribute)]
    return any(word in text.lower() for text in texts for word in words)


def ask_model(answers: Answers, steps: list[dict[str, Any]], request: dict[str, Any]) -> None:
    torch = answers.ask("import torch", lambda: importlib.import_module("torch"))
    if torch is None:
        return
    if answers.ask("gpu ready", lambda: {"memory": reach_gpu(torch, request["device"])}) is None:
        return
    hold_autotuner([])
    answers.ask("model", lambda: own_model(answers, torch, request))


def own_model(answers: Answers, torch: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Up to ``model_steps`` forward and backward passes of what MODULE:CALLABLE makes.

    It may return (module, inputs), a module with ``example_input_array``, or a function that does one step.
    """
    device = request["device"]
    if not request["paths"]:
        sys.path.insert(0, os.getcwd())
    choices = Choices(request)
    module_name, _, attribute = request["model"].partition(":")
    began = time.perf_counter()
    error = None
    done, finite = 0, True
    made: Any = None
    step: Callable[[], Any] | None = None
    with traced(torch, device) as trace:
        with choices.watching():
            try:
                answers.at("import " + module_name)
                target: Any = importlib.import_module(module_name)
                for part in attribute.split("."):
                    target = getattr(target, part)
                answers.at("construction")
                made, step = stepped(torch, target(), device)
                answers.at("step 1")
                finite = _is_finite(torch, step())
                done = 1
            except Exception as e:
                error = described(e)
        while step is not None and error is None and done < int(request["model_steps"]):
            answers.at("step %d" % (done + 1))
            try:
                finite = _is_finite(torch, step()) and finite
                done += 1
            except Exception as e:
                error = described(e)
    return {
        "steps": done,
        "seconds": round(time.perf_counter() - began, 3),
        "launched": trace["launched"],
        "operators": trace["operators"],
        "device_events": trace["device_events"],
        "finite": finite,
        "modules": inventory(torch, made),
        "choices": choices.found(),
        "library": library_choices(),
        "error": error,
    }


def stepped(torch: Any, made: Any, device: str) -> tuple[Any, Callable[[], Any]]:
    """The module, if one was given, and a function for one forward and backward pass."""
    inputs: Any = None
    if isinstance(made, tuple) and len(made) == 2:
        made, inputs = made
    elif getattr(made, "example_input_array", None) is not None:
        inputs = made.example_input_array
    elif not isinstance(made, torch.nn.Module) and callable(made):
        return None, made
    if inputs is None or not isinstance(made, torch.nn.Module):
        raise TypeError(
            "the callable gave %s; wanted (module, inputs), a module with example_input_array, "
            "or a function that does one step" % type(made).__name__
        )
    made = made.to(device)
    inputs = _moved(torch, inputs, device)

    def step() -> Any:
        y = made(**inputs) if isinstance(inputs, dict) else made(*inputs) if isinstance(inputs, tuple) else made(inputs)
        total = sum(t.float().sum() for t in _tensors(torch, y) if t.requires_grad)
        if hasattr(total, "backward"):
            total.backward()
        return y

    return made, step


def _tensors(torch: Any, value: Any) -> list[Any]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        return [t for v in value.values() for t in _tensors(torch, v)]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in _tensors(torch, v)]
    return []


def _moved(torch: Any, value: Any, device: str) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {k: _moved(torch, v, device) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_moved(torch, v, device) for v in value)
    return value


def _is_finite(torch: Any, value: Any) -> bool:
    return all(bool(torch.isfinite(t).all()) for t in _tensors(torch, value) if t.is_floating_point())


def inventory(torch: Any, made: Any) -> list[dict[str, Any]]:
    """How many of each class that matters here: Mamba blocks and depthwise convolutions."""
    counts: dict[str, int] = {}
    inside: list[str] = []
    for name, module in made.named_modules() if made is not None else ():
        kind = type(module)
        label = kind.__module__ + "." + kind.__qualname__
        if "mamba" in kind.__qualname__.lower() or kind.__module__.startswith("mamba_ssm"):
            counts[label] = counts.get(label, 0) + 1
            if kind.__module__.startswith(("mamba_ssm", "transformers")):
                inside.append(name + "." if name else "")
        elif isinstance(module, torch.nn.Conv1d) and module.groups == module.in_channels > 1:
            if not name.startswith(tuple(inside) or ("\0",)):
                counts["depthwise Conv1d"] = counts.get("depthwise Conv1d", 0) + 1
    return [{"class": label, "count": n} for label, n in sorted(counts.items())]


# --- by itself --------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--child"]:
        child(arguments[1])
        return 0
    given = dict(zip(arguments[::2], arguments[1::2]))
    if "--request" in given:
        with open(given["--request"]) as f:
            request = json.load(f)
    else:
        request = {}
    # TERM and INT end the children too: run() kills them on its way out.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    reading = run(request, lambda text: print(text, flush=True))
    text = json.dumps(reading, indent=1)
    if "--out" in given:
        with open(given["--out"], "w") as f:
            f.write(text + "\n")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    # This script's own folder is no place to import the user's modules from.
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or os.curdir) != os.path.dirname(os.path.abspath(__file__))]
    sys.exit(main(sys.argv[1:]))
