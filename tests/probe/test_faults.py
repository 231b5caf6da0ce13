"""One fault a test, injected into the stand-in packages: each has its own cause, and none of them is green."""

from __future__ import annotations

import time

import pytest

from preflight.probe.payload.choices import is_on
from preflight.probe.reading import parsed
from preflight.probe.ruling import Cause, Verdict
from preflight.probe.verdict import judge
from tests.probe.conftest import STANDIN

HEALTHY_SCAN = """
import torch
BACKWARD = ("selective_scan_bwd_kernel",)
def fwd():
    torch.launch("selective_scan_fwd_kernel")
"""
UNDEFINED = "/x/selective_scan_cuda.cpython-311-x86_64-linux-gnu.so: undefined symbol: _ZN3c104cuda14ExchangeDeviceEa"


def test_healthy_stand_ins_launch_every_kernel_and_say_that_they_are_simulated(reading):
    judged = judge(parsed(reading))
    assert judged.verdict is Verdict.KERNELS
    assert judged.ruling.reason.startswith("simulated: ")
    assert "no numbers were compared" in judged.ruling.reason
    assert [(b.block, len(b.launched), b.missing) for b in judged.blocks] == [("Mamba", 4, ()), ("Mamba2", 15, ())]


def test_causal_conv1d_absent_is_partial_and_names_what_stood_in(world):
    world.has_causal_conv1d = False
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.PARTIAL, Cause.CONV1D_ABSENT)
    assert "nn.Conv1d (aten::conv1d)" in judged.ruling.reason
    mamba, mamba2 = judged.blocks
    assert mamba.missing == ("causal_conv1d_fwd_kernel", "causal_conv1d_bwd_kernel")
    assert "TypeError: 'NoneType' object is not callable" in mamba2.ruling.reason
    assert mamba.ruling.where[0].path.endswith("mamba_simple.py")
    assert mamba.ruling.where[0].line == 6  # the except-branch that sets causal_conv1d_fn to None


def test_selective_scan_absent_is_a_fallback_and_runs_the_depthwise_conv1d(world):
    world.without("selective_scan_cuda")
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.FALLBACK, Cause.SCAN_ABSENT)
    assert world.document["fallback"]["outcome"] == "ok"
    assert world.document["fallback"]["value"]["operators"] == {"aten::conv1d": 1}


def test_undefined_symbol_is_a_fallback_and_the_raw_error_is_kept(world):
    world.lay("selective_scan_cuda.py", f"raise ImportError({UNDEFINED!r})\n")
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.FALLBACK, Cause.UNDEFINED_SYMBOL)
    assert UNDEFINED in judged.ruling.evidence[0]
    assert "mamba-ssm was built for another torch" in judged.ruling.reason
    assert "c10::cuda::ExchangeDevice(signed char) is in torch 2.3 to 2.15 as on PyPI" in judged.ruling.reason


def test_undefined_symbol_in_causal_conv1d_is_swallowed_by_the_library_and_still_partial(world):
    world.lay("causal_conv1d_cuda.py", "raise ImportError('causal_conv1d_cuda.so: undefined symbol: _ZN3c10x')\n")
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.PARTIAL, Cause.UNDEFINED_SYMBOL)
    assert "causal-conv1d was built for another torch" in judged.ruling.reason
    assert (
        "--no-deps --force-reinstall" in judged.ruling.remedy or "--force-reinstall --no-deps" in judged.ruling.remedy
    )


def test_mamba_ssm_absent_is_a_fallback(world):
    world.without("mamba_ssm")
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.FALLBACK, Cause.MAMBA_ABSENT)


def test_an_import_that_raises_something_else_than_importerror_is_broken_not_a_fallback(world):
    world.lay("selective_scan_cuda.py", "raise OSError('libcudart.so.12: cannot open shared object file')\n")
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.BROKEN, Cause.IMPORT_ERROR)


def test_a_block_that_this_mamba_ssm_does_not_have_is_said_to_be_missing(world):
    judged = world.probe(blocks=[{"block": "Mamba3", "options": {}}])
    assert (judged.verdict, judged.ruling.cause) == (Verdict.FALLBACK, Cause.BLOCK_ABSENT)
    assert "mamba-ssm 2.3.2.post1 has no Mamba3" in judged.ruling.reason


def test_kernels_for_another_architecture_are_broken(world):
    error = "CUDA error: no kernel image is available for execution on the device"
    world.lay("selective_scan_cuda.py", f"BACKWARD = ()\ndef fwd():\n    raise RuntimeError({error!r})\n")
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.BROKEN, Cause.WRONG_ARCHITECTURE)
    assert "sm_00" in judged.ruling.reason
    assert judged.blocks[1].ruling.verdict is Verdict.KERNELS  # Mamba2 has no part in it


@pytest.mark.parametrize(
    ("method", "cause"), [("any", Cause.ZERO_OUTPUT), ("all", Cause.NAN_OUTPUT)], ids=["zeros", "not finite"]
)
def test_zeros_and_nans_are_broken_although_the_kernels_launch(world, method, cause):
    kept = ((STANDIN / "base" / "mamba_ssm") / "modules" / "mamba_simple.py").read_text()
    text = f"""
class Wrong(torch.Tensor):
    def {method}(self):
        return False
class Mamba(Mamba):
    def forward(self, u):
        y = super().forward(u)
        return Wrong(*y.sources, backward=y.kernels)
"""
    for name in ("__init__", "modules/__init__", "modules/mamba2"):
        world.lay(f"mamba_ssm/{name}.py", ((STANDIN / "base" / "mamba_ssm") / f"{name}.py").read_text())
    world.lay("mamba_ssm/modules/mamba_simple.py", kept + text)
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.BROKEN, cause)
    assert judged.blocks[0].missing == ()


def test_a_backward_that_launches_nothing_is_broken(world):
    world.lay("selective_scan_cuda.py", HEALTHY_SCAN.replace('("selective_scan_bwd_kernel",)', "()"))
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.BROKEN, Cause.MISSING_BACKWARD)
    assert "did not launch selective_scan_bwd_kernel" in judged.ruling.reason


def test_a_backward_that_raises_is_broken(world):
    world.lay(
        "selective_scan_cuda.py",
        HEALTHY_SCAN.replace(
            '("selective_scan_bwd_kernel",)',
            "property(lambda s: 0)\nclass Raises:\n    def __iter__(self):\n"
            "        raise RuntimeError('derivative is not implemented')\nBACKWARD = Raises()",
        ),
    )
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.BROKEN, Cause.MISSING_BACKWARD)
    assert "derivative is not implemented" in judged.ruling.reason


def test_a_hang_in_an_import_could_not_run_and_ends_in_time(world):
    world.lay("selective_scan_cuda.py", "import time\ntime.sleep(60)\n")
    began = time.monotonic()
    judged = world.probe(step_limit_s=1.2)
    assert (judged.verdict, judged.ruling.cause) == (Verdict.COULD_NOT_RUN, Cause.IMPORT_HANG)
    assert time.monotonic() - began < 10
    assert world.document["loads"]["causal_conv1d_cuda"]["outcome"] == "ok"  # asked again in a fresh child


def test_a_segfault_in_an_import_is_broken_and_the_other_extension_is_still_asked(world):
    world.lay("selective_scan_cuda.py", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.BROKEN, Cause.IMPORT_CRASH)
    assert "SIGSEGV" in judged.ruling.reason
    assert any("selective_scan_cuda.py" in line for line in judged.ruling.evidence)  # faulthandler's stack
    assert world.document["loads"]["causal_conv1d_cuda"]["outcome"] == "ok"


def test_a_crash_in_one_case_costs_that_case_only(world):
    crash = HEALTHY_SCAN.replace(
        "    torch.launch", "    import os, signal; os.kill(os.getpid(), signal.SIGSEGV)\n    torch.launch"
    )
    world.lay("selective_scan_cuda.py", crash)
    judged = world.probe(lanes=1)
    assert (judged.verdict, judged.ruling.cause) == (Verdict.BROKEN, Cause.CRASH)
    assert "at its forward" in judged.ruling.reason
    assert judged.blocks[1].ruling.verdict is Verdict.KERNELS


def test_user_code_that_exits_the_process_is_not_taken_for_success(world):
    world.lay("selective_scan_cuda.py", "import os\nos._exit(0)\n")
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.BROKEN, Cause.IMPORT_CRASH)
    assert "exit code 0" in judged.ruling.reason


def test_a_profiler_without_device_events_could_not_run(world):
    blind = ((STANDIN / "base") / "torch" / "__init__.py").read_text()
    assert "return self._seen" in blind
    world.lay("torch/__init__.py", blind.replace("return self._seen", "return []"))
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.COULD_NOT_RUN, Cause.NO_EVENTS)


def test_no_gpu_could_not_run_and_the_versions_are_still_reported(world):
    text = (STANDIN / "base" / "torch" / "__init__.py").read_text()
    world.lay("torch/__init__.py", text + NO_DRIVER)
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.COULD_NOT_RUN, Cause.NO_GPU)
    assert "Found no NVIDIA driver" in judged.ruling.reason
    assert world.document["versions"]["value"]["torch"] == "0+simulated"


NO_DRIVER = """
def _init():
    raise RuntimeError('Found no NVIDIA driver on your system')
cuda = SimpleNamespace(is_available=lambda: False, init=_init)
"""


def test_no_torch_could_not_run(world):
    world.without("torch")
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.COULD_NOT_RUN, Cause.NO_TORCH)


@pytest.mark.parametrize("value", ["1", "true", "YES", "2"])
def test_a_switch_is_on_unless_its_value_says_off(value):
    assert is_on(value)


@pytest.mark.parametrize("value", ["", "0", "false", "No", "off", " OFF "])
def test_a_value_that_says_off_is_off(value):
    assert not is_on(value)


def test_a_fallback_forced_by_the_environment_is_a_fallback_whatever_the_kernels_do(world):
    value = world.environ["SEIZURE_MAMBA_FORCE_FALLBACK"] = "YES"
    judged = world.probe()
    assert (judged.verdict, judged.ruling.cause) == (Verdict.FALLBACK, Cause.FORCED)
    assert f"SEIZURE_MAMBA_FORCE_FALLBACK={value} is set" in judged.ruling.reason
    assert "the kernels themselves launch" in judged.ruling.reason
    assert world.document["fallback"]["outcome"] == "ok"


def test_a_switch_that_is_off_forces_nothing(world):
    world.environ["SEIZURE_MAMBA_FORCE_FALLBACK"] = "No"
    assert world.probe().verdict is Verdict.KERNELS


def test_another_variable_can_be_the_switch(world):
    world.environ["MY_SWITCH"] = "1"
    judged = world.probe(force_variables=["MY_SWITCH"])
    assert (judged.verdict, judged.ruling.cause) == (Verdict.FALLBACK, Cause.FORCED)
