"""Faults and healthy cases on a real GPU, with the real packages: python tests/probe/gpu_faults.py FOLDER [NAME...]

Each is a folder laid before the installed packages.  Prints what was wanted and what was judged, one line a case, and
leaves every reading in FOLDER for keep_reading.py.  Exits 1 when a verdict was another one.  PREFLIGHT_SOURCE is the
folder that holds the `preflight` to test.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(os.environ.get("PREFLIGHT_SOURCE") or Path(__file__).parents[2])
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import gpu_models as m  # noqa: E402
from gpu_fault import GONE, OTHER_ARCH, OTHER_ARCH_CU, UNDEFINED_C, Fault, gradient, output, scan  # noqa: E402

from preflight.probe.reading import parsed  # noqa: E402
from preflight.probe.request import Request  # noqa: E402
from preflight.probe.ruling import Cause, Verdict  # noqa: E402
from preflight.probe.verdict import judge  # noqa: E402

AT_ONCE = int(os.environ.get("AT_ONCE", "3"))
BROKEN, FALLBACK, PARTIAL, COULD_NOT, KERNELS = Verdict
LONG, HALF = "u.shape[-1] > 1024", "u.dtype == torch.float16"
NO_CONV = {name + ".py": GONE.format(name) for name in ("causal_conv1d", "causal_conv1d_cuda")}
RUNTIME_ERROR = scan("def fwd(*a):\n    raise RuntimeError('CUDA error: misaligned address')\n")
FORGETS = ("ops/triton/ssd_state_passing.py", "states = scale * states + new_states", "states = new_states")
ASSERTS = (
    "modules/mamba2.py",
    "        zxbcdt = self.in_proj(u)",
    "        torch.ones(4, device=u.device)[u.long() + 99]\n        zxbcdt = self.in_proj(u)",
)
BAD_CONFIG = (
    "ops/triton/ssd_chunk_state.py",
    "        triton.Config({'BLOCK_SIZE_H': 2}),",
    "        triton.Config({'BLOCK_SIZE_H': 2}), triton.Config({'BLOCK_SIZE_H': 3}),",
)
WRONG = (Cause.WRONG_NUMBERS,)
HIDDEN = (Cause.HIDDEN,)
ALL = ("float32", "bfloat16", "float16")
FORCED = {"SEIZURE_MAMBA_FORCE_FALLBACK": "1"}


def library() -> list[Fault]:
    """What is wrong with the packages themselves."""
    many = ("float32", "bfloat16")
    return [
        Fault(
            "healthy",
            KERNELS,
            (Cause.LAUNCHED,),
            blocks=("Mamba", "Mamba2"),
            dtypes=many,
            is_alone=True,
            said="your own model was not run",
        ),
        Fault("mamba3", KERNELS, (Cause.LAUNCHED,), blocks=("Mamba3",), dtypes=many, is_alone=True),
        Fault("healthy-half", KERNELS, (Cause.LAUNCHED,), blocks=("Mamba", "Mamba2"), dtypes=("float16",)),
        Fault("no-causal-conv1d", PARTIAL, (Cause.CONV1D_ABSENT,), NO_CONV, blocks=("Mamba", "Mamba2"), dtypes=many),
        Fault(
            "no-selective-scan",
            FALLBACK,
            (Cause.SCAN_ABSENT,),
            {"selective_scan_cuda.py": GONE.format("selective_scan_cuda")},
        ),
        Fault("undefined-symbol", FALLBACK, (Cause.UNDEFINED_SYMBOL,), {"undefined.c": UNDEFINED_C}),
        Fault(
            "other-architecture",
            BROKEN,
            (Cause.WRONG_ARCHITECTURE,),
            {**scan(OTHER_ARCH), "other_arch.cu": OTHER_ARCH_CU},
        ),
        Fault("zeros", BROKEN, (Cause.ZERO_OUTPUT,), output("t.zero_()")),
        Fault("nans", BROKEN, (Cause.NAN_OUTPUT,), output("t.fill_(float('nan'))")),
        Fault("nans-in-half", BROKEN, (Cause.NAN_OUTPUT,), output("t.fill_(float('nan'))", HALF), dtypes=ALL),
        Fault("nans-when-long", BROKEN, (Cause.NAN_OUTPUT,), output("t.fill_(float('nan'))", LONG)),
        Fault("scan-0.1-percent", BROKEN, WRONG, output("t.mul_(1.001)")),
        Fault("scan-3-percent", BROKEN, WRONG, output("t.mul_(1.03)")),
        Fault("scan-2-percent-bfloat16", BROKEN, WRONG, output("t.mul_(1.02)"), dtypes=("bfloat16",)),
        Fault("last-tenth-zero", BROKEN, WRONG, output("t[..., -t.shape[-1] // 10:].zero_()")),
        Fault("half-when-long", BROKEN, WRONG, output("t[..., t.shape[-1] // 2:].mul_(0.5)", LONG)),
        Fault("a-gradient-0.1-percent", BROKEN, WRONG, gradient("out[2].mul_(1.001)")),
        Fault("a-gradient-10-percent-bfloat16", BROKEN, WRONG, gradient("out[2].mul_(1.1)"), dtypes=("bfloat16",)),
        Fault("dt-bias-negated", BROKEN, WRONG, gradient("out[6].neg_()")),
        Fault(
            "no-backward",
            BROKEN,
            (Cause.MISSING_BACKWARD,),
            scan("def bwd(*a):\n    raise NotImplementedError('no backward in this build')\n"),
        ),
        Fault(
            "silent-backward",
            BROKEN,
            (Cause.MISSING_BACKWARD, *WRONG),
            gradient("[t.zero_() for t in out if t is not None]"),
        ),
        Fault(
            "hang",
            COULD_NOT,
            (Cause.IMPORT_HANG,),
            {"selective_scan_cuda.py": "import time\ntime.sleep(300)\n"},
            request={"step_limit_s": 40.0},
        ),
        Fault(
            "segfault",
            BROKEN,
            (Cause.IMPORT_CRASH,),
            {"selective_scan_cuda.py": "import ctypes\nctypes.string_at(0)\n"},
        ),
        Fault("forced", FALLBACK, (Cause.FORCED,), environ=FORCED, said="your own model was not run"),
        Fault("mamba2-forgets", BROKEN, WRONG, patch=FORGETS, blocks=("Mamba2",), dtypes=many),
        Fault(
            "dead-context",
            BROKEN,
            (Cause.CRASH, Cause.ERROR),
            patch=ASSERTS,
            blocks=("Mamba2", "Mamba"),
            request={"lanes": 1},
            said="Mamba2",
        ),
        Fault(
            "bad-configuration",
            KERNELS,
            (Cause.LAUNCHED,),
            patch=BAD_CONFIG,
            blocks=("Mamba2",),
            said="one Triton configuration",
        ),
        Fault(
            "bad-configuration-autotuned",
            BROKEN,
            (Cause.ERROR, Cause.MISSING_BACKWARD),
            patch=BAD_CONFIG,
            blocks=("Mamba2",),
            request={"full_autotune": True},
        ),
        Fault(
            "no-visible-gpu",
            COULD_NOT,
            (Cause.NO_GPU,),
            environ={"CUDA_VISIBLE_DEVICES": ""},
            said="unset CUDA_VISIBLE_DEVICES",
        ),
        Fault(
            "another-visible-gpu",
            COULD_NOT,
            (Cause.NO_GPU,),
            environ={"CUDA_VISIBLE_DEVICES": "17"},
            said="CUDA_VISIBLE_DEVICES=17",
        ),
    ]


def models() -> list[Fault]:
    """What is wrong with the user's own model, the packages being healthy or not."""

    def own(name: str, verdict: Verdict, causes: tuple[Cause, ...], model: str, **more: object) -> Fault:
        return Fault(name, verdict, causes, model=model, **{"blocks": (), **more})  # type: ignore[arg-type]

    could, launched = (Cause.MODEL_ERROR,), (Cause.LAUNCHED,)
    return [
        *(own(name, KERNELS, launched, text) for name, text in m.HEALTHY.items()),
        own("from-step-2", FALLBACK, HIDDEN, m.FROM_STEP_2, said="net.py"),
        own("one-of-two", PARTIAL, HIDDEN, m.ONE_OF_TWO),
        own("one-of-two-raises", PARTIAL, HIDDEN, m.BY_RAISING_INSIDE),
        own("one-at-construction", PARTIAL, HIDDEN, m.AT_CONSTRUCTION, said="net.py"),
        own("nan-gradient", BROKEN, (Cause.NAN_GRADIENT,), m.NAN_GRADIENT),
        own("own-half-when-long", BROKEN, WRONG, m.AT_2048, files=output("t[..., t.shape[-1] // 2:].mul_(0.5)", LONG)),
        own(
            "own-zero-gradients",
            BROKEN,
            (Cause.ZERO_GRADIENT,),
            m.AT_2048,
            files=gradient("[t.zero_() for t in out if t is not None]", LONG),
        ),
        own("own-mamba2-forgets", BROKEN, WRONG, m.MAMBA2_AT_1024, patch=FORGETS),
        own("own-nans-when-long", BROKEN, (Cause.NAN_OUTPUT,), m.AT_2048, files=output("t.fill_(float('nan'))", LONG)),
        own("own-out-of-memory", COULD_NOT, (Cause.OUT_OF_MEMORY,), m.OUT_OF_MEMORY, is_alone=True),
        own("own-out-of-memory-alone", COULD_NOT, (Cause.OUT_OF_MEMORY,), m.OUT_OF_MEMORY_ALONE),
        own("own-profiler", COULD_NOT, (Cause.OTHER_PROFILER,), m.PROFILED),
        own("ignores-the-switch", KERNELS, launched, m.IGNORES_SWITCH, blocks=("Mamba",), environ=FORCED),
        own("conv-reference", PARTIAL, (Cause.CONV1D_UNUSABLE,), m.CONV_REF, said="causal_conv1d_ref"),
        own("by-environment", FALLBACK, HIDDEN, m.BY_ENV, environ={"SEIZ_FAST_SSM": "0"}, said="unset SEIZ_FAST_SSM"),
        own(
            "by-configuration",
            FALLBACK,
            HIDDEN,
            m.BY_CONFIG,
            files={"config.json": '{"use_ssm": false}'},
            environ={"MAMBA_LOG_LEVEL": "debug"},
            said="CONFIG['use_ssm']",
        ),
        own("wandb-missing", KERNELS, launched, m.WANDB),
        own("on-the-cpu", FALLBACK, (Cause.ON_CPU,), m.ON_CPU),
        own("scan-reference", FALLBACK, HIDDEN, m.SCAN_REF, said="selective_scan_ref"),
        own("wants-configuration", COULD_NOT, could, m.WANTS_CONFIG, said="--model-args"),
        own("configuration-missing", COULD_NOT, could, m.CONFIG_MISSING, said="config-that-is-absent.json"),
        own("with-configuration", KERNELS, launched, m.WITH_CONFIG, files={"c.json": '{"width": 64}'}),
        own("hidden-in-forward", FALLBACK, HIDDEN, m.stack(m.GUARDED.format(when="False")), files=RUNTIME_ERROR),
    ]


def run(fault: Fault, folder: Path, gpu: str) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory(prefix="mamba-fault-") as name:
        room = Path(name)
        fault.prepare(room)
        asked, out = room / "request.json", folder / f"{fault.name}.json"
        model = "net:make" if fault.model else ""
        forced = tuple(FORCED)
        plain = Request(blocks=fault.blocks, dtypes=fault.dtypes, model=model, paths=(name,), force_variables=forced)
        request = plain.as_json() | {"lanes": 0 if fault.is_alone else 1} | fault.request
        if fault.name == "with-configuration":
            request["model_args"] = {"args": [], "kwargs": {"cfg": {"file": str(room / "c.json")}}}
        asked.write_text(json.dumps(request))
        environ = dict(os.environ, PYTHONPATH=os.pathsep.join((name, os.environ.get("PYTHONPATH", ""))))
        environ |= {"CUDA_VISIBLE_DEVICES": gpu}
        if fault.is_alone or fault.patch:
            environ["TRITON_CACHE_DIR"] = str(room / "triton")  # cold
        payload = ROOT / "preflight" / "probe" / "payload"
        command = [sys.executable, *map(str, (payload, "--request", asked, "--out", out))]
        began = time.monotonic()
        done = subprocess.run(
            command, env={**environ, **fault.environ}, cwd=room, capture_output=True, timeout=400, check=False
        )
        took = time.monotonic() - began
    if not out.exists():
        return False, f"WRONG {fault.name}: no reading: {done.stderr.decode()[-400:]}"
    judged = judge(parsed(json.loads(out.read_text())))
    words = " ".join(
        [judged.ruling.reason, judged.ruling.remedy, *judged.ruling.evidence, *map(str, judged.ruling.where)]
    )
    is_right = judged.verdict is fault.verdict and judged.ruling.cause in fault.causes and fault.said in words
    found = f"{judged.verdict}/{judged.ruling.cause}"
    mark = "ok   " if is_right else "WRONG"
    return (
        is_right,
        f"{mark} {fault.name:28} {took:5.1f} s  {found:32} {judged.ruling.reason}\n{'':8}fix: {judged.ruling.remedy}",
    )


def main(folder: Path, names: list[str]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [f for f in (*library(), *models()) if not names or f.name in names]
    free: SimpleQueue[str] = SimpleQueue()
    for number in range(AT_ONCE):
        free.put(str(number % int(os.environ.get("GPUS", "1"))))
    rights = []

    def one(fault: Fault) -> tuple[bool, str]:
        gpu = free.get()
        try:
            return run(fault, folder, gpu)
        except Exception as error:  # noqa: BLE001 - one case must not cost the others
            return False, f"WRONG {fault.name}: {type(error).__name__}: {error}"
        finally:
            free.put(gpu)

    for fault in [f for f in chosen if f.is_alone]:  # these are timed, so nothing runs beside them
        rights.append(one(fault))
        print(rights[-1][1], flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for answer in pool.map(one, [f for f in chosen if not f.is_alone]):
            rights.append(answer)
            print(answer[1], flush=True)
    print(f"{sum(r for r, _ in rights)} of {len(rights)} right")
    return 0 if all(r for r, _ in rights) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
